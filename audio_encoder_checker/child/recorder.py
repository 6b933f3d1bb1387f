"""Write down what every operation takes and does, on a pretended card, with real tensors or with symbolic ones."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch._C._profiler import _RecordFunctionFast
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import _disable_current_modes

from . import kernels, shapes
from .devices import Operators, Pretence
from .ledger import ON_CPU, POSSIBLE, TEMPORARY, Operation
from .tags import CPU, CUDA, Tag, storage, tensors_in

if TYPE_CHECKING:
    from types import FrameType

    from torch._subclasses.fake_tensor import FakeTensorMode

MARK = "aecc:"
PAUSE_S = 0.001
"""Python that runs longer between two operations is work of its own: numpy, most likely."""
NUMBERS = 4096
"""So many whole numbers in a tensor that has data keep it."""
INTEGERS = (torch.int64, torch.int32, torch.bool)
TORCH = str(Path(torch.__file__).parent)
OWN = str(Path(__file__).parent)
LIBRARY = "site-packages/"


class Recorder(Operators):  # type: ignore[no-untyped-call]  # torch does not type its base
    """Keeps a ledger.

    Args:
        pretence: the books of devices; its storages are entered into the ledger.
        symbolic: the mode under which tensors have no data, None for a real run.
        marks: have the profiler see where each operation begins and ends.
        hidden: bytes per byte of input that the CPU's kernels were seen to take beside their output, by operation.
    """

    whole = kernels.WHOLE

    def __init__(
        self, pretence: Pretence, symbolic: FakeTensorMode | None = None, *, marks: bool = False,
        hidden: dict[str, float] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(pretence)
        self.symbolic = symbolic
        self.marks = marks
        self.hidden = hidden or {}
        self.ledger = pretence.tags.ledger
        self.unsure: set[str] = set()
        self.cpu_s = 0.0
        self.busy = 0
        self._on_card = False
        self._left = time.thread_time()

    def begin_call(self) -> None:
        """The encoder is where it belongs: what it has are the weights."""
        self.ledger.begin_call()
        self.cpu_s = 0.0
        self._left = time.thread_time()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation; while torch takes it apart, `busy` says that it is torch that asks."""
        self.busy += 1
        try:
            return super().__torch_dispatch__(func, types, args, kwargs)
        finally:
            self.busy -= 1

    def perform(self, func: Any, args: Any, kwargs: Any, on_card: bool) -> Any:
        """Run an operation, and take the time of what a graphics card leaves to the CPU."""
        self._on_card = on_card
        self.ledger.operations.append(Operation(str(func.overloadpacket)))
        start = time.thread_time()
        if start - self._left > PAUSE_S:
            self.cpu_s += start - self._left
        mark = f"{MARK}{len(self.ledger.operations) - 1}"
        try:
            if self.symbolic:
                return self._shapes(func, args, kwargs)
            with _RecordFunctionFast(mark) if self.marks else contextlib.nullcontext():
                result = func(*args, **kwargs)
        except Exception:  # it may be caught, or a stand-in may answer: it was asked for all the same
            self.ledger.work.extend((0.0,) * 4)
            raise
        if not on_card:
            self.cpu_s += time.thread_time() - start
        return result

    def performed(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Enter what the kernel takes, and what it does."""
        operation = self.ledger.operations[-1]
        results = list(tensors_in(result))
        on_card = self._on_card or any(self.tags.device(tensor) == CUDA for tensor in results)
        inputs = list(tensors_in((args, kwargs)))
        if results:
            operation.shape = tuple(results[0].shape)
            held = {id(storage(tensor)) for tensor in inputs}  # what a view or an in-place operation returns
            new = [one for one in results if not func.is_view and id(storage(one)) not in held]
            operation.size = sum(map(kernels.nbytes, new))
        operation.dtype = str(inputs[0].dtype).removeprefix("torch.") if inputs else ""
        row: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
        if not func.is_view:
            row = kernels.work(func, args, kwargs, result, [*inputs, *results])
            operation.read = sum(map(kernels.nbytes, inputs))
            if on_card:
                self._take(operation, *kernels.temporaries(func, args, kwargs))
        operation.line, operation.library = places(self.pretence.root)
        self.ledger.work.extend((*row[:3], row[3] + (0 if on_card else ON_CPU)))
        self._left = time.thread_time()

    def _take(self, operation: Operation, sure: int, possible: int) -> None:
        """What the kernel takes and gives back, and what the CPU's was seen to take beyond that."""
        found = int(self.hidden.get(operation.name, 0.0) * operation.read)
        for size, kind in ((sure, TEMPORARY), (max(possible, found), POSSIBLE)):
            if size > 0:
                self.ledger.pass_through(size, kind)
        operation.taken = sure
        operation.size += sure

    def _shapes(self, func: Any, args: Any, kwargs: Any) -> Any:
        """The results of an operation without their data; small numbers, lengths mostly, keep theirs."""
        if self._are_numbers(args, kwargs):
            with _disable_current_modes():
                return func(*args, **kwargs)
        args, kwargs = self._symbols(args), self._symbols(kwargs)
        result, guessed = shapes.of(func, args) or (func(*args, **kwargs), "")
        if guessed:
            self.unsure.add(guessed)
        return result

    def _are_numbers(self, args: Any, kwargs: Any) -> bool:
        tensors = list(tensors_in((args, kwargs)))
        return bool(tensors) and all(
            not isinstance(one, FakeTensor) and one.numel() <= NUMBERS and one.dtype in INTEGERS for one in tensors
        )

    def _symbols(self, value: Any, depth: int = 4) -> Any:
        """Arguments with symbolic tensors for real ones, which stand for the same memory."""
        if isinstance(value, torch.Tensor):
            return self.symbol(value)
        if depth and isinstance(value, list | tuple):
            return type(value)(self._symbols(item, depth - 1) for item in value)
        if depth and isinstance(value, dict):
            return {key: self._symbols(item, depth - 1) for key, item in value.items()}
        return value

    def symbol(self, tensor: torch.Tensor) -> torch.Tensor:
        """The symbolic tensor for a real one."""
        if isinstance(tensor, FakeTensor) or self.symbolic is None:
            return tensor
        fake = self.symbolic.from_tensor(tensor)
        if self.tags.of(fake) is None:
            known = self.tags.of(tensor)
            if known:
                self.tags.alias(storage(fake), known)
            else:
                self.tags.put(fake, Tag(CPU))
        return fake


def places(root: str) -> tuple[str, str]:
    """`file:line` of the participant's innermost line that is running, and of the library's that it calls."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - `inspect` would read source files, for each operation
    own = root + "/"
    library = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(own):
            return f"{file[len(own) :]}:{frame.f_lineno}", library
        if not library and LIBRARY in file and not file.startswith(TORCH):
            library = f"{file.rpartition(LIBRARY)[2]}:{frame.f_lineno}"
        frame = frame.f_back
    return "", library
