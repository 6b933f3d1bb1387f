"""Which files stay out of a ZIP: patterns with the semantics of `.gitignore`, and for each the reason to show.

Layers apply in order, the last pattern that matches decides: first what never belongs into a submission, then
the ignore file of every folder from the top down. In a folder that holds `.aeccignore`, and below it, that file
takes the place of `.gitignore`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from pathspec import GitIgnoreSpec

OWN = ".aeccignore"
GROUP_NAME = re.compile(r"\(\?P<\w+>")
GIT = ".gitignore"

TRAINING = "what training leaves behind"
JUNK = {
    "version control": (".git", ".hg", ".svn"),
    "virtual environment": (".venv", "venv", ".conda"),
    "caches and compiled Python": (
        "__pycache__", "*.pyc", "*.pyo", "*.egg-info", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis",
        ".tox", ".nox", ".ipynb_checkpoints", ".coverage",
    ),
    "editor files": (".idea", ".vscode", "*.swp", "*~"),
    "files of the operating system": (".DS_Store", "._*", "__MACOSX", "Thumbs.db", "desktop.ini"),
    "keys and secrets": (
        ".env", ".env.*", "!.env.example", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "id_rsa*", "id_dsa*",
        "id_ecdsa*", "id_ed25519*", ".netrc", ".pypirc", ".ssh", ".aws",
    ),
    TRAINING: (
        "wandb", "mlruns", "lightning_logs", "tensorboard", "events.out.tfevents.*", "optimizer.pt", "optimizer.bin",
        "scheduler.pt", "scheduler.bin", "scaler.pt", "rng_state*.pth", "random_states_*.pkl", "*_optim_states.pt",
        "trainer_state.json", "training_args.bin",
    ),
    "data sets": (
        "*.parquet", "*.arrow", "*.tfrecord", "*.lmdb", "*.tar", "*.tar.gz", "*.tgz", "audio_encoder_data",
    ),
    "receipts and reports of aecc-package": ("*.receipt.json", "*.report.json"),
    "unfinished ZIPs of aecc-package": (".*.aecc-part",),
}  # fmt: skip
"""What never belongs into a submission, by the reason shown; `!name` in an ignore file brings one back."""


@dataclass(frozen=True)
class Rule:
    """One pattern, which is compared with one file or folder at a time.

    pathspec lets a pattern match all that lies below a folder it matches; git does not, it never looks into an
    ignored folder. So a path is shown to pathspec only where the pattern can mean the path itself.

    Attributes:
        spec: the pattern, without the `/` at its end.
        end: the part of it that has to match the end of a path: all of it, or what stands behind the last `**`.
        depth: number of parts of that, 0 if anything may stand at the end.
        anchored: whether the path has to be just as deep.
        folders_only: whether there was a `/` at the pattern's end.
        reason: what to tell the user.
    """

    spec: GitIgnoreSpec
    end: GitIgnoreSpec
    depth: int
    anchored: bool
    folders_only: bool
    reason: str

    def decide(self, name: str) -> bool | None:
        """Whether a path (a folder ends with `/`) is ignored or kept by this pattern; None if it does not match."""
        parts = name.rstrip("/").split("/")
        if (self.folders_only and not name.endswith("/")) or (self.anchored and len(parts) != self.depth):
            return None
        if self.depth and self.end.check_file("/".join(parts[-self.depth :])).include is None:
            return None
        return self.spec.check_file("/".join(parts)).include


@dataclass(frozen=True)
class Layer:
    """Patterns that count in one folder and below.

    Attributes:
        folder: relative to the top, with `/` at its end; empty for the top.
        rules: the later ones overrule the earlier ones.
        git: whether they come from a `.gitignore`.
    """

    folder: str
    rules: tuple[Rule, ...]
    git: bool = False

    @cached_property
    def _any(self) -> re.Pattern[str]:
        """What matches wherever a pattern does: most paths meet none, and are told at once."""
        patterns = [pattern.regex.pattern for rule in self.rules for pattern in rule.spec.patterns if pattern.regex]
        return re.compile("|".join(f"(?:{GROUP_NAME.sub('(?:', one)})" for one in patterns) or r"(?!)")

    def decide(self, name: str) -> tuple[bool | None, str]:
        """Whether a path (a folder ends with `/`) is ignored, None if no pattern matches, and why."""
        inside = name[len(self.folder) :]
        if not self._any.match(inside.rstrip("/")):
            return None, ""
        decisions = ((rule.decide(inside), rule.reason) for rule in reversed(self.rules))
        return next(((ignored, reason) for ignored, reason in decisions if ignored is not None), (None, ""))


def junk_layer() -> Layer:
    """The layer of what never belongs into a submission."""
    return Layer("", tuple(_rule(text, reason) for reason, patterns in JUNK.items() for text in patterns))


@dataclass(frozen=True)
class Ignore:
    """The layers that count in one folder, and whether `.aeccignore` has replaced `.gitignore`."""

    layers: tuple[Layer, ...]
    own: bool = False

    def inside(self, folder: Path, name: str) -> Ignore:
        """What counts in a folder.

        Args:
            folder: where it lies.
            name: its path relative to the top with `/` at its end; empty for the top.

        Raises:
            UsageError: its ignore file cannot be read.
        """
        own = self.own or (folder / OWN).is_file()
        file = folder / (OWN if own else GIT)
        layers = self.layers
        if own and not self.own:
            layers = tuple(layer for layer in layers if not layer.git)
        if file.is_file():
            layers = (*layers, _read_layer(file, name))
        return Ignore(layers, own)

    def decide(self, name: str) -> tuple[bool | None, str]:
        """Whether a path (a folder ends with `/`) is ignored, None if no pattern matches, and why."""
        decided: tuple[bool | None, str] = (None, "")
        for layer in self.layers:
            ignored, reason = layer.decide(name)
            if ignored is not None:
                decided = (ignored, reason)
        return decided


def _read_layer(file: Path, folder: str) -> Layer:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        hint = "save it as UTF-8 text, one pattern a line"
        raise UsageError(f"cannot read {printable(folder + file.name)}: {error}", hint) from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    rules = [_rule(line, f"{folder}{file.name}:{number} {line.rstrip()}") for number, line in lines]
    return Layer(folder, tuple(rules), git=file.name == GIT)


def _rule(text: str, reason: str) -> Rule:
    from pathspec import GitIgnoreSpec

    pattern = text.strip().removesuffix("/")
    parts = pattern.removeprefix("!").removeprefix("/").split("/")
    end = parts[len(parts) - parts[::-1].index("**") :] if "**" in parts else parts
    try:
        return Rule(
            spec=GitIgnoreSpec.from_lines([pattern]),
            end=GitIgnoreSpec.from_lines(["/" + "/".join(end)]),
            depth=len(end),
            anchored=end == parts and "/" in pattern,
            folders_only=text.strip().endswith("/"),
            reason=reason,
        )
    except ValueError:
        raise UsageError(f"{printable(reason)}: this is no pattern", "mend or remove that line") from None
