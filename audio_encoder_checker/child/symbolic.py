"""Answers for code that asks symbolic tensors for data, which they do not have, or for their device."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHOLE = {"numpy": "numpy", "__array__": "numpy", "tolist": "tolist"}
"""Functions that want all values, and the method that gives them."""
DETACHED = frozenset({"numpy", "__array__", "__format__"})
VALUES = frozenset({"item", "__bool__", "__int__", "__float__", "__index__", "__contains__"})
SAME = frozenset({"equal", "allclose"})
"""Comparisons, mostly of what has to be the same."""
ANSWERS = VALUES | SAME | DETACHED | {"tolist"}
LOUDNESS = 0.1


class StandIns(TorchFunctionMode):
    """Answers what a symbolic tensor cannot, with noise or zeros of its shape.

    Attributes:
        asked: the functions that wanted data.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def __torch_function__(
        self, func: Callable[..., Any], _types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the function; where there is no data, call it on a stand-in."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name not in ANSWERS or not args or not isinstance(args[0], FakeTensor):
            return func(*args, **kwargs)
        if name in DETACHED:
            args[0].detach()  # as torch does, and so the same operations are seen
        if name == "__format__":
            return format(self.__torch_function__(torch.Tensor.item, (), args[:1]), *args[1:])
        if name in WHOLE:
            return self._answer(WHOLE[name], args[0])
        try:
            return func(*args, **kwargs)
        except Exception:  # whatever torch says of tensors without data
            if name in SAME:
                self.asked.add(name)
                return True
            return self._answer(name, args[0], *args[1:])

    def _answer(self, name: str, tensor: Any, *args: Any) -> Any:
        """What a method says of the stand-in, or of the data that torch kept."""
        self.asked.add(name)
        with _disable_current_modes():
            known = tensor.constant if tensor.constant is not None else stand_in(tensor)
            return getattr(known, name)(*args)


def stand_in(tensor: torch.Tensor) -> torch.Tensor:
    """A real tensor of the same shape."""
    with torch._C.DisableTorchFunction(), _disable_current_modes():  # noqa: SLF001 - torch's own name for it
        shape = tuple(tensor.shape)
        if tensor.dtype.is_floating_point:
            return torch.randn(shape, dtype=tensor.dtype).mul_(LOUDNESS)
        return torch.zeros(shape, dtype=tensor.dtype)


@contextlib.contextmanager
def devices_told_by(answer: Callable[[torch.Tensor], torch.device | None]) -> Iterator[None]:
    """Let symbolic tensors say where they are pretended to be, and ask for lists of their values as others do.

    Their `device` and `tolist` are their own, which no mode gets to see.

    Args:
        answer: the device that code shall see, or None while torch itself is asking.
    """
    own: Any = FakeTensor.device
    own_list = FakeTensor.tolist

    def device(tensor: Any) -> Any:
        told = None if tensor.fake_mode.in_kernel_invocation else answer(tensor)
        return told or own.fget(tensor)

    setattr(FakeTensor, "device", property(device, own.fset))  # noqa: B010 - mypy takes a property for a method
    setattr(FakeTensor, "tolist", torch.Tensor.tolist)  # noqa: B010 - same
    try:
        yield
    finally:
        setattr(FakeTensor, "tolist", own_list)  # noqa: B010 - same
        setattr(FakeTensor, "device", own)  # noqa: B010 - same
