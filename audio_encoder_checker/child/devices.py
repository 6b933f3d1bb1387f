"""What is refused on a pretended card, and the kernels' side of the pretence.

Each refusal is the exception that CUDA raises, and is remembered with its culprit, so that it is told from everything
else that foreign code may raise.

A composite operation of torch makes tensors by itself (a window of ones, a hidden state of zeros). Such a one has no
inputs, and belongs to the device of the call that it happens in: `Pretence.calls` holds these. What comes without
any call (TorchScript, an extension in C++) is neither judged nor believed.
"""

from __future__ import annotations

import linecache
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode

from .tags import CPU, CUDA, Origin, Tag, Tags, storage, telling, tensors_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

MIXED = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
INDICES = "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
ORDINAL = "CUDA error: invalid device ordinal"

OWN_NAMESPACES = frozenset({"aten", "prim", "prims"})
# Copies go between devices; the others look at no values, or want an argument on the CPU (lengths, sizes of batches).
FREE = frozenset({"copy_", "_to_copy", "set_", "lift_fresh", "result_type", "is_same_size", "resize_as_"}) | {
    *("_pack_padded_sequence", "_pad_packed_sequence", "gru", "lstm", "rnn_tanh", "rnn_relu"),
}
INDEXING = frozenset({"index", "_unsafe_index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put"})
JOINING = frozenset({"cat", "stack"})  # the only common ones that refuse numbers on the CPU as well
UNSEEN = frozenset({"empty", "lift_fresh", "set_"})  # `torch.Tensor(...)`, `from_numpy` and `torch.load` show no call

KNOWN = (torch.Tensor, torch.nn.Parameter, FakeTensor)
"""Classes of tensor that have a storage, and no ways of their own."""

SCRIPT = "TorchScript, or an extension in C++: what happens inside does not show"
OUT_OF_SIGHT = "a tensor class or a transform of its own (torch.func): its tensors have no storage to follow"


@dataclass
class Call:
    """A call of torch's Python interface that is going on."""

    function: str
    arguments: tuple[Any, ...]
    device: str = ""  # where its results go, if it says so


class Pretence:
    """What all parts share: the books, the calls going on, the refusals.

    Args:
        root: the participant's repository; only its lines are told as places.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.tags = Tags()
        self.calls: list[Call] = []
        self.refusals: list[tuple[Exception, dict[str, Any]]] = []
        self.blind: dict[str, str] = {}  # why tensors may come from out of sight, by cause
        self.lost = ""  # why nothing can be refused any more
        self.withheld = ""  # why a refusal was not raised

    def here(self, function: str) -> Origin:
        """The participant's innermost line that is running, as an origin."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - `inspect` would read source files, for each tensor
        prefix = self.root + "/"
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith(prefix):
                return Origin(function, file, frame.f_lineno)
            frame = frame.f_back
        return Origin(function)

    def refuse(self, error: Exception, kind: str, operation: str, name: str = "", origin: Origin | None = None) -> None:
        """Raise an error of CUDA's, unless it may be a fault of the pretence.

        Args:
            error: as CUDA raises it.
            kind: `attribute`, `factory`, `numpy`, `ordinal` or `other`.
            operation: what refuses.
            name: what is to blame, as the participant would say it.
            origin: where the tensor to blame was made.
        """
        if self.lost:
            self.withheld = self.lost
            return
        origin = origin or Origin()
        culprit = {
            "kind": kind,
            "name": name[:200],
            "file": origin.file[len(self.root) + 1 :][:300],
            "line": origin.line,
            "text": linecache.getline(origin.file, origin.line).strip()[:200] if origin.file else "",
            "op": operation[:100],
        }
        self.refusals.append((error, culprit))
        raise error

    def refuse_mixture(self, message: str, operation: str, strangers: Iterable[torch.Tensor]) -> None:
        """Refuse an operation because of tensors on the CPU, if it is sure that they would be there."""
        tags = [self.tags.of(tensor) for tensor in strangers]
        if self.blind and None in tags:
            self.withheld = next(iter(self.blind.values()))
            return
        origin = telling([tag.origin for tag in tags if tag])
        kind = "attribute" if origin.attribute else "factory" if origin.function else "other"
        self.refuse(RuntimeError(message), kind, operation, origin.attribute or origin.function, origin)

    def target(self, device: Any, function: str) -> str:
        """`cuda` or `cpu` for what code gives as a device, empty for any other; a second card is refused."""
        device = torch.device("cuda", device) if isinstance(device, int) else torch.device(device)
        if device.type == CUDA and device.index:
            self.refuse(RuntimeError(ORDINAL), "ordinal", function, str(device))
        return str(device.type) if device.type in (CUDA, CPU) else ""

    def gaps(self) -> list[str]:
        """What was not judged, in words."""
        return [self.withheld, self.lost, *self.blind.values()]

    def whereabouts(self, values: Any) -> str:
        """CUDA if one of the tensors is there."""
        return CUDA if any(self.tags.device(tensor) == CUDA for tensor in tensors_in(values)) else CPU


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not type it
    """Tags each new storage with the device of its inputs, and refuses to mix devices where CUDA would."""

    whole: frozenset[Any] = frozenset()
    """Composite operations that are not taken apart."""

    def __init__(self, pretence: Pretence) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # same
        self.pretence = pretence
        self.tags = pretence.tags

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation: judge its inputs, run it on the CPU, enter its results."""
        kwargs = kwargs or {}
        if func.namespace == "prim":  # questions about a tensor
            return func(*args, **kwargs)
        if any(kind.__torch_dispatch__ is not torch.Tensor.__torch_dispatch__ for kind in types if kind not in KNOWN):
            self.pretence.lost = OUT_OF_SIGHT
        parts = self._in_parts(func, args, kwargs)
        if parts is not NotImplemented:
            return parts
        call = self.pretence.calls[-1] if self.pretence.calls else None
        inputs = list(tensors_in((args, kwargs)))
        tags = [self.tags.of(tensor) for tensor in inputs]
        devices = {tag.device if tag else CPU for tag in tags}
        if len(devices) > 1 and call and func.namespace in OWN_NAMESPACES:
            self._judge(func, args, inputs)
        unknown = [storage(tensor) for tensor, tag in zip(inputs, tags, strict=True) if tag is None]
        result = self.perform(func, args, kwargs, CUDA in devices)
        new = self._new(_name(func), result, unknown)
        if new:
            self._note(func, call)
            self._enter(new, self._tag(_name(func), call, tags))
        self.performed(func, args, kwargs, result)
        return result

    def _in_parts(self, func: Any, args: Any, kwargs: Any) -> Any:
        """The result of a composite operation: autograd takes it apart, and without autograd nobody else does."""
        if not torch.is_inference_mode_enabled() or func.namespace != "aten" or func in self.whole:
            return NotImplemented
        with self:
            return func.decompose(*args, **kwargs)

    def _enter(self, new: list[torch.Tensor], tag: Tag | None) -> None:
        if tag:
            for tensor in new:
                self.tags.put(tensor, tag)

    def perform(self, func: Any, args: Any, kwargs: Any, _on_card: bool) -> Any:
        """Run an operation on the CPU."""
        return func(*args, **kwargs)

    def performed(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """It is done, and its results are in the books."""

    def _new(self, name: str, result: Any, unknown: list[Any]) -> list[torch.Tensor]:
        """The tensors of a result whose storage is not in the books, and is none of the inputs' that are not either."""
        new = [tensor for tensor in tensors_in(result) if self.tags.of(tensor) is None]
        if name == "lift_fresh":  # hands on what was just made from data
            return new
        return [tensor for tensor in new if all(storage(tensor) is not held for held in unknown)]

    def _judge(self, func: Any, args: Any, inputs: list[torch.Tensor]) -> None:
        """Refuse what CUDA refuses; numbers (no dimensions) may stay on the CPU."""
        name = _name(func)
        if name in FREE:
            return
        if name in INDEXING:
            target, indices, values = args[0], args[1], args[2:3]
            if self.tags.device(target) == CPU and self.pretence.whereabouts(indices) == CUDA:
                self.pretence.refuse_mixture(INDICES, str(func), [target])
            inputs = list(tensors_in((target, values)))
        if self.pretence.whereabouts(inputs) == CUDA:
            strangers = [t for t in inputs if (t.dim() or name in JOINING) and self.tags.device(t) == CPU]
            if strangers:
                self.pretence.refuse_mixture(MIXED, str(func), strangers)

    def _note(self, func: Any, call: Call | None) -> None:
        """Remember what cannot be followed."""
        if func.namespace not in OWN_NAMESPACES:
            self.pretence.blind[func.namespace] = f"operators of {func.namespace}: it is not known what they do on CUDA"
        elif call is None and _name(func) not in UNSEEN:
            self.pretence.blind.setdefault("script", SCRIPT)

    def _tag(self, name: str, call: Call | None, inputs: list[Tag | None]) -> Tag | None:
        """The tag of new results; None where it cannot be known."""
        device = self._device(name, call, inputs)
        if device != CPU:
            return Tag(device) if device else None
        origin = telling([tag.origin for tag in inputs if tag and tag.device == CPU])
        if origin == Origin():
            origin = self.pretence.here(call.function if call else "from data")
        return Tag(CPU, origin)

    def _device(self, name: str, call: Call | None, inputs: list[Tag | None]) -> str:
        """Where new results are; empty where it cannot be known."""
        if call and call.device:
            return call.device
        if any(tag and tag.device == CUDA for tag in inputs):
            return CUDA
        if name == "lift_fresh" or (call and not inputs):
            return self.pretence.whereabouts(call.arguments) if call else CPU
        return "" if call is None or (self.pretence.blind and None in inputs) else CPU


def _name(func: Any) -> str:
    """`add` of `aten::add.Tensor`."""
    return str(func._schema.name.partition("::")[2])  # noqa: SLF001 - nothing public tells it apart from the overload
