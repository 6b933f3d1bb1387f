"""What the official checker lets through: wrong encoders that its one call on noise of shape (2, 50000) accepts.

Our notebook function returns what the official one returns, so it says True to each; `test_specimens.py` holds
`aecc-check` to finding the very same folders wrong.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from audio_encoder_checker import check_audio_encoder

SPECIMENS = Path(__file__).parent / "specimens"
ACCEPTED = {
    "zero frames": "AEC503-zero-frames",
    "NaN": "AEC513-all-nan",
    "infinite values": "AEC513-infinite",
    "int64": "AEC512-int64",
    "float16": "AEC512-float16",
    "bfloat16": "AEC511-bfloat16",
    "complex numbers": "AEC512-complex",
    "a constant": "AEC521-constant",
    "random numbers, whatever the audio": "AEC520-ignores-the-audio",
    "dropout left on": "AEC520-dropout",
    "an output with gradient": "AEC527-keeps-gradient",
    "an input changed in place": "AEC526-normalises-in-place",
    "an output mixed over the batch": "AEC522-batch-mates",
    "axes swapped where they are equally long": "AEC510-transposed-by-luck",
    "a crash at a batch of one": "AEC505-batch-of-one",
    "made for (2, 50000) only": "AEC515-hard-coded-shape",
    "a crash on short clips": "AEC506-short-clips",
    "a crash above 10 s": "AEC506-long-clips",
    "a hop wrong by ten": "AEC523-ten-times",
    "a sampling rate that is text": "AEC502-rate-as-text",
    "a sampling rate of None": "AEC502-rate-none",
}
"""The defect in words, and the specimen that has it; its folder names the check that finds it."""


def encoder(folder: Path) -> Any:
    spec = spec_from_file_location("specimen", folder / "encoder.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SpecimenEncoder()


@pytest.mark.parametrize("specimen", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_the_official_function_accepts_what_a_check_of_ours_finds(specimen: str) -> None:
    assert check_audio_encoder(encoder(SPECIMENS / specimen)) is True
