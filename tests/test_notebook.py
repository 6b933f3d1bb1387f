"""The notebook call: the official function's answer, better words."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from audio_encoder_checker import check_audio_encoder, notebook
from tests.render.reports import finding


class TinyEncoder(torch.nn.Module):
    def __init__(self, **changes: Any) -> None:
        super().__init__()
        self.sampling_rate, self.output_dim, self.hop_size_in_ms = 16000, 4, 10
        for name, value in changes.items():
            setattr(self, name, value)

    def forward(self, audio: torch.Tensor) -> Any:
        return audio[:, : audio.shape[1] // 160 * 160].reshape(len(audio), -1, 160)[:, :, :4]


def returning(make: Any) -> TinyEncoder:
    encoder = TinyEncoder()
    encoder.forward = lambda audio: make(TinyEncoder.forward(encoder, audio))  # type: ignore[method-assign]  # test double of an encoder
    return encoder


def test_a_good_encoder_is_accepted_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_audio_encoder(TinyEncoder()) is True
    assert capsys.readouterr().out == ""


def test_what_follows_from_a_finding_is_a_line_beneath_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = (finding(), finding(check_id="AEC523", message="late", because_of="AEC505"))
    monkeypatch.setattr(notebook, "_findings", lambda *_: found)
    check_audio_encoder(TinyEncoder())
    assert "\n  so: AEC523 batch-size-failure: late\n" in capsys.readouterr().out


class NamedOtherwise(TinyEncoder):
    pass


class PlainEncoder:
    sampling_rate, output_dim, hop_size_in_ms = 16000, 4, 10


def without(name: str) -> TinyEncoder:
    encoder = TinyEncoder()
    delattr(encoder, name)
    return encoder


def failing(_output: torch.Tensor) -> Any:
    raise ValueError("no")


@pytest.mark.parametrize(
    ("encoder", "check_id"),
    [
        (NamedOtherwise(), "AEC408"),
        (PlainEncoder(), "AEC407"),
        (without("output_dim"), "AEC501"),
        (without("sampling_rate"), "AEC501"),
        (without("hop_size_in_ms"), "AEC501"),
        (returning(failing), "AEC504"),
        (returning(lambda y: (y,)), "AEC509"),
        (returning(lambda y: y.mean(1)), "AEC510"),
        (returning(lambda y: y[:1]), "AEC510"),
        (returning(lambda y: y.transpose(1, 2)), "AEC510"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_the_official_function_refuses_is_refused(
    encoder: Any, check_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_audio_encoder(encoder) is False
    out = capsys.readouterr().out
    assert check_id in out
    assert "fix: " in out


@pytest.mark.parametrize(
    ("encoder", "check_id"),
    [
        (returning(lambda y: y * float("nan")), "AEC513"),
        (returning(lambda y: y[:, :0]), "AEC503"),
        (returning(lambda y: y.long()), "AEC512"),
        (returning(lambda y: y.bfloat16()), "AEC511"),
        (TinyEncoder(sampling_rate="16k"), "AEC502"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_official_function_overlooks_is_accepted_and_named(
    encoder: Any, check_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_audio_encoder(encoder) is True
    out = capsys.readouterr().out
    assert check_id in out
    assert "the official function accepts" in out
