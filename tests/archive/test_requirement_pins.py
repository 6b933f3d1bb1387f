"""Versions that do not fit together, or not the organisers' machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from audio_encoder_checker.archive import pins
from audio_encoder_checker.archive.pins import find_pin_flaws
from audio_encoder_checker.archive.requirement_parts import Place, understand
from audio_encoder_checker.evidence.requirements import Flaw, FlawKind, Required, Standing


def required(*lines: str, standing: Standing = Standing.LISTED) -> list[Required]:
    found = [
        understand(line, Place(Path("/repository"), "requirements.txt", number, standing)).required
        for number, line in enumerate(lines, 1)
    ]
    return [one for one in found if one]


def flaws(*lines: str, modules: tuple[str, ...] = (), index: str = "", loads_audio: bool = False) -> list[Flaw]:
    """What is wrong, the lack of an upper bound aside."""
    indexes = [index] if index else []
    found = find_pin_flaws(required(*lines), frozenset(modules), indexes, loads_audio=loads_audio)
    return [one for one in found if one.kind is not FlawKind.UNPINNED]


@pytest.mark.parametrize(
    ("lines", "kind", "better"),
    [
        (["librosa>=0.10", "librosa<0.9"], FlawKind.CLASH, ""),
        (["librosa==0.10.1", "librosa==0.10.2"], FlawKind.CLASH, ""),
        (["librosa~=0.10.1", "librosa==0.11.*"], FlawKind.CLASH, ""),
        (["librosa>=0.10", "librosa==0.11.0"], FlawKind.REPEATED, ""),
        (["numpy==1.24.4"], FlawKind.NO_WHEEL, "numpy>=1.26"),
        (["torch==2.1.2"], FlawKind.NO_WHEEL, "torch>=2.2"),
        (["numpy<1.25"], FlawKind.MAY_LACK_WHEEL, "numpy>=1.26"),
        (["numpy~=1.24.0"], FlawKind.MAY_LACK_WHEEL, "numpy>=1.26"),
        (["numpy==1.24.*"], FlawKind.MAY_LACK_WHEEL, "numpy>=1.26"),
        (["pandas==2.0.3"], FlawKind.MAY_LACK_WHEEL, "pandas>=2.1.1"),
        (["fairseq"], FlawKind.UNINSTALLABLE, ""),
        (["fairseq==0.12.2"], FlawKind.UNINSTALLABLE, ""),
        (["fairseq @ git+https://github.com/facebookresearch/fairseq@v0.12.2"], FlawKind.UNINSTALLABLE, ""),
        (["fairseq @ git+https://github.com/pytorch/fairseq.git@v0.12.2"], FlawKind.UNINSTALLABLE, ""),
        (["transformers==4.30.2"], FlawKind.UNINSTALLABLE, "transformers>=4.34"),
        (["omegaconf==2.0.6"], FlawKind.UNINSTALLABLE, "omegaconf>=2.3"),
        (["omegaconf<2.1"], FlawKind.UNINSTALLABLE, "omegaconf>=2.3"),
        (["pytorch-lightning==1.6.5"], FlawKind.UNINSTALLABLE, "pytorch-lightning>=2"),
        (["sklearn"], FlawKind.DUMMY, "scikit-learn"),
        (["PIL"], FlawKind.DUMMY, "Pillow"),
        (["python>=3.8"], FlawKind.DUMMY, ""),
        (["torch==2.6.0", "torchaudio==2.5.1"], FlawKind.MISMATCH, "torchaudio==2.6.0"),
        (["torch==2.5.0", "torchaudio==2.5.1"], FlawKind.MISMATCH, "torchaudio==2.5.0"),
        (["torch==2.6.0", "torchvision==0.20.1"], FlawKind.MISMATCH, "torchvision==0.21.0"),
        (["torch==2.10.0", "torchaudio==2.11.0"], FlawKind.MISMATCH, "torchaudio==2.10.0"),
        (["torch==2.2.1", "numpy==2.0.2"], FlawKind.MISMATCH, "numpy<2"),
        (["torch==2.2.1"], FlawKind.NUMPY, "numpy<2"),
        (["torch==2.2.1", "numpy"], FlawKind.NUMPY, "numpy<2"),
        (["torch==2.6.0+cu124"], FlawKind.LOCAL_VERSION, "torch==2.6.0"),
    ],
)
def test_versions_that_do_not_work(lines: list[str], kind: FlawKind, better: str) -> None:
    (found,) = flaws(*lines)
    assert found.kind is kind
    assert found.line == (2 if len(lines) == 2 and lines[1] != "numpy" else found.line)
    assert not better or found.better == better


@pytest.mark.parametrize(
    "lines",
    [
        ["librosa>=0.10", "librosa>=0.10"],
        ["librosa>=0.10"],
        ["numpy==2.4.6; python_version >= '3.11'", "numpy==2.2.6; python_version < '3.11'"],
        ["numpy>=1.20"],
        ["numpy<2"],
        ["numpy==1.26.4"],
        ["scipy>=1.9,<1.12"],
        ["torch==2.6.0", "torchaudio==2.6.0", "torchvision==0.21.0"],
        ["torch==2.5.1", "torchaudio==2.5.1", "torchvision==0.20.1"],
        ["torch==2.11.0", "torchaudio==2.11.0", "torchvision==0.26.0"],
        ["torch==2.13.0", "torchaudio==2.11.0"],
        ["torch>=2.2", "torchaudio==2.6.0"],
        ["torch==2.2.1", "numpy<2"],
        ["torch==2.2.1", "numpy==1.26.4"],
        ["torch==2.3.0", "numpy==2.0.2"],
        ["omegaconf>=2.0"],
        ["omegaconf"],
        ["pytorch-lightning>=1.5"],
        ["fairseq @ git+https://github.com/me/fairseq-for-312@v1.0"],
        ["whisper==1.1.10"],
        ["sklearn @ https://example.org/sklearn-1.0-py3-none-any.whl"],
        ["a===1.0.weird"],
        ["a!=1", "a!=2.*"],
    ],
)
def test_versions_that_work(lines: list[str]) -> None:
    assert [one for one in flaws(*lines) if one.kind is not FlawKind.REPEATED] == []


def test_a_look_alike_is_wrong_where_its_module_is_imported() -> None:
    (found,) = flaws("whisper", modules=("whisper",))
    assert (found.kind, found.better) == (FlawKind.DUMMY, "openai-whisper")


def test_a_local_version_needs_an_index() -> None:
    assert flaws("torch==2.6.0+cu124", index="https://download.pytorch.org/whl/cu124") == []
    (found,) = flaws("torch==2.6.0+cu124")
    assert found.detail == "--extra-index-url https://download.pytorch.org/whl/cu124"


def test_torchaudio_decodes_with_torchcodec_since_2_9() -> None:
    assert [one.kind for one in flaws("torchaudio==2.9.0", loads_audio=True)] == [FlawKind.NO_DECODER]
    assert [one.kind for one in flaws("torchaudio>=2.10", loads_audio=True)] == [FlawKind.NO_DECODER]
    assert flaws("torchaudio==2.9.0") == []
    assert flaws("torchaudio==2.9.0", "torchcodec", loads_audio=True) == []
    assert flaws("torchaudio>=2.2", loads_audio=True) == []


def test_a_project_may_only_disagree() -> None:
    both = [*required("librosa<0.9"), *required("librosa>=0.10", standing=Standing.PROJECT)]
    assert FlawKind.DISAGREEMENT in [one.kind for one in find_pin_flaws(both, frozenset(), [])]
    constrained = [*required("librosa<0.9"), *required("librosa>=0.10", standing=Standing.CONSTRAINT)]
    assert FlawKind.CLASH in [one.kind for one in find_pin_flaws(constrained, frozenset(), [])]


def unpinned(*lines: str) -> list[tuple[str, str]]:
    found = find_pin_flaws(required(*lines), frozenset(), [])
    return [(one.what, one.better) for one in found if one.kind is FlawKind.UNPINNED]


def test_open_requirements_are_one_flaw_of_a_list() -> None:
    assert unpinned("torch", "torchaudio>=2", "numpy>=1", "librosa", "einops>=0.8", "timm<2", "lmdb==1") == [
        ("librosa, einops", "librosa==0.11.0")
    ]
    assert unpinned("torch", "torchaudio", "numpy") == []
    assert unpinned("a ~= 1.0", "b==1.*", "c<=3", "d @ https://example.org/d-1.zip") == []


def test_a_constraint_pins_too() -> None:
    both = [*required("librosa"), *required("librosa==0.11", standing=Standing.CONSTRAINT)]
    assert [one.kind for one in find_pin_flaws(both, frozenset(), []) if one.kind is FlawKind.UNPINNED] == []


VERSIONS = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
SPECIFIERS = st.lists(st.builds(str.__add__, st.sampled_from([">=", "<=", "<", ">", "==", "!="]), VERSIONS), max_size=3)


@given(SPECIFIERS, SPECIFIERS)
def test_whether_specifiers_overlap_is_found_by_their_ends(first: list[str], second: list[str]) -> None:
    sets = SpecifierSet(",".join(first)), SpecifierSet(",".join(second))
    grid = (f"{a}.{b}.{c}.{d}" for a in range(6) for b in range(6) for c in range(6) for d in (0, 1))
    if any(all(version in one for one in sets) for version in grid):
        assert pins._allows(*sets)


@given(st.lists(st.text(alphabet="ab.=<>~!*+;1 2,", max_size=12), max_size=6))
def test_any_lines_are_judged(lines: list[str]) -> None:
    assert all(isinstance(one, Flaw) for one in find_pin_flaws(required(*lines), frozenset(), [], loads_audio=True))
