"""The stages in order, and what each makes. Nothing that runs an encoder is imported for it."""

from __future__ import annotations

from audio_encoder_checker.evidence.archive import ArchiveListing, UnpackFacts
from audio_encoder_checker.evidence.behaviour import (
    AfterMove,
    AfterNan,
    AfterTrain,
    BatchCompany,
    BatchOrder,
    InputDependence,
    InputKept,
    Loudness,
    MemoryGrowth,
    Repeatability,
    SecondStart,
    Spread,
    Tolerances,
    ZeroPadding,
)
from audio_encoder_checker.evidence.budget import GpuForecast, RamForecast, TimeForecast
from audio_encoder_checker.evidence.contract import EncodeTraces, HopFit, SurvivalMap
from audio_encoder_checker.evidence.device import DeviceFacts
from audio_encoder_checker.evidence.evaluation import EncodingFacts, References
from audio_encoder_checker.evidence.installing import InstallFacts, TargetDifferences
from audio_encoder_checker.evidence.load import EncoderFacts, LoadFacts
from audio_encoder_checker.evidence.network import DownloadedData, NetworkFacts, Restarts
from audio_encoder_checker.evidence.run import Conduct, Isolation, Usage
from audio_encoder_checker.evidence.scores import TrackScores
from audio_encoder_checker.stages import documents, reading

SECOND = (SecondStart, AfterTrain, DeviceFacts)
"""What a second process of the encoder makes."""
NETWORK = (NetworkFacts, DownloadedData)
ENVIRONMENT = (InstallFacts, TargetDifferences)
EVIDENCE: dict[str, tuple[type, ...]] = {
    "archive": (ArchiveListing, UnpackFacts),
    "source": reading.KINDS,
    "rules": documents.KINDS,
    "load": (LoadFacts, EncoderFacts, Isolation, Conduct, Usage, *NETWORK, *ENVIRONMENT),
    "contract": (
        *(EncodeTraces, Repeatability, BatchCompany, BatchOrder, InputDependence, ZeroPadding, Loudness, InputKept),
        *(AfterNan, AfterMove, Spread, Tolerances, MemoryGrowth, SurvivalMap, HopFit),
        *SECOND,
    ),
    "download": (Restarts,),
    "budget": (GpuForecast, RamForecast, TimeForecast),
    "evaluate": (EncodingFacts, TrackScores, References),
}
"""The stages in order, and the kinds of evidence that each makes."""
STAGES = tuple(EVIDENCE)
RUNNING = tuple(kind for stage in STAGES[3:] for kind in EVIDENCE[stage])
"""Evidence that needs the encoder to run."""
AFTER_LOADING = tuple(kind for stage in STAGES[4:] for kind in EVIDENCE[stage])
