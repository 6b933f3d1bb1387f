"""What the sources say of an encoder's attributes, told from their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.declared import declared_attributes
from audio_encoder_checker.archive.source import read_sources

if TYPE_CHECKING:
    from pathlib import Path

CLASS = """
class TeamEncoder(Module):
    width = 64 * 2

    def __init__(self):
        self.sampling_rate = {rate}
        self.output_dim = self.width
        self.hop_size_in_ms = HOP / RATE * 1000

    def forward(self, audio):
        self.sampling_rate = 1
"""


def declared(root: Path, text: str) -> dict[str, int | float | None]:
    (root / "encoder.py").write_text(text)
    return declared_attributes(read_sources(root))


def test_numbers_and_arithmetic_with_names_are_told(tmp_path: Path) -> None:
    found = declared(tmp_path, "RATE: int = 16_000\nHOP = RATE // 100\n" + CLASS.format(rate="RATE"))
    assert found == {"sampling_rate": 16_000, "output_dim": 128, "hop_size_in_ms": 10.0}


@pytest.mark.parametrize(
    "rate",
    ["load()", "RATE", "'16000'", "True", "1 / 0", "1e400", "-1 ** 2", "a + b", "self.sampling_rate", "x.y"],
)
def test_what_is_no_plain_number_is_not_told(tmp_path: Path, rate: str) -> None:
    found = declared(tmp_path, "RATE = 1\nRATE = 2\nHOP = 3\na = b\nb = a\n" + CLASS.format(rate=rate))
    assert found["sampling_rate"] is None
    assert found["output_dim"] == 128


def test_what_is_set_twice_or_elsewhere_is_not_told(tmp_path: Path) -> None:
    text = "class TeamEncoder:\n    def __init__(self, big):\n        self.output_dim = 1\n        if big:\n"
    found = declared(tmp_path, text + "            self.output_dim = 2\n        self.sampling_rate += 1\n")
    assert set(found.values()) == {None}


def test_an_encoder_that_cannot_be_told_declares_nothing(tmp_path: Path) -> None:
    for text in ("", "def broken(:\n", "from elsewhere import TeamEncoder\n"):
        assert set(declared(tmp_path, text).values()) == {None}


def test_sums_without_end_do_not_end_the_process(tmp_path: Path) -> None:
    names = "\n".join(f"n{number} = n{number + 1} + n{number + 1}" for number in range(60))
    found = declared(tmp_path, f"{names}\nHOP = 1\nRATE = 1\n" + CLASS.format(rate="n0"))
    assert found["sampling_rate"] is None
