"""What the user asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audio_encoder_checker.rules import DEFAULT_PROFILE
from audio_encoder_checker.stages.order import STAGES
from audio_encoder_checker.stages.plan import Wishes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from audio_encoder_checker.evidence.receipt import ReceiptFacts


@dataclass(frozen=True)
class Installing:
    """Whether and how an environment is made.

    Attributes:
        asked: it is; else the encoder runs in the checker's own.
        constraint: list of versions to hold, None for none.
        allow_source: packages without a wheel may be built, with the user's rights.
    """

    asked: bool = False
    constraint: Path | None = None
    allow_source: bool = False


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Attributes:
        encoder: `FILE[:CLASS]`, empty to search.
        stages: which to judge; those before the last of them are run in any case.
        profile: rule book, by name or TOML file.
        machine: budget, by name or TOML file; empty for the profile's.
        paper: the team's PDF, None to look for it.
        receipt: what the receipt of an earlier check says and was found to be, None where it is not asked for.
        box: `auto`, `strong`, `medium` or `weak`.
        trust: the user trusts the code, so that a weak box will do.
        device: `auto`, `cpu` or `cuda[:N]`.
        timeout_s: seconds for loading and for each call, None for the profile's.
        seed: of test audio, training and intervals.
        select: ids, prefixes or names of the checks to ask; empty for all.
        ignore: ids, prefixes or names of checks not to ask, with the reason.
        installing: whether the encoder gets an environment of its own, and how.
        network: the encoder may download, where that can be observed.
        hub_cache: folder in which the checker keeps files of the Hugging Face Hub for all submissions.
        evaluation: which tasks, on which data.
        isolated: leave the submission's own settings aside.
        strict: warnings count as errors.
    """

    encoder: str = ""
    stages: tuple[str, ...] = STAGES
    profile: str = DEFAULT_PROFILE
    machine: str = ""
    paper: Path | None = None
    receipt: ReceiptFacts | None = None
    box: str = "auto"
    trust: bool = False
    device: str = "auto"
    timeout_s: float | None = None
    seed: int = 42
    select: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    installing: Installing = field(default_factory=Installing)
    network: bool = True
    hub_cache: Path | None = None
    evaluation: Wishes = field(default_factory=Wishes)
    isolated: bool = False
    strict: bool = False
