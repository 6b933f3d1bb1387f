"""What the checker lends the environment: torch, numpy and all they need, linked instead of installed again.

The resolver is told of them by wheels that hold nothing but metadata, so that it chooses their versions where the
submission's requirements let it; the environment then gets links to the files that are here already.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import sys_tags
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOTS = ("torch", "numpy")
"""What every child imports."""
COMPANIONS = ("torchaudio", "torchvision", "torchcodec")
"""Built for one version of torch: lent where they are here, linked only if asked for."""
FAMILY = ("torch", "triton", "pytorch-triton", *COMPANIONS)
"""What costs gigabytes, with nvidia-*: kept even where the other lent versions do not suit."""


@dataclass(frozen=True)
class Lent:
    """One distribution of the checker's own environment.

    Attributes:
        name: normalised.
        version: with its local part, such as `2.13.0+cpu`.
        folder: where its files lie.
        tops: top-level names in that folder.
        about: the text of its METADATA.
    """

    name: str
    version: str
    folder: Path
    tops: tuple[str, ...]
    about: str

    @property
    def pin(self) -> str:
        """The requirement that only it meets."""
        return f"{self.name}=={self.version}"

    @property
    def heavy(self) -> bool:
        """Whether it belongs to torch itself."""
        return self.name in FAMILY or self.name.startswith(("nvidia-", "cuda-"))


def lent_distributions() -> tuple[Lent, ...]:
    """All that can be lent, by name."""
    found: dict[str, Lent] = {}
    waiting = [Requirement(name) for name in (*ROOTS, *COMPANIONS)]
    seen = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        try:
            one = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError:
            continue
        lent = _lent(name, one)
        if lent is not None:
            found[name] = lent
            waiting.extend(_needs(one, requirement.extras))
    return tuple(found[name] for name in sorted(found))


def _needs(one: metadata.Distribution, extras: set[str]) -> list[Requirement]:
    needs = [Requirement(text) for text in one.requires or ()]
    chosen = [{"extra": extra} for extra in ("", *extras)]
    return [need for need in needs if not need.marker or any(need.marker.evaluate(extra) for extra in chosen)]


def _lent(name: str, one: metadata.Distribution) -> Lent | None:
    """None for an installation without a list of files, which cannot be linked, such as an editable one."""
    paths = [path for path in one.files or () if path.parts[0] not in ("..", "__pycache__", "/")]
    tops = sorted({path.parts[0] for path in paths if not path.parts[0].endswith(".pth")})
    about = one.read_text("METADATA") or ""
    if not tops or not about or "editable" in (one.read_text("direct_url.json") or ""):
        return None
    return Lent(name, one.version, Path(str(one.locate_file(""))).resolve(), tuple(tops), about)


def write_wheels(folder: Path, lent: tuple[Lent, ...]) -> None:
    """Wheels without contents, which the resolver reads and nobody installs.

    They carry the tag that suits this interpreter best, so that the resolver does not download a true one of the
    same version only to read its metadata.
    """
    tag = str(next(iter(sys_tags())))
    for one in lent:
        name = one.name.replace("-", "_")
        stem = f"{name}-{Version(one.version)}"
        about = {
            f"{stem}.dist-info/METADATA": one.about,
            f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nGenerator: aecc\nRoot-Is-Purelib: false\nTag: {tag}\n",
        }
        record = "".join(f"{path},,\n" for path in (*about, f"{stem}.dist-info/RECORD"))
        with zipfile.ZipFile(folder / f"{stem}-{tag}.whl", "w") as wheel:
            for path, text in (*about.items(), (f"{stem}.dist-info/RECORD", record)):
                wheel.writestr(path, text)


def link(folder: Path, lent: tuple[Lent, ...]) -> None:
    """Link what is lent into a new folder; several distributions may share a top-level folder."""
    folder.mkdir()
    for one in lent:
        for top in one.tops:
            target = one.folder / top
            if target.exists() and not (folder / top).is_symlink():
                (folder / top).symlink_to(target)
