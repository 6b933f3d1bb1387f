"""A handful of real encoders on trial: held to the allocator, to themselves without data, and at ten minutes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn

from audio_encoder_checker.budget.trace import Trace, peak, read_trace
from audio_encoder_checker.child.devices import Pretence
from audio_encoder_checker.child.trial import Trial
from audio_encoder_checker.child.truth import observed

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = str(Path(__file__).parent)
SAMPLES = 16000
MIB = 1 << 20


class Convolved(nn.Module):
    """A stack as wav2vec's: 320 samples a frame."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [(1, 10, 5), (32, 8, 4), (32, 4, 4), (32, 4, 4)]
        layers = [(nn.Conv1d(width, 32, size, step), nn.GELU()) for width, size, step in sizes]
        self.layers = nn.Sequential(*(layer for pair in layers for layer in pair), nn.BatchNorm1d(32))

    def forward(self, audio: Tensor) -> Tensor:
        states: Tensor = self.layers(audio[:, None]).transpose(1, 2)
        return states


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True)
        self.linear = nn.Linear(400, 32)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, audio: Tensor) -> Tensor:
        states: Tensor = self.layers(self.linear(audio.unfold(-1, 400, 400)))
        return states


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(400, 32, batch_first=True)

    def forward(self, audio: Tensor) -> Tensor:
        states: Tensor = self.gru(audio.unfold(-1, 400, 400))[0]
        return states


class Spectral(nn.Module):
    """Short-time Fourier transform, and an image of it through convolutions."""

    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(400))
        self.layers = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 3, 2, 1))

    def forward(self, audio: Tensor) -> Tensor:
        power = torch.stft(audio, 400, 160, window=self.window, return_complex=True).abs().square()
        states: Tensor = self.layers(power.clamp(min=1e-5).log()[:, None]).flatten(1, 2).transpose(1, 2)
        return states


class ByHand(nn.Module):
    """Attention of four heads, with all scores."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(400, 3 * 32)

    def forward(self, audio: Tensor) -> Tensor:
        frames = self.linear(audio.unfold(-1, 400, 400))
        q, k, v = frames.view(*frames.shape[:2], 3, 4, 8).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-1, -2) / 8**0.5).softmax(-1)
        states: Tensor = (scores @ v).transpose(1, 2).flatten(2)
        return states


ENCODERS: dict[str, Callable[[], nn.Module]] = {
    "convolutions": Convolved,
    "transformer": Transformer,
    "recurrent": Recurrent,
    "spectral": Spectral,
    "by hand": ByHand,
}
FRAMES = {"convolutions": (2, 49, 32), "spectral": (2, 26, 204)}
LONG = {"convolutions": (1, 29999, 32), "spectral": (1, 15001, 204)}


def tried(make: Callable[[], nn.Module]) -> Trial:
    torch.manual_seed(0)
    return Trial(lambda: make().eval(), Pretence(ROOT))


def real(trial: Trial, batch: int = 2, samples: int = SAMPLES, *, profiled: bool = False) -> Trace:
    audio = torch.randn(batch, samples, generator=torch.Generator().manual_seed(0)) / 10
    header, payload = trial.real(audio, profiled=profiled)
    return read_trace(header, memoryview(payload), batch, samples / 16000)


def symbolic(trial: Trial, batch: int = 2, samples: int = SAMPLES, *, grad: bool = False) -> Trace:
    header, payload = trial.symbolic(batch, samples, grad=grad)
    return read_trace(header, memoryview(payload), batch, samples / 16000)


class TestSmall:
    @pytest.mark.parametrize("name", ENCODERS)
    def test_the_books_are_what_the_allocator_gave(self, name: str) -> None:
        found = real(tried(ENCODERS[name]), profiled=True)
        assert found.allocator_bytes > 2 * SAMPLES * 4
        assert found.books_bytes == pytest.approx(found.allocator_bytes, rel=0.02)

    @pytest.mark.parametrize("name", ENCODERS)
    def test_without_data_all_is_the_same(self, name: str) -> None:
        trial = tried(ENCODERS[name])
        with_data, without = real(trial), symbolic(trial)
        assert with_data.shape == FRAMES.get(name, (2, 40, 32))
        assert without.shape == with_data.shape
        assert len(without.work) == len(with_data.work) > 0
        assert without.peak_bytes == with_data.peak_bytes
        assert without.work == with_data.work
        assert (without.guessed, without.stand_ins, without.not_covered) == ((), (), "")

    @pytest.mark.parametrize("name", ENCODERS)
    def test_one_call_leaves_nothing_to_the_next(self, name: str) -> None:
        trial = tried(ENCODERS[name])
        first = symbolic(trial)
        symbolic(trial, 3, 2 * SAMPLES)
        assert symbolic(trial).events == first.events

    def test_the_weights_are_those_of_the_module(self) -> None:
        module = Convolved()
        found = real(tried(Convolved))
        held = [*module.parameters(), *module.buffers()]
        assert found.weights_bytes == sum(one.numel() * one.element_size() for one in held)

    def test_twice_the_clips_take_twice_the_memory(self) -> None:
        trial = tried(Convolved)
        one, two = (symbolic(trial, batch) for batch in (4, 8))
        assert two.peak_bytes - two.weights_bytes == 2 * (one.peak_bytes - one.weights_bytes)

    def test_what_goes_back_to_the_cpu_is_on_the_host(self) -> None:
        assert peak(real(tried(ByHand)).on_host()) == 2 * 40 * 32 * 4


class TestByHand:
    def test_the_peak_of_a_product_is_its_weights_its_arguments_and_its_result(self) -> None:
        class Product(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weight = nn.Parameter(torch.zeros(160, 64))

            def forward(self, audio: Tensor) -> Tensor:
                return audio.view(-1, 160) @ self.weight

        found = real(tried(Product))
        assert found.peak_bytes == 4 * (160 * 64 + 2 * SAMPLES + 2 * 100 * 64)
        assert sum(flop for flop, *_ in found.work) == 2 * 200 * 160 * 64

    def test_the_peak_of_attention_by_hand_is_the_scores_twice(self) -> None:
        found = symbolic(tried(ByHand), 1, 1000 * 400)
        scores = 4 * 1000 * 1000 * 4
        assert 2 * scores < found.peak_bytes < 2.2 * scores
        assert [one.size_bytes for one in found.largest[:2]] == [scores, scores]

    def test_attention_in_one_kernel_takes_no_scores(self) -> None:
        class Fused(ByHand):
            def forward(self, audio: Tensor) -> Tensor:
                frames = self.linear(audio.unfold(-1, 400, 400))
                q, k, v = frames.view(*frames.shape[:2], 3, 4, 8).permute(2, 0, 3, 1, 4)
                return nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

        by_hand, fused = (symbolic(tried(make), 1, 1000 * 400).peak_bytes for make in (ByHand, Fused))
        assert by_hand > 8 * fused


class TestTenMinutes:
    @pytest.mark.parametrize("name", ENCODERS)
    def test_they_are_followed_in_next_to_no_memory(self, name: str) -> None:
        trial = tried(ENCODERS[name])
        with observed() as seen:
            found = symbolic(trial, 1, 600 * 16000)
        assert found.shape == LONG.get(name, (1, 24000, 32))
        assert found.peak_bytes > 600 * 16000 * 4
        assert seen.peak(())[0] < MIB

    @pytest.mark.parametrize("name", ENCODERS)
    def test_it_is_the_same_course_as_a_second(self, name: str) -> None:
        trial = tried(ENCODERS[name])
        assert len(symbolic(trial, 1, 600 * 16000).work) == len(symbolic(trial, 1, 16000).work)

    def test_they_take_what_no_card_has_if_all_frames_look_at_each_other(self) -> None:
        found = symbolic(tried(ByHand), 1, 600 * 16000)
        assert found.peak_bytes > 2 * 4 * 24000**2 * 4


class TestGradients:
    @pytest.mark.parametrize("name", ["convolutions", "transformer", "by hand"])
    def test_they_take_more(self, name: str) -> None:
        trial = tried(ENCODERS[name])
        with_, without = symbolic(trial, 8, 10 * SAMPLES, grad=True), symbolic(trial, 8, 10 * SAMPLES)
        assert with_.shape == without.shape
        assert with_.peak_bytes > without.peak_bytes

    def test_they_take_no_more_where_the_encoder_turns_them_off(self) -> None:
        class Frozen(Convolved):
            def forward(self, audio: Tensor) -> Tensor:
                with torch.no_grad():
                    return super().forward(audio)

        trial = tried(Frozen)
        assert symbolic(trial, grad=True).peak_bytes == symbolic(trial, grad=False).peak_bytes


def entered(trace: Trace) -> int:
    """Bytes of all that came in the course of a call."""
    return sum(size for _, size, _, operation in trace.events if operation >= 0 and size > 0)


def after(change: Callable[[Tensor], Any]) -> Callable[[], nn.Module]:
    """An encoder that does something with its embeddings."""

    class Changed(Transformer):
        def forward(self, audio: Tensor) -> Tensor:
            states: Tensor = change(super().forward(audio))
            return states

    return Changed


class TestValues:
    @pytest.mark.parametrize(
        ("guessed", "change"),
        [
            ("nonzero", lambda x: x + x[0, (x.abs().mean((0, 2)) > 9).nonzero()[:, 0]].sum()),
            ("nonzero", lambda x: x + x[torch.where(x > 9)].sum()),
            ("masked_select", lambda x: x + x.masked_select(x > 9).sum()),
            ("a mask as index", lambda x: x + x[x > 9].sum()),
            ("unique", lambda x: x + x.round().unique().sum()),
        ],
    )
    def test_where_they_tell_how_many_all_are_taken_and_that_is_said(
        self, guessed: str, change: Callable[[Tensor], Tensor]
    ) -> None:
        trial = tried(after(change))
        with_data, without = real(trial), symbolic(trial)
        assert without.guessed == (guessed,)
        assert entered(without) > entered(with_data)
        assert without.peak_bytes >= with_data.peak_bytes
        assert without.same_course(with_data)

    @pytest.mark.parametrize(
        "change",
        [
            lambda x: x + x.round().unique_consecutive().sum(),
            lambda x: x + (x > 0).long().flatten().bincount().sum(),
        ],
    )
    def test_where_nobody_knows_the_trial_ends(self, change: Callable[[Tensor], Tensor]) -> None:
        trial = tried(after(change))
        assert real(trial).shape == (2, 40, 32)
        with pytest.raises(Exception, match="aten"):
            symbolic(trial)

    def test_another_course_is_seen(self) -> None:
        def halved(states: Tensor) -> Tensor:
            while states.abs().max() > 0.01:
                states = states / 2
            return states

        trial = tried(after(halved))
        with_data, without = real(trial), symbolic(trial)
        assert not without.same_course(with_data)
        assert without.stand_ins == ("__bool__",)

    def test_what_depends_on_none_is_not_said_to(self) -> None:
        found = symbolic(tried(after(lambda x: x.where(x > 0, 0.0))))
        assert (found.guessed, found.stand_ins) == ((), ())


class TestNotCovered:
    def test_threads_are_told(self) -> None:
        def threaded(states: Tensor) -> Tensor:
            results: list[Tensor] = []
            thread = threading.Thread(target=lambda: results.append(states * 2))
            thread.start()
            thread.join()
            return states

        assert "threads" in real(tried(after(threaded))).not_covered

    def test_an_encoder_that_is_followed_has_none(self) -> None:
        assert real(tried(Transformer)).not_covered == ""


class TestDevices:
    """What is left on the CPU is refused with CUDA's own words, with data and without."""

    MIXED = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"

    @pytest.mark.parametrize(
        "change",
        [
            lambda x: x * torch.ones(32),
            lambda x: torch.cat([x, torch.zeros(*x.shape)], 1),
            lambda x: x + torch.arange(x.shape[1])[:, None],
            lambda x: nn.functional.linear(x, torch.ones(4, 32)),
            lambda x: nn.functional.layer_norm(x, [32], torch.ones(32)),
        ],
    )
    def test_a_tensor_made_there_is_refused(self, change: Callable[[Tensor], Tensor]) -> None:
        trial = tried(after(change))
        for call in (real, symbolic):
            with pytest.raises(RuntimeError) as caught:
                call(trial)
            assert str(caught.value) == self.MIXED

    def test_a_module_that_torch_does_not_know_of_is_refused(self) -> None:
        class Hidden(Transformer):
            def __init__(self) -> None:
                super().__init__()
                self.heads = [nn.Linear(32, 32)]

            def forward(self, audio: Tensor) -> Tensor:
                states: Tensor = self.heads[0](super().forward(audio))
                return states

        for call in (real, symbolic):
            with pytest.raises(RuntimeError, match="at least two devices"):
                call(tried(Hidden))

    def test_values_of_what_is_on_the_card_are_refused_to_numpy(self) -> None:
        for call in (real, symbolic):
            with pytest.raises(TypeError, match="can't convert cuda:0"):
                call(tried(after(lambda x: torch.from_numpy(x.numpy()))))

    @pytest.mark.parametrize(
        "change",
        [
            lambda x: x * torch.ones(32, device=x.device),
            lambda x: x * torch.ones(32).to(x),
            lambda x: x * torch.tensor(2.0),
            lambda x: x[:, torch.arange(3)],
            lambda x: (x.cpu() * torch.ones(32)).to(x.device),
        ],
    )
    def test_what_cuda_allows_is_allowed(self, change: Callable[[Tensor], Tensor]) -> None:
        trial = tried(after(change))
        assert symbolic(trial).shape == real(trial).shape
