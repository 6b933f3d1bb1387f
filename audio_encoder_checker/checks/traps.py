"""AEC707 to AEC713: what the sources and requirements ask of the card that the organisers' T4 does not do, or badly.

The text is read, nothing is run: no other machine shows these before the organisers' does.
"""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.traps import Trap, TrapFacts, TrapKind
from audio_encoder_checker.findings import Problem, Severity

AMPERE = "torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)"


def _problem(found: tuple[Trap, ...], words: str, hint: str, severity: Severity | None = None) -> Problem:
    """One problem for all places: the first is pointed at, the others are counted."""
    more = len(found) - 1
    rest = f"; and {more} more place{'' if more == 1 else 's'}" if more else ""
    doubt = "" if found[0].sure else ", if that is reached" if found[0].file.endswith(".py") else ", which is required"
    return Problem(f"{found[0].what}{doubt}: {words}{rest}", found[0].at, hint, severity)


@check("AEC707", severity=Severity.WARNING, stage="source")
def bf16_on_t4(traps: TrapFacts) -> Iterator[Problem]:
    """The encoder computes in bfloat16, which a T4 only emulates.

    A T4 has no bfloat16: it computes in float32 and rounds, which is slower than float32. Attention in bfloat16 takes
    the slow path there, which holds the whole matrix of scores: memory grows with the square of the length.
    `torch.cuda.is_bf16_supported()` does not help, as it is True for an emulation too.

    Fix: choose by the card: `torch.float16 if torch.cuda.is_available() else torch.float32`.
    """
    found = traps.of(TrapKind.BF16)
    if found:
        words = "a T4 emulates bfloat16 in float32 (torch.cuda.is_bf16_supported() is True there all the same)"
        yield _problem(found, words, f"dtype = torch.bfloat16 if {AMPERE} else torch.float32")


@check("AEC708", stage="source")
def flash_attention_on_t4(traps: TrapFacts) -> Iterator[Problem]:
    """The encoder needs FlashAttention, which a T4 does not run.

    FlashAttention's kernels begin with compute capability 8.0, a T4 has 7.5. There the import or the first call ends
    with "FlashAttention only supports Ampere GPUs or newer", or with "No available kernel". torch's own attention is
    exact as well, and in float32 and float16 it is as sparing with memory.

    Fix: use `torch.nn.functional.scaled_dot_product_attention`, in transformers `attn_implementation="sdpa"`.
    """
    found = traps.of(TrapKind.FLASH)
    if found:
        words = "FlashAttention only supports Ampere GPUs or newer, a T4 is older"
        yield _problem(found, words, _flash_hint(found[0]), None if found[0].sure else Severity.WARNING)


def _flash_hint(trap: Trap) -> str:
    if not trap.file.endswith(".py"):
        return f"sed -i '{trap.line}d' {trap.at.rpartition(':')[0]}"
    if "SDPBackend" in trap.what:
        return "with sdpa_kernel([SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]):"
    if trap.what.startswith("flash-attn"):
        turned = ", ".join(f"{one}.transpose(1, 2)" for one in "qkv")
        return f"y = torch.nn.functional.scaled_dot_product_attention({turned}).transpose(1, 2)"
    return 'attn_implementation="sdpa"'


@check("AEC709", stage="source")
def fp8_on_t4(traps: TrapFacts) -> Iterator[Problem]:
    """The encoder computes in 8-bit floating point, which a T4 cannot.

    Products of 8-bit numbers need compute capability 8.9, a T4 has 7.5: the call fails there. Tensors can be kept in
    such a format on any card, but have to be cast before they are computed with.

    Fix: keep and compute in half precision: `model = model.half()`.
    """
    found = traps.of(TrapKind.FP8)
    if found:
        words = "products in fp8 need compute capability 8.9, a T4 has 7.5"
        yield _problem(found, words, "model = model.half()", None if found[0].sure else Severity.WARNING)


@check("AEC710", severity=Severity.NOTE, stage="source")
def relies_on_tf32(traps: TrapFacts) -> Iterator[Problem]:
    """TF32 is switched on, which a T4 does not have.

    The switch has no effect there: products are computed in full float32. Scores may differ a little from those on your
    card, and encoding is slower than you measured.

    Fix: measure without it: `torch.set_float32_matmul_precision("highest")`.
    """
    found = traps.of(TrapKind.TF32)
    if found:
        hint = 'torch.set_float32_matmul_precision("highest")'
        if "cudnn" in found[0].text:
            hint = "torch.backends.cudnn.allow_tf32 = False"
        words = f"`{found[0].text}` has no effect on a T4, results and speed differ from a newer card's"
        yield Problem(words, found[0].at, hint)


@check("AEC711", severity=Severity.WARNING, follows=("AEC707",), stage="source")
def compiles_bf16(traps: TrapFacts) -> Iterator[Problem]:
    """The encoder compiles a model that may compute in bfloat16.

    The code that torch.compile generates for bfloat16 needs compute capability 8.0. On a T4 compiling ends with
    "Feature '.bf16' requires .target sm_80", or newer versions of torch warn and do not compile. float32 and float16
    compile.

    Fix: compile on newer cards only, or in float16.
    """
    found = traps.of(TrapKind.COMPILE_BF16)
    if found:
        words = "the same file uses bfloat16, and code compiled for that needs compute capability 8.0, a T4 has 7.5"
        yield _problem(found, words, f"model = torch.compile(model) if {AMPERE} else model")


@check("AEC712", severity=Severity.WARNING, stage="source")
def wheel_without_sm75(traps: TrapFacts) -> Iterator[Problem]:
    """The encoder needs a package whose wheels often hold no code for a T4.

    Packages with CUDA kernels of their own are mostly built for newer cards. On a T4 their first kernel then ends with
    "no kernel image is available for execution on the device", or pip builds them for an hour.

    Fix: use torch's own operations, or build the package for compute capability 7.5.
    """
    found = traps.of(TrapKind.WHEEL)
    if found:
        name = found[0].what
        hint = f'TORCH_CUDA_ARCH_LIST="7.5" pip install --no-build-isolation --no-binary {name} {name}'
        yield _problem(found, "its wheels often hold no code for a T4 (sm_75)", hint)


@check("AEC713", severity=Severity.WARNING, stage="source")
def quantised_for_cpu(traps: TrapFacts) -> Iterator[Problem]:
    """The encoder is quantised for CPUs.

    Layers that torch's own quantisation makes have no CUDA kernels. `.to("cuda")` leaves their weights on the CPU, and
    the first call with audio on the GPU fails.

    Fix: quantise on a CPU only; on the GPU use half precision.
    """
    found = traps.of(TrapKind.QUANTISED)
    if found:
        name = "torch.ao.quantization.quantize_dynamic"
        hint = f"model = model.half() if torch.cuda.is_available() else {name}(model)"
        yield _problem(
            found, "quantised layers have no CUDA kernels, on the organisers' GPU the first call fails", hint
        )
