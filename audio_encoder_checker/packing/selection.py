"""Which files of a folder become a submission, and what stays out and why."""

from __future__ import annotations

import os
import shlex
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.manifest import MANIFEST
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.ignore import Ignore, junk_layer
from audio_encoder_checker.packing.names import refuse_bad_names
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a"}
MOST_AUDIO = 20
"""More audio files in one folder are a data set."""
BULK = f"data sets: more than {MOST_AUDIO} audio files in a folder"
MOST_SHOWN = 3
"""So many paths are named for each reason."""
REMOVE = "remove the link, or leave it out with a line in .aeccignore"


@dataclass(frozen=True)
class Chosen:
    """A file to pack: its name in the ZIP, and where its bytes lie."""

    name: str
    path: Path


@dataclass(frozen=True)
class LeftOut:
    """What stays out for one reason.

    Attributes:
        reason: in words.
        files: how many.
        size_bytes: of all of them.
        paths: the first few; a folder ends with `/` and stands for all that is in it.
        more: there are more of these.
    """

    reason: str
    files: int
    size_bytes: int
    paths: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True)
class Selection:
    """Every file of a folder, chosen (by name) or left out (largest first)."""

    files: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...]


def select_files(root: Path, *, without: Path | None = None, most: int | None = None) -> Selection:
    """Choose the files of a folder that make a submission.

    Args:
        root: the folder.
        without: a file that is no part of it, such as the ZIP to be written.
        most: so many files may be chosen; None for any number.

    Raises:
        UsageError: there is no such folder, it cannot be read, nothing or too much is left to pack, a symbolic link
            leads outside, or a name is not valid everywhere.
    """
    if not root.is_dir():
        raise UsageError(f"there is no folder {printable(str(root))!r}", "name the folder that holds your encoder")
    walk = _Walk(root.resolve(), without.resolve() if without else None)
    try:
        walk.folder(walk.root, "", Ignore((junk_layer(),)), ())
    except OSError as error:
        hint = "make it readable, or leave it out with a line in .aeccignore"
        raise UsageError(f"cannot read {printable(str(error.filename))!r}: {error.strerror}", hint) from None
    if not walk.files:
        hint = "put encoder.py into it, or start with `aecc-package init`"
        raise UsageError(f"{printable(str(root))!r} holds no file to pack", hint)
    if most is not None and len(walk.files) > most:
        raise _too_many(walk.files, most)
    files = sorted(walk.files, key=lambda chosen: chosen.name)
    refuse_bad_names([chosen.name for chosen in files])
    return Selection(tuple(files), tuple(sorted(walk.left_out.values(), key=lambda one: (-one.size_bytes, one.reason))))


def _too_many(files: Sequence[Chosen], most: int) -> UsageError:
    counts = Counter(chosen.name.rpartition("/")[0] for chosen in files)
    (folder, count), *_ = counts.most_common(1)
    where = f"{printable(folder)!r} alone holds {count:,}" if folder else f"{count:,} lie at the top"
    message = f"{len(files):,} files would be packed, and a submission may hold {most:,}; {where}"
    return UsageError(message, f"leave data out: add the line `/{printable(folder) or '*.wav'}` to .aeccignore")


@dataclass
class _Walk:
    """One pass over a folder; symbolic links are followed as long as they stay inside."""

    root: Path
    without: Path | None
    files: list[Chosen] = field(default_factory=list)
    left_out: dict[str, LeftOut] = field(default_factory=dict)

    def folder(self, folder: Path, name: str, ignore: Ignore, above: tuple[Path, ...]) -> None:
        """Take what belongs; `above` are the folders on the way here, by their real paths."""
        ignore = ignore.inside(folder, name)
        paths = sorted(folder.iterdir())
        bulk = sum(path.suffix.lower() in AUDIO for path in paths) > MOST_AUDIO
        for path in paths:
            is_folder = path.is_dir()
            ignored, why = ignore.decide(name + path.name + "/" * is_folder)
            if ignored is None and bulk and path.suffix.lower() in AUDIO and not is_folder:
                ignored, why = True, BULK
            why = why if ignored else self._why_never(path, name + path.name)
            if why:
                self._leave_out(path, name + path.name, why)
            else:
                self._entry(path, name + path.name, ignore, (*above, folder))

    def _entry(self, path: Path, name: str, ignore: Ignore, above: tuple[Path, ...]) -> None:
        real = self._follow(path, name) if path.is_symlink() else path
        if not real.is_dir():
            self.files.append(Chosen(name, real))
        elif real in above:
            raise UsageError(f"the symbolic link {printable(name)!r} leads to a folder it lies in", REMOVE)
        else:
            self.folder(real, f"{name}/", ignore, above)

    def _why_never(self, path: Path, name: str) -> str:
        """Why a path is left out whatever the patterns say, or empty."""
        if name == MANIFEST:
            return "manifest of an earlier build"
        if path == self.without:
            return "the ZIP to be written"
        if path.is_dir() and any(inside.name == "pyvenv.cfg" for inside in path.iterdir()):
            return "virtual environment"
        kind = path.lstat().st_mode
        plain = stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind)
        return "" if plain else "pipes, sockets and devices"

    def _follow(self, link: Path, name: str) -> Path:
        """Where a symbolic link leads.

        Raises:
            UsageError: outside the folder, or nowhere.
        """
        try:
            real = link.resolve(strict=True)
        except (OSError, RuntimeError):  # before Python 3.13 a loop raises RuntimeError
            raise UsageError(f"the symbolic link {printable(name)!r} leads nowhere", REMOVE) from None
        if not real.is_relative_to(self.root):
            where = printable(str(link.readlink()))
            message = f"the symbolic link {printable(name)!r} leads outside the folder, to {where!r}"
            raise UsageError(message, _copy_instead(name))
        if not (real.is_file() or real.is_dir()):
            raise UsageError(f"the symbolic link {printable(name)!r} leads to no plain file", REMOVE)
        return real

    def _leave_out(self, path: Path, name: str, why: str) -> None:
        known = self.left_out.get(why, LeftOut(why, 0, 0))
        files, size = _extent(path)
        paths = (*known.paths, name + "/" * (path.is_dir() and not path.is_symlink()))
        self.left_out[why] = LeftOut(
            why, known.files + files, known.size_bytes + size, paths[:MOST_SHOWN], more=len(paths) > MOST_SHOWN
        )


def _copy_instead(name: str) -> str:
    shown = shlex.quote(printable(name))
    return f'put what it points to in its place: `f=$(readlink -f {shown}) && rm {shown} && cp -R "$f" {shown}`'


def _extent(path: Path) -> tuple[int, int]:
    """Number of files at or below a path and the sum of their sizes; no link is followed."""
    if path.is_symlink() or not path.is_dir():
        return 1, path.lstat().st_size
    sizes = list(_sizes(path))
    return len(sizes), sum(sizes)


def _sizes(top: Path) -> Iterator[int]:
    for folder, _, names in os.walk(top):
        for name in names:
            yield (Path(folder) / name).lstat().st_size
