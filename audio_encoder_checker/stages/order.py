"""The stages in order, and what each makes."""

from __future__ import annotations

from audio_encoder_checker.evidence.archive import ArchiveListing, UnpackFacts
from audio_encoder_checker.evidence.load import EncoderFacts, LoadFacts
from audio_encoder_checker.evidence.run import Conduct, Isolation, Usage
from audio_encoder_checker.stages import budget, contract, documents, evaluate, reading, second

EVIDENCE: dict[str, tuple[type, ...]] = {
    "archive": (ArchiveListing, UnpackFacts),
    "source": reading.KINDS,
    "rules": documents.KINDS,
    "load": (LoadFacts, EncoderFacts, Isolation, Conduct, Usage),
    "contract": (*contract.KINDS, *second.KINDS),
    "budget": budget.KINDS,
    "evaluate": evaluate.KINDS,
}
"""The stages in order, and the kinds of evidence that each makes."""
STAGES = tuple(EVIDENCE)
RUNNING = tuple(kind for stage in STAGES[3:] for kind in EVIDENCE[stage])
"""Evidence that needs the encoder to run."""
AFTER_LOADING = (*EVIDENCE["contract"], *EVIDENCE["budget"], *EVIDENCE["evaluate"])
