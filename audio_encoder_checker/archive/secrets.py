"""Which credentials a submission holds, in its text files and by the names of files.

Files are read, nothing is run, and what is found leaves this module masked. No link is followed.
"""

from __future__ import annotations

import os
import re
import stat
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.secret_formats import MOST, Hit, find_hits
from audio_encoder_checker.archive.secret_names import find_named
from audio_encoder_checker.archive.walking import files_below, is_environment
from audio_encoder_checker.evidence.secrets import Secret, SecretFacts, SecretFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPEN_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"))
"""As far as the system has them; a pipe is opened without waiting for who writes into it."""
MAX_BYTES = 1 << 20
MAX_TOTAL = 1 << 24
MAX_FILES = 5_000
SNIFFED = 1 << 13
"""Bytes in which a file that is no text has a NUL."""
LEFT_ASIDE = {
    ".git",
    ".hg",
    ".svn",
    "venv",
    ".venv",
    ".conda",
    "node_modules",
    "__pycache__",
    "site-packages",
    "__MACOSX",
}
BINARY = {
    "pt", "pth", "ckpt", "bin", "safetensors", "onnx", "npy", "npz", "h5", "pkl", "zip", "gz", "tar", "xz", "bz2",
    "whl", "wav", "flac", "mp3", "ogg", "opus", "m4a", "png", "jpg", "jpeg", "gif", "webp", "pdf", "so", "pyc", "pyd",
    "dll", "exe", "a", "o", "parquet", "arrow", "ttf", "woff", "woff2",
}  # fmt: skip
CODE = {
    "py", "pyi", "ipynb", "md", "rst", "txt", "js", "ts", "c", "h", "cc", "cpp", "cu", "go", "rs", "java", "json",
    "html",
}  # fmt: skip
"""Where a value stands in quotes."""
SPARED = re.compile(r"(?:^|[._-])(?:example|sample|template|dist|tpl|defaults?|pub)(?:$|[._-])", re.IGNORECASE)
FILES = (
    ("a file of environment variables", (".env", ".env.*", "*.env", ".envrc")),
    ("a private key of SSH", ("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*")),
    ("passwords for hosts", (".netrc", "_netrc", ".git-credentials", ".pgpass", ".htpasswd")),
    ("credentials of a package index", (".pypirc", ".npmrc")),
    ("a Kaggle key", ("kaggle.json",)),
    ("a configuration of Comet", (".comet.config",)),
    ("a store of keys", ("*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx")),
    ("credentials of AWS", (".aws/credentials",)),
    (
        "credentials of Google Cloud",
        ("application_default_credentials.json", "gcloud/credentials.db", "client_secret*.json"),
    ),
    ("credentials of Azure", (".azure/accesstokens.json", ".azure/msal_token_cache.*")),
    ("credentials of Docker", (".docker/config.json", ".dockercfg")),
    ("a Hugging Face token", (".huggingface/token", "huggingface/token", "huggingface/stored_tokens")),
)
KEYS = ("pem", "key", "ppk")
"""Files that are secrets only if a private key is in them."""
PASSWORD = re.compile(
    r"""\bpassword\s{1,4}\S{4}|password\s?[=:]\s?[^\s$<{]{4}|_auth(?:token)?\s?=\s?[^\s$]{8}|"auth"\s?:\s?"[\w+/=]{8}"""
    r"""|"(?:key|client_secret|refresh_token)"\s?:\s?"[^"]{8}|://[^\s:@/]{1,64}:[^\s@/${<]{4,100}@""",
    re.IGNORECASE,
)
"""What the forms of such files hold, however little random it looks."""


class _File(NamedTuple):
    """A file by its path in the repository, its name in small letters, and its path on disk."""

    path: str
    name: str
    on_disk: str


def find_secrets(root: Path) -> SecretFacts:
    """The credentials in a repository.

    Args:
        root: its folder, or a file that is looked at alone.
    """
    secrets: list[Secret] = []
    files: list[SecretFile] = []
    unread = total = 0
    for number, file in enumerate(_files(root)):
        enough = number >= MAX_FILES or total >= MAX_TOTAL or len(secrets) >= MOST
        text = "" if _ending(file.name) in BINARY else None if enough else _read(file)
        total += len(text or "")
        unread += text is None
        found = list(islice(_secrets(file, text or ""), MOST - len(secrets)))
        secrets.extend(found)
        kind = _kind_of(file, found)
        if kind and len(files) < MOST:
            files.append(SecretFile(file.path, kind, bool(found) or bool(PASSWORD.search(text or ""))))
    return SecretFacts(tuple(secrets), tuple(files), unread)


def hide_secrets(text: str) -> str:
    """A text with an ellipsis in place of every credential; it keeps its lines."""
    parts, end = [], 0
    for hit in _hits(text, None, bare=False):
        inside = text[hit.start : hit.end]
        parts += [text[end : hit.start], hit.public, "…" + "\n" * inside.count("\n")]
        end = hit.end
    return "".join([*parts, text[end:]])


def _files(root: Path) -> Iterator[_File]:
    """Every regular file that may hold text, those at the top first."""
    if root.is_file():
        yield _File(root.name, root.name.lower(), str(root))
    for path, entry in files_below(root, lambda one: one.name in LEFT_ASIDE or is_environment(one)):
        if entry.is_file(follow_symlinks=False):
            yield _File(path, entry.name.lower(), entry.path)


def _read(file: _File) -> str | None:
    """A file as text, one character a byte; nothing of what is none, None if it cannot be read or is too large."""
    try:
        descriptor = os.open(file.on_disk, OPEN_FLAGS)
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            data = opened.read(SNIFFED)
            if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what PowerShell writes
                data = (data + opened.read(MAX_BYTES)).decode("utf-16", "replace").encode()
            if b"\0" in data:
                return ""
            if status.st_size > MAX_BYTES:
                return None
            data += opened.read(MAX_BYTES + 1 - len(data)) if len(data) >= SNIFFED else b""
    except OSError:
        return None
    return data.decode("latin-1") if len(data) <= MAX_BYTES else None


def _ending(name: str) -> str:
    return name.rpartition(".")[2] if "." in name else ""


def _hits(text: str, most: int | None, *, bare: bool) -> Iterator[Hit]:
    """Credentials in order; of those that overlap the first, and of those at one place the best known."""
    end = 0
    for hit in sorted([*find_hits(text, most), *find_named(text, most, bare=bare)], key=lambda one: one.start):
        if hit.start >= end:
            yield hit
            end = hit.end


def _secrets(file: _File, text: str) -> Iterator[Secret]:
    line, end = 1, 0
    for hit in _hits(text, MOST, bare=_ending(file.name) not in CODE):
        line += text.count("\n", end, hit.start)
        end = hit.start
        masked = f"{hit.end - hit.start} characters"
        yield Secret(file.path, line, hit.kind, f"`{hit.public}…` ({masked})" if hit.public else masked, hit.sure)


def _kind_of(file: _File, found: list[Secret]) -> str:
    """What a file is for that keeps credentials, by its name; nothing of any other."""
    path = f"/{file.path.lower()}"
    if SPARED.search(file.name):
        return ""
    if _ending(file.name) in KEYS:
        return "a file of keys" if any("private key" in one.kind for one in found) else ""
    return next((kind for kind, names in FILES if any(fnmatchcase(path, f"*/{name}") for name in names)), "")
