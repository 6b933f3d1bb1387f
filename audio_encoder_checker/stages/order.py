"""The stages in order, and what each makes."""

from __future__ import annotations

from audio_encoder_checker.evidence.archive import ArchiveListing, UnpackFacts
from audio_encoder_checker.evidence.landmarks import Landmarks
from audio_encoder_checker.evidence.load import EncoderFacts, LoadFacts
from audio_encoder_checker.evidence.run import Conduct, Isolation, Usage
from audio_encoder_checker.evidence.source import SourceFacts
from audio_encoder_checker.evidence.traps import TrapFacts
from audio_encoder_checker.stages import budget, contract, evaluate, second

EVIDENCE: dict[str, tuple[type, ...]] = {
    "archive": (ArchiveListing, UnpackFacts),
    "source": (SourceFacts, Landmarks, TrapFacts),
    "load": (LoadFacts, EncoderFacts, Isolation, Conduct, Usage),
    "contract": (*contract.KINDS, *second.KINDS),
    "budget": budget.KINDS,
    "evaluate": evaluate.KINDS,
}
"""The stages in order, and the kinds of evidence that each makes."""
STAGES = tuple(EVIDENCE)
RUNNING = tuple(kind for stage in STAGES[2:] for kind in EVIDENCE[stage])
"""Evidence that needs the encoder to run."""
AFTER_LOADING = (*EVIDENCE["contract"], *EVIDENCE["budget"], *EVIDENCE["evaluate"])
