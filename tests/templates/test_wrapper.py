"""The template around an installed package: the package's own numbers, for whole batches and without state."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import re
import warnings
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional

from audio_encoder_checker.archive.declaration import read_declaration
from audio_encoder_checker.packing.template import COMMON, find_templates, start_submission

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 16_000
HOP = 512


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "team"
    start_submission(folder, "wrapper", "TeamEncoder")
    return folder


@pytest.fixture(scope="module")
def template(team: Path) -> Any:
    spec = importlib.util.spec_from_file_location("wrapper_template", team / "encoder.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(template: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package loads TorchScript
        return template.TeamEncoder()


@pytest.fixture(scope="module")
def encoder(template: Any) -> Any:
    return build(template)


def noise(batch: int, samples: int) -> torch.Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(0)) * 0.1


def assert_close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_construction_leaves_the_generator_and_the_threads_alone(template: Any) -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    built = build(template)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    assert [name for name in dir(template) if name.endswith("Encoder")] == ["TeamEncoder"]
    assert not built.training
    assert built.hop_size_in_ms == 32


def test_the_package_says_the_same_one_chunk_at_a_time(encoder: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        package = importlib.import_module("silero_vad").load_silero_vad()
    audio = noise(2, 30 * HOP)
    state, context, expected = torch.zeros(2, 2, 128), torch.zeros(2, 64), []
    with torch.no_grad():
        for chunk in audio.reshape(2, 30, HOP).unbind(1):
            _, state = package._model(torch.cat([context, chunk], dim=1), state)
            expected.append(state[0])
            context = chunk[:, -64:]
    assert_close(encoder(audio), torch.stack(expected, dim=1))


@pytest.mark.parametrize("samples", [1, 511, 512, 1023, 1024, 16_001])
def test_a_clip_of_any_length_has_a_frame_for_each_hop(encoder: Any, samples: int) -> None:
    features = encoder(noise(2, samples))
    assert features.shape == (2, max(1, samples // HOP), 128)
    assert features.isfinite().all()


def test_chunks_are_one_pass(template: Any, encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = noise(2, 25 * SECOND + 77)
    whole = encoder(clip[:, : 500 * HOP])
    for chunk in (1, 77, 100_000):
        monkeypatch.setattr(template, "CHUNK", chunk)
        assert_close(encoder(clip)[:, :500], whole)


def test_what_follows_changes_nothing(encoder: Any) -> None:
    clip = noise(1, 2 * SECOND + 100)
    alone = encoder(clip)
    for more in (torch.zeros(1, 50_000), noise(1, 50_000)):
        assert_close(encoder(torch.cat([clip, more], dim=1))[:, : alone.shape[1]], alone)


def test_no_state_stays_between_calls_and_no_clip_knows_another(encoder: Any) -> None:
    batch = noise(16, SECOND)
    features = encoder(batch)
    encoder(torch.ones(16, SECOND))
    assert torch.equal(encoder(batch), features)
    assert_close(encoder(batch[5:6]), features[5:6])


@pytest.mark.parametrize("frame", [0, 40, 499, 500, 501])
def test_a_click_is_felt_in_its_place_and_not_before(encoder: Any, frame: int) -> None:
    clip = noise(1, 520 * HOP) * 0.1
    clicked = clip.clone()
    clicked[0, frame * HOP + 256] += 1
    moved = (encoder(clicked) - encoder(clip)).abs().sum(-1)[0]
    assert not moved[:frame].any()
    assert 0 <= int(moved.argmax()) - frame <= 1


def test_it_can_be_copied_saved_and_moved(template: Any, encoder: Any) -> None:
    clip = noise(1, SECOND)
    expected = encoder(clip)
    assert torch.equal(copy.deepcopy(encoder)(clip), expected)
    other = build(template)
    for value in other.parameters():
        value.detach().zero_()
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(other(clip), expected)
    assert {value.device.type for value in copy.deepcopy(encoder).to("meta").state_dict().values()} == {"meta"}
    modules = [type(module).__name__ for module in encoder.modules()]
    assert not [name for name in modules if "Script" in name]


def test_another_version_is_refused_with_what_to_do(template: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "VERSION", "6.2.99")
    with pytest.raises(RuntimeError, match=re.escape("silero-vad 6.2.3 is installed")) as caught:
        template.TeamEncoder()
    assert "`pip install silero-vad==6.2.99`" in str(caught.value)


def test_a_package_that_is_not_there_is_named(template: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "PACKAGE", "no-such-package-for-sure")
    with pytest.raises(RuntimeError, match=re.escape("not installed: `pip install no-such-package-for-sure==6.2.3`")):
        template.TeamEncoder()


def test_the_files_name_the_version_that_is_installed(team: Path, template: Any) -> None:
    assert f"{template.PACKAGE}=={template.VERSION}" in (team / "requirements.txt").read_text().splitlines()
    assert metadata.version(template.PACKAGE) == template.VERSION
    (model,) = read_declaration(team).pretrained
    assert model.text == f"{template.PACKAGE} {template.VERSION}"
    assert model.uses == ()


def test_its_settings_are_the_common_ones_but_for_the_model(team: Path) -> None:
    own = (team / "aecc.toml").read_text().splitlines()
    common = (find_templates() / COMMON / "aecc.toml").read_text().splitlines()
    different = [mine for mine, theirs in zip(own, common, strict=True) if mine != theirs]
    assert len(different) == 1
    assert different[0].startswith("pretrained = ")


def test_zeros_fill_up_what_is_shorter_than_a_frame(encoder: Any) -> None:
    clip = noise(1, 300)
    assert_close(encoder(clip), encoder(functional.pad(clip, (0, 212))))
