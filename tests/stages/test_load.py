"""What the child says of the encoder, as facts."""

from __future__ import annotations

from audio_encoder_checker.stages.load import read_encoder


def test_the_encoders_file_steers_no_terminal() -> None:
    assert read_encoder({}, "a\x1b[2J.py", 0.0).file == r"a\x1b[2J.py"
