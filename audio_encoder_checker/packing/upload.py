"""Upload files to the Hugging Face Hub in one commit, and make sure that the Hub holds what lies here."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from audio_encoder_checker.archive.manifest import describe_file
from audio_encoder_checker.errors import CheckerError, MachineError, UsageError
from audio_encoder_checker.network.hub_paths import COMMIT
from audio_encoder_checker.packing.names import refuse_bad_names
from audio_encoder_checker.packing.selection import Chosen, select_files
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile, RepoFolder

    from audio_encoder_checker.evidence.manifest import PackedFile

T = TypeVar("T")

WAITS_S = (1.0, 3.0)
"""Before the second and the third try, where the Hub or the way there fails."""
MOST_ASKED = 100
"""Files that the Hub is asked for at once."""
LOG_IN = "log in with `hf auth login`, or set HF_TOKEN to a token of yours that may write"
REFUSALS = {
    400: ("the Hub refuses the upload: {words}", "change what it names, and upload again"),
    401: ("the Hub does not accept the token", LOG_IN),
    403: (
        "the token cannot write to '{repository}': {words}",
        "make a token that may write there at {endpoint}/settings/tokens, then `hf auth login`",
    ),
    404: (
        "the Hub knows no repository '{repository}', or hides it from this token",
        "check owner and name, and that the token's account may write there",
    ),
    409: ("'{repository}' was changed at the same time: {words}", "upload again"),
    412: ("'{repository}' was changed at the same time: {words}", "upload again"),
}
"""What a status means, and what to do; 400 stands for all others below 500."""
HTTP_LIBRARIES = {"httpcore", "httpcore2", "httpx", "httpx2", "requests", "urllib3"}
"""What one release of huggingface_hub or another talks HTTP with."""


@dataclass(frozen=True)
class Uploaded:
    """What the Hub now has.

    Attributes:
        repository: `owner/name`.
        commit: its 40 digits.
        url: page of the commit's files.
        private: whether only some can read it.
        files: by their names in the repository.
        notes: what the user should know, as sentences.
    """

    repository: str
    commit: str
    url: str
    private: bool
    files: tuple[PackedFile, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Source:
    """A file as it was before the upload; the stamp is its size, time of change in nanoseconds, and inode."""

    file: PackedFile
    path: Path
    stamp: tuple[int, int, int]


def upload_files(
    files: Sequence[Path], repository: str, *, private: bool, message: str, token: str | None = None
) -> Uploaded:
    """Upload files in one commit, to a model repository that is made if it is not there.

    Args:
        files: those go to the top of the repository under their own names; what lies in a folder keeps its path
            relative to the folder, and what belongs into no submission stays out.
        repository: `owner/name`.
        private: make the repository private, and refuse one that everybody can read.
        message: of the commit.
        token: of an account on the Hub; None for the one of `hf auth login` or HF_TOKEN.

    Raises:
        UsageError: there is no such file, a name is not valid, the token cannot write there, or a file changed.
        MachineError: the Hub does not answer, fails, or holds other bytes than were sent.
    """
    chosen, notes = _chosen(files)
    _refuse_name(repository)
    if not message.strip():
        raise UsageError("a commit needs a message", "say in a few words what is uploaded")
    _refuse_offline()
    from huggingface_hub import HfApi

    api = HfApi(endpoint=(os.environ.get("HF_ENDPOINT") or "").rstrip("/") or None, token=token or _own_token())
    sources = tuple(_described(one) for one in chosen)
    with _bars_on_terminals_only():
        try:
            is_private, gated = _open_repository(api, repository, private=private)
            commit = _patiently(lambda: _commit(api, repository, sources, message))
            _compare(api, repository, commit, sources)
        except Exception as error:
            _refuse_changed(sources)
            if isinstance(error, CheckerError):
                raise
            raise _explained(error, repository, api.endpoint) from error
    _refuse_changed(sources)
    return Uploaded(
        repository=repository,
        commit=commit,
        url=f"{api.endpoint}/{repository}/tree/{commit}",
        private=is_private,
        files=tuple(source.file for source in sources),
        notes=(*notes, *_closed_doors(repository, private=is_private, gated=gated)),
    )


def snippet(uploaded: Uploaded) -> str:
    """The Python lines that download what was uploaded, at this very commit."""
    place = _quoted(uploaded.repository)
    revision = f"revision={_quoted(uploaded.commit)}"
    if len(uploaded.files) == 1:
        name = _quoted(uploaded.files[0].name)
        return f"from huggingface_hub import hf_hub_download\n\npath = hf_hub_download({place}, {name}, {revision})\n"
    return f"from huggingface_hub import snapshot_download\n\nfolder = snapshot_download({place}, {revision})\n"


def _quoted(text: str) -> str:
    """As a Python literal, in double quotes where that needs no thought."""
    return repr(text) if '"' in text or "\\" in text or not text.isprintable() else f'"{text}"'


def _chosen(files: Sequence[Path]) -> tuple[tuple[Chosen, ...], tuple[str, ...]]:
    """Files with their names in the repository, and what was left out."""
    if not files:
        raise UsageError("there is no file to upload", "name a file or a folder")
    chosen: list[Chosen] = []
    notes: list[str] = []
    for path in files:
        shown = printable(str(path))
        if path.is_symlink():
            real = printable(str(path.resolve()))
            raise UsageError(f"{shown!r} is a symbolic link", f"name the file that it leads to: {real}")
        if path.is_dir():
            selection = select_files(path)
            chosen += selection.files
            notes += [f"left out of {shown}: {one.reason} (files: {one.files})" for one in selection.left_out]
        elif path.is_file():
            chosen.append(Chosen(path.name, path))
        else:
            raise UsageError(f"there is no file {shown!r}", "name a file or a folder that is there")
    (name, count), *_ = Counter(one.name for one in chosen).most_common(1)
    if count > 1:
        raise UsageError(f"{count} files would all be {printable(name)!r} in the repository", "rename one of them")
    refuse_bad_names([one.name for one in chosen])
    return tuple(chosen), tuple(notes)


def _refuse_name(repository: str) -> None:
    """Refuse what can be no repository's name, before the Hub is asked."""
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # its `utils` list no exports

    try:
        validate_repo_id(repository)
    except ValueError as error:
        raise UsageError(_words(error), "the name is OWNER/NAME, for example team/encoder-weights") from None
    if "/" not in repository:
        hint = f"put your name or your organisation's in front: OWNER/{repository}"
        raise UsageError(f"the repository {repository!r} has no owner", hint)


def _refuse_offline() -> None:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        hint = "unset HF_HUB_OFFLINE TRANSFORMERS_OFFLINE"
        raise UsageError("HF_HUB_OFFLINE is set, so nothing can be uploaded", hint)


def _own_token() -> str:
    from huggingface_hub import get_token

    try:
        token = get_token()
    except Exception as error:  # noqa: BLE001 - a token may come from a service that fails in its own way
        raise UsageError(f"no token for the Hub: {_words(error)}", LOG_IN) from None
    if not token:
        raise UsageError("no token for the Hub", LOG_IN)
    return token


def _described(chosen: Chosen) -> _Source:
    stamp = _stamp(chosen.path)
    return _Source(describe_file(chosen.path, chosen.name), chosen.path, stamp)


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes with a file; zeros if it is gone."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_size, found.st_mtime_ns, found.st_ino


def _refuse_changed(sources: Sequence[_Source]) -> None:
    """Refuse a file that is not what it was before the upload."""
    for source in sources:
        if _stamp(source.path) != source.stamp:
            message = f"{printable(source.file.name)!r} changed while it was uploaded"
            raise UsageError(message, "wait until nothing writes to it, and upload it again")


def _open_repository(api: HfApi, repository: str, *, private: bool) -> tuple[bool, bool]:
    """Make the repository if it is not there; whether it is private, and whether it is gated."""
    try:
        info = _patiently(lambda: api.repo_info(repository))
    except Exception as error:
        if _status(error) not in (401, 404):
            raise
        _patiently(lambda: api.create_repo(repository, private=private, exist_ok=True))
        info = _patiently(lambda: api.repo_info(repository))
    if private and not info.private:
        hint = f"make it private at {api.endpoint}/{repository}/settings, or name another"
        raise UsageError(f"the repository {repository!r} is there already, and everybody can read it", hint)
    return bool(info.private), bool(getattr(info, "gated", False))


def _closed_doors(repository: str, *, private: bool, gated: bool) -> Iterator[str]:
    if private:
        yield f"{repository} is private: the organisers cannot read it until you make it public"
    if gated:
        yield f"{repository} is gated: the organisers cannot read it until access is open to all"


def _commit(api: HfApi, repository: str, sources: Sequence[_Source], message: str) -> str:
    """One commit of all files; the client changes the operations, so each try makes new ones."""
    from huggingface_hub import CommitOperationAdd

    adding = [CommitOperationAdd(source.file.name, str(source.path)) for source in sources]
    commit = api.create_commit(repository, adding, commit_message=message).oid
    if not COMMIT.fullmatch(commit):
        raise MachineError("the Hub's answer names no commit", "look at the repository, and upload again")
    return commit


def _compare(api: HfApi, repository: str, commit: str, sources: Sequence[_Source]) -> None:
    """Refuse a commit that does not hold the files as they lie here."""
    for start in range(0, len(sources), MOST_ASKED):
        part = sources[start : start + MOST_ASKED]
        names = [source.file.name for source in part]
        found = _patiently(partial(api.get_paths_info, repository, names, revision=commit))
        held = {one.path: one for one in found}
        for source in part:
            shown = printable(source.file.name)
            one = held.get(source.file.name)
            if one is None:
                hint = "a line of .gitignore, here or in the repository, may keep it out: remove the line"
                raise UsageError(f"the Hub left {shown!r} out of the commit {commit}", hint)
            if not _is_same(one, source):
                hint = "do not use that commit; upload the file again"
                raise MachineError(f"the Hub holds other bytes of {shown!r} in the commit {commit}", hint)


def _is_same(held: RepoFile | RepoFolder, source: _Source) -> bool:
    """Whether the Hub's hash is that of the file: SHA-256 of a large one, git's of any other."""
    from huggingface_hub.hf_api import RepoFile

    if not isinstance(held, RepoFile) or held.size != source.file.size_bytes:
        return False
    if held.lfs:
        return held.lfs.sha256 == source.file.sha256
    content = source.path.read_bytes()
    header = b"blob %d\0" % len(content)
    return held.blob_id == hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _patiently(step: Callable[[], T]) -> T:
    """Do a step, and again if the Hub or the way there fails."""
    for wait_s in WAITS_S:
        try:
            return step()
        except Exception as error:
            status = _status(error)
            if 0 < status < 500 or not (status or _is_network(error)):
                raise
        time.sleep(wait_s)
    return step()


def _explained(error: Exception, repository: str, endpoint: str) -> CheckerError:
    """What an error of the client means, and what to do."""
    status = _status(error)
    if not status:
        if _is_network(error):
            hint = "check the connection, the proxy and HF_ENDPOINT"
            return MachineError(f"the Hub at {printable(endpoint)} does not answer: {_words(error)}", hint)
        return MachineError(f"the upload failed: {_words(error)}", "upload again")
    words = {"repository": repository, "endpoint": endpoint, "words": _words(error)}
    if status == 429 or status >= 500:
        return MachineError(f"the Hub answers with status {status}: {_words(error)}", "try again in some minutes")
    message, hint = REFUSALS.get(status, REFUSALS[400])
    return UsageError(message.format_map(words), hint.format_map(words))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what caused it."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__


def _status(error: BaseException) -> int:
    """The status that the Hub answered with, or 0."""
    statuses = (getattr(getattr(one, "response", None), "status_code", 0) for one in _chain(error))
    return next((status for status in statuses if status), 0)


def _is_network(error: BaseException) -> bool:
    """Whether it comes from the HTTP library or the sockets below it."""
    return any(
        isinstance(one, (ConnectionError, TimeoutError)) or _library(one) in HTTP_LIBRARIES for one in _chain(error)
    )


def _library(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def _words(error: BaseException) -> str:
    """What an error says, in one line, and what its first cause says; where the Hub said something, that is it."""
    said: list[str] = []
    for one in _chain(error):
        said.append(getattr(one, "server_message", None) or str(one))
        if hasattr(one, "server_message"):
            break
    words = ": ".join(dict.fromkeys((said[0], said[-1])))
    return printable(" ".join(words.split())) or type(error).__name__


@contextmanager
def _bars_on_terminals_only() -> Iterator[None]:
    """Keep the client's progress bars out of logs; the user's HF_HUB_DISABLE_PROGRESS_BARS has the last word."""
    from huggingface_hub import constants
    from huggingface_hub.utils import (  # type: ignore[attr-defined]  # its `utils` list no exports
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    known = constants.HF_HUB_DISABLE_PROGRESS_BARS is not None or are_progress_bars_disabled()
    silent = not known and not sys.stderr.isatty()
    if silent:
        disable_progress_bars()
    try:
        yield
    finally:
        if silent:
            enable_progress_bars()
