"""Settings that hold a GPU to the budget's card, on a machine that has none: torch keeps them all the same."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from audio_encoder_checker.child.host import Host
from audio_encoder_checker.child.measure import held_to

GIB = 1 << 30


def settings() -> list[bool]:
    backends = torch.backends
    return [
        backends.cuda.matmul.allow_tf32,
        backends.cudnn.allow_tf32,
        torch._C._get_flash_sdp_enabled(),
        torch._C._get_cudnn_sdp_enabled(),
    ]


@pytest.fixture(name="fractions")
def fixture_fractions(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    properties = SimpleNamespace(total_memory=80 * GIB)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: properties)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda share, _device: found.append(share))
    return found


def test_memory_is_capped_and_freed_again(fractions: list[float]) -> None:
    with held_to("cuda:0", 14 * GIB, (7, 5)):
        assert fractions == [14 / 80]
    with held_to("cuda:0", 100 * GIB, (7, 5)):
        pass
    assert fractions == [14 / 80, 1.0, 1.0, 1.0]


def test_what_a_t4_does_not_have_is_switched_off_and_on_again(fractions: list[float]) -> None:
    before = settings()
    assert True in before
    with held_to("cuda:0", 14 * GIB, (7, 5)):
        assert settings() == [False] * 4
    assert settings() == before
    with pytest.raises(ValueError, match="x"), held_to("cuda:0", 14 * GIB, (7, 5)):
        raise ValueError("x")
    assert settings() == before
    assert fractions[-1] == 1.0


def test_a_newer_card_keeps_what_it_has(fractions: list[float]) -> None:
    before = settings()
    with held_to("cuda:0", 14 * GIB, (8, 0)):
        assert settings() == before
    assert len(fractions) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_answer_says_so() -> None:
    host = Host()
    host.device = "cuda:0"
    host.encoder = lambda audio: audio
    question = {"ask": "measure", "shape": [1, 100], "limit_bytes": GIB, "capability": [7, 5]}
    answer, _ = host.answer(question, memoryview(b""))
    assert answer["raised"]["type"] in ("AssertionError", "RuntimeError")
