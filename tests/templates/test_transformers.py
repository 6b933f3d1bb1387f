"""The template around a model of transformers: padding, windows, time, and the weights of others."""

from __future__ import annotations

import importlib.util
import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from audio_encoder_checker.packing.template import start_submission

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 16_000
SMALL: dict[str, object] = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "conv_dim": [32] * 7}
KINDS: list[dict[str, object]] = [
    {"model_type": "wav2vec2", "feat_extract_norm": "group", "do_stable_layer_norm": False},
    {"model_type": "hubert"},
    {"model_type": "wavlm"},
    {"model_type": "data2vec-audio", "conv_pos_kernel_size": 19, "num_conv_pos_embeddings": 2},
]


def load(team: Path) -> Any:
    """The module `encoder` of a submission, as a module of its own."""
    spec = importlib.util.spec_from_file_location("transformers_template", team / "encoder.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the library are not ours
        spec.loader.exec_module(module)
    return module


def started(folder: Path, changes: dict[str, object] | None = None) -> Any:
    start_submission(folder, "transformers", "TeamEncoder")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **(changes or {})}))
    return load(folder)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return started(tmp_path_factory.mktemp("template") / "team")


@pytest.fixture(scope="module")
def encoder(template: Any) -> Any:
    return template.TeamEncoder()


def noise(batch: int, samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed))


def assert_close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_construction_leaves_the_generator_alone_and_one_name_ends_in_encoder(template: Any) -> None:
    state = torch.get_rng_state()
    built = template.TeamEncoder()
    assert torch.equal(state, torch.get_rng_state())
    assert [name for name in dir(template) if name.endswith("Encoder")] == ["TeamEncoder"]
    assert not built.training
    assert (built.hop, built.field, built.hop_size_in_ms) == (320, 400, 20)


@pytest.mark.parametrize("samples", [1, 319, 400, 639, 640, 16_001])
def test_a_clip_of_any_length_has_a_frame_for_each_hop(encoder: Any, samples: int) -> None:
    features = encoder(noise(2, samples))
    assert features.shape == (2, max(1, samples // 320), 192)
    assert features.isfinite().all()


def test_zeros_at_the_end_change_nothing_and_give_zeros(encoder: Any) -> None:
    clip = noise(1, 3 * SECOND + 100)
    alone = encoder(clip)
    padded = encoder(functional.pad(clip, (0, 25 * SECOND)))
    assert_close(padded[:, : alone.shape[1]], alone)
    assert not padded[:, alone.shape[1] :].any()


def test_clips_of_different_length_are_each_as_alone(encoder: Any) -> None:
    lengths = [SECOND, 23 * SECOND, SECOND, 2 * SECOND + 7, 1, 21 * SECOND]
    batch = torch.zeros(len(lengths), max(lengths))
    for row, length in zip(batch, lengths, strict=True):
        row[:length] = noise(1, length, seed=length)[0]
    features = encoder(batch)
    for row, own, length in zip(features, batch, lengths, strict=True):
        alone = encoder(own[None, :length])[0]
        assert_close(row[: len(alone)], alone)


def test_silence_is_a_clip(encoder: Any) -> None:
    silence = encoder(torch.zeros(2, SECOND))
    assert silence.isfinite().all()
    assert silence.abs().sum(-1).all(), "a clip that is silent throughout is not padding"


def test_windows_meet_where_one_pass_would_go_on(template: Any, encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = noise(1, 47 * SECOND + 100) * torch.linspace(0.1, 1, 47 * SECOND + 100)
    windows = encoder(clip)
    monkeypatch.setattr(template, "WINDOW", 100_000)
    whole = encoder(clip)
    assert windows.shape == whole.shape == (1, 47 * 50, 192)
    likeness = functional.cosine_similarity(windows[0], whole[0], dim=-1)
    shifted = functional.cosine_similarity(windows[0, 1:], whole[0, :-1], dim=-1)
    assert likeness.min() > 0.99
    assert shifted.mean() < likeness.min(), "a frame that is missing or doubled would be seen"


def test_windows_begin_at_the_same_place_in_every_clip(template: Any) -> None:
    assert list(template.calls([2350, 10, 1050, 2350])) == [
        ([0, 3], 0, 1100), ([1], 0, 10), ([2], 0, 1050), ([0, 3], 1000, 2100), ([2], 1000, 1050), ([0, 3], 2000, 2350),
    ]  # fmt: skip


def test_a_large_batch_is_encoded_in_parts(template: Any) -> None:
    calls = list(template.calls([1200] * 10))
    assert [len(clips) for clips, _, _ in calls] == [4, 4, 2, 10]
    assert all(len(clips) * (end - max(0, first - 100)) <= template.AT_ONCE for clips, first, end in calls)


@pytest.mark.parametrize("second", [1.005, 19.99, 20.01, 30.5])
def test_a_click_is_felt_in_its_place(encoder: Any, second: float) -> None:
    clip = noise(1, 32 * SECOND) * 0.1
    clicked = clip.clone()
    clicked[0, round(second * SECOND)] += 3
    moved = (encoder(clicked) - encoder(clip)).abs().sum(-1)[0]
    assert abs(int(moved.argmax()) - int(second * 50)) <= 1


def test_loudness_and_offset_are_taken_out(encoder: Any) -> None:
    clip = noise(1, SECOND)
    assert_close(encoder(clip * 0.1 + 0.5), encoder(clip))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind["model_type"]))
def test_models_of_the_same_kind_take_its_place(tmp_path: Path, kind: dict[str, object]) -> None:
    encoder = started(tmp_path / "team", {**SMALL, **kind}).TeamEncoder()
    clip = noise(2, SECOND + 5)
    alone = encoder(clip)
    assert alone.shape == (2, 50, 64)
    assert_close(encoder(functional.pad(clip, (0, SECOND)))[:, :50], alone)


class Weights:
    """A small model with a head, as training leaves it, and the encoder that shall take its weights."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoConfig, Wav2Vec2ForCTC

        self.folder = folder
        self.module = started(folder, SMALL)
        self.trained: Any = Wav2Vec2ForCTC(AutoConfig.from_pretrained(str(folder / "config.json"))).eval()

    def loaded(self, tensors: dict[str, torch.Tensor]) -> Any:
        save_file({name: value.contiguous() for name, value in tensors.items()}, self.folder / "model.safetensors")
        self.module.WEIGHTS = self.module.HERE / "model.safetensors"
        return self.module.TeamEncoder()


@pytest.fixture
def saved(tmp_path: Path) -> Weights:
    return Weights(tmp_path / "team")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_weights_are_taken_without_their_head(saved: Weights, dtype: torch.dtype) -> None:
    random = saved.module.TeamEncoder()
    state = torch.get_rng_state()
    encoder = saved.loaded({name: value.to(dtype) for name, value in saved.trained.state_dict().items()})
    assert torch.equal(state, torch.get_rng_state())
    assert not encoder.training
    clip = noise(1, 320 * 50 + 80)
    features = encoder(clip)
    assert features.dtype == torch.float32
    normalised = functional.pad((clip - clip.mean()) / (clip.var(correction=0) + 1e-7).sqrt(), (40, 0))[:, :16_080]
    with torch.no_grad():
        expected = saved.trained.wav2vec2(normalised).last_hidden_state
    torch.testing.assert_close(features, expected, rtol=0.01, atol=1e-4 if dtype is torch.float32 else 0.01)
    assert not torch.allclose(features, random(clip), atol=0.1)


def test_weights_that_lack_a_layer_are_refused(saved: Weights) -> None:
    tensors = {name: value for name, value in saved.trained.state_dict().items() if "layers.1." not in name}
    with pytest.raises(RuntimeError, match="lacks 20 weights of the Wav2Vec2Model") as caught:
        saved.loaded(tensors)
    assert "save_pretrained" in str(caught.value)


def test_weights_of_another_size_are_refused(saved: Weights) -> None:
    tensors = saved.trained.state_dict()
    tensors["wav2vec2.feature_projection.projection.weight"] = torch.zeros(64, 31)
    with pytest.raises(RuntimeError):
        saved.loaded(tensors)
