"""Make a calibration encoder a participant's repository, with small random weights that are the same every time.

Usage: python tests/calibration/build.py NAME FOLDER
"""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
TINY: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def build(name: str, folder: Path) -> None:
    """Fill an empty folder with one encoder: its file, its requirements and its weights.

    Args:
        name: of a folder beside this file.
        folder: must exist.
    """
    encoder, requirements = folder / "encoder.py", "torch\n"
    shutil.copy(HERE / name / encoder.name, encoder)
    if name in SAVERS:
        torch.manual_seed(0)
        save, package = SAVERS[name]
        save(folder)
        requirements += f"{package}=={version(package)}\n"
    (folder / "requirements.txt").write_text(requirements, encoding="utf-8")


def _save_wav2vec2(folder: Path) -> None:
    """The real stack of convolutions, 320 samples a frame, on 32 channels; a small transformer."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    Wav2Vec2Model(Wav2Vec2Config(**TINY, conv_dim=(32,) * 7)).save_pretrained(folder / "model")
    Wav2Vec2FeatureExtractor().save_pretrained(folder / "model")


def _save_data2vec(folder: Path) -> None:
    from transformers import Data2VecAudioConfig, Data2VecAudioModel, Wav2Vec2FeatureExtractor

    Data2VecAudioModel(Data2VecAudioConfig(**TINY, conv_dim=(32,) * 7)).save_pretrained(folder / "model")
    Wav2Vec2FeatureExtractor().save_pretrained(folder / "model")


def _save_whisper(folder: Path) -> None:
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    tokens = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 0)
    config = WhisperConfig(
        d_model=32, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=64,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=64, vocab_size=8, **tokens,
        init_std=0.1,  # five times the usual: untrained, only the positions would be heard
    )  # fmt: skip
    WhisperModel(config).save_pretrained(folder / "model")
    WhisperFeatureExtractor().save_pretrained(folder / "model")


def _save_dasheng(folder: Path) -> None:
    from safetensors.torch import save_file

    spec = spec_from_file_location("dasheng_encoder", folder / "encoder.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.Dasheng()
    model.init_bn.running_mean.fill_(-20.0)  # decibels, about those of speech
    model.init_bn.running_var.fill_(400.0)
    (folder / "model").mkdir()
    save_file(model.state_dict(), folder / "model" / "model.safetensors")


SAVERS = {
    "dasheng": (_save_dasheng, "safetensors"),
    "data2vec": (_save_data2vec, "transformers"),
    "wav2vec2": (_save_wav2vec2, "transformers"),
    "wav2vec2_official": (_save_wav2vec2, "transformers"),
    "whisper": (_save_whisper, "transformers"),
}
"""How an encoder's weights are made, and the package that reads them."""


if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]))
