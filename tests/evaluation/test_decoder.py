from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evaluation.decoder import NoDecoderError, find_decoder

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "AECC_ASR_DECODER"


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Hugging Face's library takes for its cache."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_the_decoder_is_found_where_hugging_face_keeps_it(cached: Path) -> None:
    model = cached / "models--Qwen--Qwen2.5-0.5B"
    folder = model / "snapshots" / "0123abc"
    folder.mkdir(parents=True)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("0123abc", encoding="utf-8")
    with pytest.raises(NoDecoderError, match="is not on this machine"):
        find_decoder()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    assert find_decoder() == folder


def test_a_decoder_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(NoDecoderError, match=r"which holds no config.json"):
        find_decoder()
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert find_decoder() == tmp_path


def test_a_decoder_that_is_not_there_is_told_with_its_remedy() -> None:
    with pytest.raises(NoDecoderError, match=r"hf download Qwen/Qwen2\.5-0\.5B"):
        find_decoder()


@pytest.mark.parametrize("missing", [("jiwer",), ("transformers", "jiwer")])
def test_libraries_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(NoDecoderError, match=f"^ASR needs {' and '.join(missing)}: `pip install"):
        find_decoder()
