"""Real small encoders on a card that keeps books: held to the CPU's allocator, and then without data."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from audio_encoder_checker.budget.trace import Trace, peak, read_trace
from audio_encoder_checker.child.devices import Pretence
from audio_encoder_checker.child.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = str(Path(__file__).parent)
KIB = 1 << 10
BATCH, SAMPLES = 2, 16000


class Frames(nn.Module):
    """`[B, samples]` to `[B, frames, 32]`, and whatever `then` makes of these."""

    def __init__(self, *then: nn.Module) -> None:
        super().__init__()
        self.linear = nn.Linear(160, 32)
        self.then = nn.Sequential(*then)

    def forward(self, audio: Tensor) -> Tensor:
        states: Tensor = self.then(self.linear(audio.unfold(-1, 160, 160)))
        return states


class Convolved(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 16, 10, 5), nn.GELU(), nn.Conv1d(16, 32, 8, 4), nn.GroupNorm(4, 32))

    def forward(self, audio: Tensor) -> Tensor:
        states: Tensor = self.layers(audio[:, None]).transpose(1, 2)
        return states


class Spectrum(nn.Module):
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(400))
        self.norm = nn.LayerNorm(201)

    def forward(self, audio: Tensor) -> Tensor:
        bins = torch.stft(audio, 400, 160, window=self.window, return_complex=True)
        states: Tensor = self.norm((bins.abs() ** 2 + 1e-5).log().transpose(1, 2))
        return states


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(160, 32, 2, batch_first=True, bidirectional=True)

    def forward(self, audio: Tensor) -> Tensor:
        states: Tensor = self.gru(audio.unfold(-1, 160, 160))[0]
        return states


class Packed(Recurrent):
    def forward(self, audio: Tensor) -> Tensor:
        frames = audio.unfold(-1, 160, 160)
        lengths = torch.full((len(frames),), frames.shape[1])
        packed = nn.utils.rnn.pack_padded_sequence(frames, lengths, batch_first=True)
        states: Tensor = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)[0]
        return states


class ByHand(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        x = super().forward(audio)
        return (x @ x.transpose(1, 2)).softmax(-1) @ x


class Numpy(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        scaled = torch.from_numpy(audio.cpu().numpy() / 2)
        return super().forward(scaled.to(audio.device))


class Trims(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        return super().forward(audio[:, : 8000 + int(audio.abs().amax(0).gt(0.3).nonzero().max())])


class Halved(Frames):
    def __init__(self) -> None:
        super().__init__()
        self.to(torch.bfloat16)

    def forward(self, audio: Tensor) -> Tensor:
        return super().forward(audio.to(self.linear.weight.dtype)).float()


class Autocast(Frames):
    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Linear(32, 1024)

    def forward(self, audio: Tensor) -> Tensor:
        with torch.autocast("cuda"):
            states: Tensor = self.wide(super().forward(audio)).mean(-1, keepdim=True).float()
        return states


ENCODERS: dict[str, Callable[[], nn.Module]] = {
    "linear": Frames,
    "convolutions": Convolved,
    "spectrum": Spectrum,
    "recurrent": Recurrent,
    "packed": Packed,
    "transformer": lambda: Frames(nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2)),
    "by-hand": ByHand,
    "numpy": Numpy,
    "half": Halved,
    "autocast": Autocast,
}


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    yield
    assert not _get_current_dispatch_mode_stack()
    assert not _get_current_function_mode_stack()  # type: ignore[no-untyped-call]  # torch does not type it
    assert torch.empty(1).device.type == "cpu"


def audio(batch: int = BATCH, samples: int = SAMPLES) -> Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(0)) / 10


def tried(make: Callable[[], nn.Module]) -> Trial:
    torch.manual_seed(0)
    return Trial(lambda: make().eval(), Pretence(ROOT))


def real(trial: Trial, batch: int = BATCH, samples: int = SAMPLES, *, profiled: bool = True) -> Trace:
    header, payload = trial.real(audio(batch, samples), profiled=profiled)
    return read_trace(header, memoryview(payload), batch, samples / 16000)


def symbolic(trial: Trial, batch: int = BATCH, samples: int = SAMPLES, *, grad: bool = False) -> Trace:
    header, payload = trial.symbolic(batch, samples, grad=grad)
    return read_trace(header, memoryview(payload), batch, samples / 16000)


@pytest.mark.parametrize("name", sorted(set(ENCODERS) - {"numpy"}))
def test_the_books_are_what_the_allocator_gave(name: str) -> None:
    found = real(tried(ENCODERS[name]))
    assert found.allocator_bytes > 10 * KIB
    assert found.books_bytes == pytest.approx(found.allocator_bytes, rel=0.02)


@pytest.mark.parametrize("name", ENCODERS)
def test_without_data_it_takes_the_same(name: str) -> None:
    trial = tried(ENCODERS[name])
    with_data, without = real(trial), symbolic(trial)
    assert without.same_course(with_data)
    assert without.shape == with_data.shape
    assert without.peak_bytes == with_data.peak_bytes
    assert peak(without.on_card(possible=False)) == without.peak_bytes


@pytest.mark.parametrize("name", ENCODERS)
def test_without_data_it_is_true_of_other_sizes(name: str) -> None:
    trial = tried(ENCODERS[name])
    real(trial)
    forecast, truth = symbolic(trial, 3, 40000), real(trial, 3, 40000)
    assert forecast.books_bytes == truth.books_bytes
    assert truth.books_bytes > 0.98 * truth.allocator_bytes


def test_what_numpy_holds_is_in_the_books_as_well() -> None:
    """torch's allocator does not see it, nor the way to a GPU and back."""
    found = real(tried(Numpy))
    assert found.books_bytes == found.allocator_bytes + BATCH * SAMPLES * 4
    assert peak(found.on_host()) == BATCH * SAMPLES * 4


def test_ten_minutes_take_no_memory() -> None:
    """Attention by hand over 60,000 frames would take 29 GB."""
    found = symbolic(tried(ByHand), 1, 600 * 16000)
    assert found.peak_bytes > 2 * 60000**2 * 4
    assert found.shape == (1, 60000, 32)


def test_what_is_largest_is_named_with_its_line() -> None:
    found = symbolic(tried(ByHand), 1, 100 * 16000)
    assert found.largest[0].shape[-2:] == (10000, 10000)
    line = int(found.largest[0].line.removeprefix("test_trial.py:"))
    assert "softmax" in Path(__file__).read_text(encoding="utf-8").splitlines()[line - 1]


def test_weights_are_told_from_activations() -> None:
    found = real(tried(Frames))
    assert found.weights_bytes == (160 * 32 + 32) * 4
    moved, frames = BATCH * SAMPLES * 4, BATCH * 100 * 32 * 4
    assert found.peak_bytes == found.weights_bytes + moved + frames + copied(found)
    assert peak(found.on_host()) == frames


def copied(found: Trace) -> int:
    """What `unfold` and `linear` copy between them."""
    return sum(one.size_bytes for one in found.largest if one.operation == "aten.clone" and one.shape[-1] == 160)


def test_autograd_keeps_what_inference_lets_go() -> None:
    trial = tried(lambda: Frames(*(layer for _ in range(8) for layer in (nn.Linear(32, 32), nn.Tanh()))))
    assert symbolic(trial, 16, 160000, grad=True).peak_bytes > 1.3 * symbolic(trial, 16, 160000).peak_bytes


def test_autocasting_for_the_gpu_halves_what_it_computes() -> None:
    found = real(tried(Autocast), BATCH, 30 * SAMPLES)
    assert next(one.dtype for one in found.largest if one.operation == "aten.addmm") == "float16"
    assert found.largest[0].size_bytes == BATCH * 3000 * 1024 * 2


def test_a_length_that_depends_on_values_shows_in_the_shape() -> None:
    trial = tried(Trims)
    found = real(trial)
    assert symbolic(trial).shape != found.shape


class Ponders(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass
        time.sleep(0.3)  # is no work
        return super().forward(audio)


def test_what_python_does_between_operations_is_time_of_the_cpu() -> None:
    assert 0.2 <= real(tried(Ponders), profiled=False).cpu_s < 0.45


class Stranger(Frames):
    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.ones(32)  # no buffer: `.to` does not move it

    def forward(self, audio: Tensor) -> Tensor:
        return super().forward(audio) * self.scale


def test_a_tensor_on_the_cpu_is_refused_as_cuda_refuses_it() -> None:
    with pytest.raises(RuntimeError, match="same device"):
        real(tried(Stranger))
    with pytest.raises(RuntimeError, match="same device"):
        symbolic(tried(Stranger))


class Remembers(Frames):
    """Keeps a state of the last chunk, and tries what may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.state: Tensor | None = None

    def forward(self, audio: Tensor) -> Tensor:
        found = [super(Remembers, self).forward(chunk) for chunk in torch.split(audio, 1600, 1)]
        with contextlib.suppress(RuntimeError):
            found[0].view(7, -1, 3)
        self.state = found[-1] * 2
        return torch.cat(found, 1)


def test_what_an_encoder_keeps_from_call_to_call_stays_in_the_books() -> None:
    trial = tried(Remembers)
    first, second = real(trial, 1, 1600), real(trial, 1, 9600)
    assert second.weights_bytes == first.weights_bytes + 10 * 32 * 4
    assert symbolic(trial, 1, 96000).peak_bytes == real(tried(Remembers), 1, 96000).peak_bytes


class Picks(Frames):
    def forward(self, audio: Tensor) -> Tensor:
        states = super().forward(audio)
        loud = states[states.abs().mean(-1) > 0]
        return states + loud.mean()


def test_what_a_mask_picks_is_taken_to_be_all_and_that_is_told() -> None:
    trial = tried(Picks)
    header: dict[str, Any] = trial.symbolic(BATCH, SAMPLES, grad=False)[0]
    assert header["guessed"] == ["a mask as index"]
    assert symbolic(trial).peak_bytes >= real(trial).peak_bytes
