"""AEC70x: whether the encoder fits the organisers' machine, by what was forecast."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.budget import Basis, Fit, GpuForecast, Point, RamForecast, TimeForecast
from audio_encoder_checker.findings import Problem, Severity

USUAL_BYTES_PER_S = 50 * 768 * 4
"""Embeddings of a second of audio: 50 frames of 768 features, as wav2vec 2.0 and Whisper small give."""
MANY_TIMES = 4
GRADIENT_COSTS = 1.5
WORTH_A_WARNING = 0.5
"""Of the card: where a forecast that is not sure stays below, it would have to be wrong by half."""


def _gib(size: float) -> str:
    return f"{size / 2**30:.2f} GiB"


def _takes(gpu: GpuForecast, point: Point) -> str:
    has = f"a {gpu.card} has {_gib(gpu.limit_bytes)}"
    if gpu.measured and gpu.measured.of(point.batch, point.seconds):
        return f"{point.words} of audio ran out of memory on {gpu.measured.name}; {has}, and it was held to that"
    takes = "may take" if gpu.basis is Basis.EXTRAPOLATED else "takes"
    least, most = _gib(point.lower_bytes), _gib(point.upper_bytes)
    return f"{point.words} of audio {takes} {least} at least and {most} at most, {has}"


def _largest(gpu: GpuForecast) -> str:
    return f"; the largest tensor then: {gpu.largest[0]}" if gpu.largest else ""


def _at(gpu: GpuForecast) -> str:
    return next((place.line for place in gpu.largest if place.line), "")


@check("AEC701")
def gpu_memory(gpu: GpuForecast) -> Iterator[Problem]:
    """The encoder does not fit into the GPU.

    The organisers run every encoder on a T4 with 16 GB, of which about 14.5 GiB are left to a program. X-ARES encodes
    16 clips at a time, of up to 35 s where a task does not crop, and the rules promise ten minutes in one clip. A
    task that runs out of memory has no score.

    Fix: encode in chunks and join the frames:
        `torch.cat([self.model(part) for part in audio.split(30 * 16000, dim=-1)], dim=1)`.
    """
    for point in gpu.demanded:
        if point.fit is Fit.TOO_LARGE:
            limits = f"; one clip of up to {gpu.longest_s.value:g} s fits" if gpu.longest_s else ""
            yield Problem(_takes(gpu, point) + _largest(gpu) + limits, at=_at(gpu))
            return


@check("AEC702", severity=Severity.WARNING, follows=("AEC701",))
def gpu_memory_borderline(gpu: GpuForecast) -> Iterator[Problem]:
    """The encoder may not fit into the GPU.

    The card's memory lies between the least and the most that a call can take: whether it fits depends on fragments of
    the allocator, on workspaces of cuDNN, or on what the forecast could not follow. Or a call that has to fit could not
    be forecast at all.

    Fix: halve the memory with `self.model.half()` and `audio.half()`, return `.float()`; or encode in shorter chunks.
    """
    doubt = f"; {gpu.not_covered[0]}" if gpu.not_covered else ""
    for point in gpu.demanded:
        if point.fit is Fit.BORDERLINE and point.upper_bytes > WORTH_A_WARNING * gpu.limit_bytes:
            yield Problem(_takes(gpu, point) + _largest(gpu) + doubt, at=_at(gpu))
            return
    known = {(point.batch, point.seconds) for point in gpu.points}
    for batch, seconds in gpu.required if known else ():
        if (batch, seconds) not in known:
            yield Problem(f"{batch} x {seconds:g} s of audio could not be forecast{doubt}")
            return


@check("AEC703", severity=Severity.WARNING, follows=("AEC701", "AEC702"))
def quadratic_memory(gpu: GpuForecast) -> Iterator[Problem]:
    """Memory grows with the square of the length.

    Attention that holds the whole matrix of scores takes four times as much for twice the audio. Short clips do not
    show it; ten minutes do.

    Fix: use `torch.nn.functional.scaled_dot_product_attention` in float32 or float16 (`attn_implementation="sdpa"` in
        transformers), or attend within chunks.
    """
    if gpu.quadratic:
        yield Problem(f"{gpu.quadratic} for 120 s of audio, four times what it takes for 60 s", at=gpu.quadratic.line)


@check("AEC704")
def ram_memory(ram: RamForecast) -> Iterator[Problem]:
    """The encoder does not fit into RAM beside CUDA.

    A Colab session has 12.7 GiB of RAM, of which the system and CUDA's host side take 2 to 3.5 GiB. Most is taken while
    weights are loaded: a checkpoint read by `torch.load` lies in RAM beside the module that it is copied into.

    Fix: load with `torch.load(path, mmap=True, map_location="cpu")`, or from safetensors, and `del state` after that;
        or keep the weights in half precision.
    """
    if ram.fit in (Fit.TOO_LARGE, Fit.BORDERLINE):
        twice = ", about twice its weights" if ram.held_twice else ""
        yield Problem(
            f"RAM of {_gib(ram.lower_bytes)} to {_gib(ram.upper_bytes)} is needed, {_gib(ram.limit_bytes)} are there; "
            f"loading alone peaks at {_gib(ram.loading_bytes)}{twice}",
            severity=Severity.ERROR if ram.fit is Fit.TOO_LARGE else Severity.WARNING,
        )


@check("AEC705", severity=Severity.WARNING)
def slow_encoding(time: TimeForecast) -> Iterator[Problem]:
    """Encoding all tasks takes more than one session.

    The organisers encode more than a thousand hours of audio with every submission, and a session of Colab ends after
    twelve. An encoder that needs several sessions may not get a score for all tasks.

    Fix: use half precision on the GPU, and compute spectra with torch on the audio's device, not with numpy.
    """
    low, high = time.hours
    if low > time.session_hours:
        longest = sorted(time.tasks, key=lambda task: -task.hours[1])[:3]
        yield Problem(
            f"encoding {len(time.tasks)} tasks takes {low:.1f} to {high:.1f} h, a session lasts "
            f"{time.session_hours:g} h; {', '.join(task.task for task in longest)} take longest; "
            f"the CPU takes {time.cpu_share:.0%} of the time"
        )


@check("AEC706", severity=Severity.WARNING)
def bulky_embeddings(time: TimeForecast) -> Iterator[Problem]:
    """The embeddings of all tasks take far more disk than those of other encoders.

    X-ARES writes the embeddings of every task to disk as float32 before it trains on them. With 50 frames of 768
    features a second that is already some ten times what a Colab session has free.

    Fix: return fewer frames: pool neighbouring ones, `F.avg_pool1d(x.transpose(1, 2), 4).transpose(1, 2)`, and declare
        the longer hop.
    """
    hours = sum(task.hours[0] for task in time.tasks)
    low, high = time.disk_bytes
    if hours and time.bytes_per_s > MANY_TIMES * USUAL_BYTES_PER_S:
        yield Problem(
            f"the embeddings take {low / 1e9:.0f} to {high / 1e9:.0f} GB, "
            f"{time.bytes_per_s / USUAL_BYTES_PER_S:.0f} times as much as 50 frames of 768 features a second; "
            f"{time.disk_limit_bytes / 1e9:.0f} GB are free in a session"
        )


@check("AEC714", severity=Severity.NOTE, follows=("AEC527",))
def gradient_memory(gpu: GpuForecast) -> Iterator[Problem]:
    """Called without `no_grad`, the encoder takes a multiple of the memory.

    X-ARES encodes in inference mode, so its runs are not hurt; the official checker and your own scripts call the
    encoder with autograd on, where every activation is kept for a backward pass that never comes. `detach()` at the
    end is too late.

    Fix: write `@torch.no_grad()` above `def forward(self, audio):`.
    """
    if gpu.gradient_factor > GRADIENT_COSTS:
        yield Problem(f"{gpu.gradient_factor:.1f} times as much GPU memory with autograd on, for a batch of 10 s clips")


@check("AEC715", severity=Severity.NOTE, follows=("AEC702",))
def budget_not_covered(gpu: GpuForecast) -> Iterator[Problem]:
    """Part of the encoder could not be followed, so the forecast may be too low.

    Without a GPU, memory is forecast from torch's operations. Kernels of your own, libraries that allocate memory
    themselves, and code that branches on values are not seen, or not at every length.

    Fix: measure on Colab: `model(audio); print(torch.cuda.max_memory_allocated() / 2**30)` with 16 clips of 35 s, and
        with one of 600 s.
    """
    if gpu.not_covered:
        yield Problem("; ".join(gpu.not_covered))
