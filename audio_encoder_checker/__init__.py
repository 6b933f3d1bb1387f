"""Submission checker and packager for the ICME 2025 Audio Encoder Capability Challenge (X-ARES)."""

from __future__ import annotations

from typing import Any

__all__ = ["check_audio_encoder"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the notebook call, and with it torch, only when somebody asks for it."""
    if name == "check_audio_encoder":
        from audio_encoder_checker.notebook import check_audio_encoder

        return check_audio_encoder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
