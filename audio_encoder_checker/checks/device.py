"""AEC53x: tensors on the wrong device, on a GPU or on a pretended one."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.device import Culprit, DeviceFacts, Mistake
from audio_encoder_checker.findings import Problem


def _where(device: DeviceFacts) -> str:
    return "on a pretended GPU (imitated on the CPU)" if device.pretended else "on the GPU"


@check("AEC530")
def tensor_left_on_cpu(device: DeviceFacts) -> Iterator[Problem]:
    """The encoder mixes tensors on the GPU with tensors on the CPU.

    X-ARES calls `encoder.to("cuda")`, which moves parameters and buffers only, and hands over audio that is on the
    GPU. What `__init__` keeps as a plain attribute, and what `forward` makes without `device=`, stays on the CPU, and
    the first operation that meets both raises an exception. The official checker, which runs on the CPU, sees nothing.

    Fix: keep constants with `self.register_buffer(name, tensor)`, models as submodules, and make tensors with
        `device=audio.device`.
    """
    culprit = device.culprit
    if culprit and culprit.mistake in (Mistake.ATTRIBUTE, Mistake.FACTORY, Mistake.OTHER):
        operation = f"`{culprit.operation}`" if culprit.operation else "an operation"
        message = f"{_where(device)}, {operation} meets {_tensor(culprit)} on the CPU"
        yield Problem(message, _at(device, culprit), _hint(culprit))


def _tensor(culprit: Culprit) -> str:
    if culprit.mistake is Mistake.ATTRIBUTE and culprit.name:
        return f"{culprit.name}, which is"
    if culprit.mistake is Mistake.FACTORY and culprit.made:
        maker = f"`{culprit.name}`" if culprit.name else "the line"
        return f"a tensor that {maker} at {culprit.made.file}:{culprit.made.line} made"
    return "a tensor that is"


def _at(device: DeviceFacts, culprit: Culprit) -> str:
    """Where it was made if that is known, else where it failed."""
    made = culprit.made
    return f"{made.file}:{made.line}" if made else device.outcome.at


def _hint(culprit: Culprit) -> str:
    if culprit.mistake is Mistake.ATTRIBUTE and "[" in culprit.name:
        return f"keep models where torch sees them: `{culprit.name.partition('[')[0]} = torch.nn.ModuleList([...])`"
    if culprit.mistake is Mistake.ATTRIBUTE and culprit.name:
        short = culprit.name.rpartition(".")[2]
        return f"in `__init__`: `self.register_buffer({short!r}, ..., persistent=False)`, and use `self.{short}`"
    if culprit.mistake is Mistake.FACTORY:
        return "add `device=audio.device` to the call that makes it"
    return ""


@check("AEC531")
def numpy_on_gpu_tensor(device: DeviceFacts) -> Iterator[Problem]:
    """The encoder turns a tensor on the GPU into a numpy array.

    numpy lives on the CPU: `.numpy()` of a tensor on the GPU raises a TypeError. On the CPU, where the official
    checker runs, it works.

    Fix: write `.detach().cpu().numpy()`, and bring the result back with `.to(audio.device)`.
    """
    if device.culprit and device.culprit.mistake is Mistake.NUMPY:
        yield Problem(f"{_where(device)}: {device.outcome}", device.outcome.at)


@check("AEC532")
def device_that_is_not_there(device: DeviceFacts) -> Iterator[Problem]:
    """The encoder asks for a device that the organisers' machine does not have.

    A Colab session has one GPU, `cuda:0`; X-ARES moves the encoder itself.

    Fix: use `audio.device`, or `next(self.parameters()).device`, in place of a device that you name.
    """
    if device.culprit and device.culprit.mistake is Mistake.ORDINAL:
        yield Problem(f"{_where(device)}: {device.outcome}", device.outcome.at)
