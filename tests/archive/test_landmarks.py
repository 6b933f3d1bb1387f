"""Lines of the encoder's class that findings point at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import landmarks
from audio_encoder_checker.archive.landmarks import find_landmarks
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.evidence.landmarks import LandmarkKind, Landmarks
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = """\
import torch

class AcmeEncoder(torch.nn.Module):
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        self.sampling_rate, self.output_dim = 16000, 4
        self.weight = load().squeeze()

    def forward(self, audio):
        def inner():
            return 0
        if audio.ndim == 1:
            return self.one(audio)
        audio -= audio.mean()
        audio = torch.nn.functional.dropout(audio, 0.1)
        return self.layers(audio + torch.rand_like(audio)).squeeze()

    def one(self, audio):
        return audio.squeeze(1) + torch.squeeze(audio) + torch.squeeze(audio, 1)
"""


def found(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = None) -> Landmarks:
    return find_landmarks(read_sources(write_tree(tmp_path / "repo", files), encoder))


def lines(facts: Landmarks, kind: LandmarkKind) -> list[int]:
    return [one.line for one in facts.of(kind)]


def test_every_kind_is_found_and_the_most_telling_line_comes_first(tmp_path: Path) -> None:
    facts = found(tmp_path, {"encoder.py": ENCODER})
    assert {kind: lines(facts, kind) for kind in LandmarkKind} == {
        LandmarkKind.CONSTRUCTOR: [6],
        LandmarkKind.FORWARD: [11],
        LandmarkKind.RETURN: [18, 15],
        LandmarkKind.SQUEEZE: [18, 21],
        LandmarkKind.IN_PLACE: [16],
        LandmarkKind.DROPOUT: [17],
        LandmarkKind.CHANCE: [18],
        LandmarkKind.SAMPLING_RATE: [8],
        LandmarkKind.OUTPUT_DIM: [8],
        LandmarkKind.HOP_SIZE: [4],
    }
    first = facts.first(LandmarkKind.SQUEEZE)
    assert first is not None
    assert (first.at, first.text) == ("encoder.py:18", "return self.layers(audio + torch.rand_like(audio)).squeeze()")


def test_a_place_is_the_first_kind_that_there_is_any_of(tmp_path: Path) -> None:
    facts = found(tmp_path, {"a.py": "class AEncoder:\n def forward(self, x): pass\n"})
    assert facts.at(LandmarkKind.RETURN, LandmarkKind.FORWARD) == "a.py:2"
    assert facts.at(LandmarkKind.RETURN) == ""
    assert facts.first(LandmarkKind("output_dim")) is None


@pytest.mark.parametrize(
    "body",
    [
        "audio += 1",
        "audio.mul_(2)",
        "audio[:, 0] = 0",
        "audio[audio > 1] *= 2",
        "audio.data[0].clamp_(-1, 1)",
        "torch.relu_(audio)",
        "torch.abs(audio, out=audio)",
        "functional.relu(audio, inplace=True)",
        "if audio.ndim == 2:\n   audio /= 2",
    ],
)
def test_what_changes_the_audio_is_found(tmp_path: Path, body: str) -> None:
    source = f"class AEncoder:\n def forward(self, audio):\n  {body}\n  return audio\n"
    facts = found(tmp_path, {"a.py": source})
    assert len(facts.of(LandmarkKind.IN_PLACE)) == 1


@pytest.mark.parametrize(
    "body",
    [
        "audio = audio.clone()\n  audio += 1",
        "audio = audio * 2\n  audio.mul_(2)",
        "audio.requires_grad_(False)",
        "audio = audio + 1",
        "self.audio[0] = 1; other += 1; other.mul_(audio)",
        "audio.__len__()",
        "functional.relu(audio, inplace=False)",
        "x = audio.mean(); x -= 1",
    ],
)
def test_what_leaves_the_audio_alone_is_not(tmp_path: Path, body: str) -> None:
    source = f"class AEncoder:\n def forward(self, audio):\n  {body}\n  return audio\n"
    assert found(tmp_path, {"a.py": source}).of(LandmarkKind.IN_PLACE) == ()


def test_of_several_settings_that_which_stands_in_the_end_comes_first(tmp_path: Path) -> None:
    source = (
        "class Base:\n def __init__(self):\n  self.output_dim = 1\n"
        "class AEncoder(Base):\n output_dim = 2\n def __init__(self):\n"
        "  self.output_dim = 3\n  self.output_dim: int = 4\n"
        "  config.output_dim = 9\n def late(me):\n  me.output_dim = 5\n"
        "class BEncoder(AEncoder):\n @property\n def output_dim(self): return 6\n"
    )
    files: dict[str, bytes | str] = {"a.py": source}
    assert lines(found(tmp_path, files, "a.py:AEncoder"), LandmarkKind.OUTPUT_DIM) == [8, 7, 3, 11, 5]
    assert lines(found(tmp_path, files, "a.py:BEncoder"), LandmarkKind.OUTPUT_DIM)[0] == 14


def test_class_and_bases_are_followed_into_other_modules(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "run.py": "from net.model import AEncoder\n",
        "net/model.py": "from .base import Base as B\nclass AEncoder(B):\n def __init__(self): self.output_dim = 4\n",
        "net/base.py": "import torch\nclass Base(torch.nn.Module):\n def forward(self, x):\n  return x\n",
    }
    facts = found(tmp_path, files, "run.py")
    assert facts.at(LandmarkKind.OUTPUT_DIM) == "net/model.py:3"
    assert facts.at(LandmarkKind.RETURN) == "net/base.py:4"


@pytest.mark.parametrize(
    "files",
    [{}, {"a.py": "class AEncoder(:"}, {"a.py": "from far import *"}, {"a.py": "AEncoder = 3"}, {"a.py": b"\0"}],
)
def test_nothing_is_found_where_there_is_no_class(tmp_path: Path, files: dict[str, bytes | str]) -> None:
    (tmp_path / "repo").mkdir()
    assert found(tmp_path, files) == Landmarks()


@pytest.mark.parametrize(
    "source",
    [
        "class A(B): pass\nclass B(A): pass\nclass AEncoder(A): pass\n",
        f"class AEncoder({'A, ' * 100_000}): pass\n",
        "class AEncoder:\n def forward(*audio): audio[0] = 1\n",
        "class AEncoder:\n def forward(): return 1\n",
        "class AEncoder:\n def __init__(): self.output_dim = 1\n",
    ],
)
def test_odd_classes_come_to_an_end(tmp_path: Path, source: str) -> None:
    assert found(tmp_path, {"a.py": source}).of(LandmarkKind.OUTPUT_DIM) == ()


def test_so_many_of_a_kind_are_enough(tmp_path: Path) -> None:
    body = "  audio.squeeze()\n" * 20_000
    facts = found(tmp_path, {"a.py": f"class AEncoder:\n def forward(self, audio):\n{body}"})
    assert len(facts.of(LandmarkKind.SQUEEZE)) == landmarks.MOST


def test_text_and_place_are_shown_without_control_characters(tmp_path: Path) -> None:
    name = "enc\u202e.py"
    facts = found(tmp_path, {name: "class AEncoder:\n def forward(self, x):\n  return x  # \u202e\x1b[2J\n"})
    (one,) = facts.of(LandmarkKind.RETURN)
    assert one.text.isprintable()
    assert one.at == "enc\\u202e.py:3"


def test_lines_are_counted_as_python_counts_them(tmp_path: Path) -> None:
    facts = found(tmp_path, {"a.py": "# \f \u2028\r\nclass AEncoder:\r\n def forward(self, x):\r  return x\n"})
    (one,) = facts.of(LandmarkKind.RETURN)
    assert (one.line, one.text) == (4, "return x")


CHANCE = """\
import random, torch
import numpy as np
import torch.nn.functional as F
from torch.nn import functional

class Block(torch.nn.Module):
    def forward(self, x):
        return {block}

class AcmeEncoder(torch.nn.Module):
    def _init_weights(self):
        self.weight.data.normal_(0, 0.02)

    def forward(self, x):
        return {forward}
"""


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("F.dropout(x, 0.1)", LandmarkKind.DROPOUT),
        ("functional.alpha_dropout(x, p=0.1, inplace=True)", LandmarkKind.DROPOUT),
        ("F.dropout(x, 0.1, self.training)", None),
        ("F.dropout(x, training=False)", None),
        ("F.dropout(x, **how)", None),
        ("torch.randint(9, ())", LandmarkKind.CHANCE),
        ("x.clone().normal_(0, 1)", LandmarkKind.CHANCE),
        ("random.choice(x)", LandmarkKind.CHANCE),
        ("np.random.uniform()", LandmarkKind.CHANCE),
        ("torch.randn(9, generator=self.fixed)", None),
        ("np.random.default_rng(0)", None),
        ("self.random.choice(x)", None),
        ("rand(x)", None),
    ],
)
def test_calls_that_chance_decides_are_told_from_those_it_does_not(
    tmp_path: Path, call: str, kind: LandmarkKind | None
) -> None:
    facts = found(tmp_path, {"encoder.py": CHANCE.format(block=call, forward=call)}, "encoder.py:AcmeEncoder")
    for one in (LandmarkKind.DROPOUT, LandmarkKind.CHANCE):
        assert lines(facts, one) == ([15, 8] if one is kind else []), "forward's first"
