"""torch's Python interface on a pretended card: what device a tensor is on, moves, and factories with `device=`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.utils._device
from torch.overrides import TorchFunctionMode

from .devices import OUT_OF_SIGHT, Call, Pretence
from .tags import CPU, CUDA, Tag, storage, tensors_in

if TYPE_CHECKING:
    from collections.abc import Callable

TO_NUMPY = "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
LENGTHS = "'lengths' argument should be a 1D CPU int64 tensor, but got 1D cuda:0 Long tensor"
GENERATOR = "Expected a 'cuda' device type for generator but found 'cpu'"
EXPORTED = "pickle or DLPack: where a tensor goes that leaves torch does not show"
PINNED = "cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be pinned"

FROM_DATA = frozenset({"tensor", "as_tensor", "asarray"})
FACTORIES = FROM_DATA | {
    "arange",
    "bartlett_window",
    "blackman_window",
    "empty",
    "empty_permuted",
    "empty_strided",
    "eye",
    "fft_fftfreq",
    "fft_rfftfreq",
    "frombuffer",
    "full",
    "hamming_window",
    "hann_window",
    "kaiser_window",
    "linspace",
    "logspace",
    "ones",
    "rand",
    "randint",
    "randn",
    "randperm",
    "range",
    "scalar_tensor",
    "sparse_coo_tensor",
    "sparse_csr_tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
}


class Functions(TorchFunctionMode):
    """Answers and moves. torch takes it off while it answers, so the calls in here are the real ones."""

    def __init__(self, pretence: Pretence) -> None:
        super().__init__()
        self.pretence = pretence
        self.tags = pretence.tags

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One call, or one attribute, of torch's Python interface."""
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name == "__get__":
            answer = ATTRIBUTES.get(func.__self__.__name__)
            return answer(self, args[0]) if answer else func(*args, **kwargs)
        method = METHODS.get(name)
        if method:
            return method(self, func, args, kwargs)
        if func is torch.device:
            return torch.device("cuda", *args) if args and type(args[0]) is int else func(*args, **kwargs)
        if name in FACTORIES or kwargs.get("device") is not None:
            return self._make(name, func, args, kwargs)
        self._check_generator(name, kwargs, self.pretence.whereabouts(args) if "generator" in kwargs else CPU)
        return self._call(Call(name, (args, kwargs)), func, args, kwargs)

    def _call(self, call: Call, func: Any, args: Any, kwargs: Any) -> Any:
        self.pretence.calls.append(call)
        try:
            return func(*args, **kwargs)
        finally:
            self.pretence.calls.pop()

    def device(self, tensor: torch.Tensor) -> torch.device:
        """The pretended device."""
        if tensor.is_meta:
            return torch.device("meta")
        tag = self.tags.of(tensor)
        if tag is None and tensor.layout is torch.strided and storage(tensor) is tensor:
            self.pretence.lost = OUT_OF_SIGHT
        return torch.device(CUDA, 0) if tag and tag.device == CUDA else torch.device(CPU)

    def get_device(self, _func: Any, args: Any, _kwargs: Any) -> int:
        """The card's number, -1 for the CPU."""
        return 0 if self.tags.device(args[0]) == CUDA else -1

    def to(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`x.to(device)`, `x.to(dtype)`, `x.to(other)`."""
        first = args[1] if len(args) > 1 else None
        wanted = kwargs.get("device", kwargs.get("other", first))
        if isinstance(wanted, torch.Tensor):
            return self._move(Call("to", args, self.tags.device(wanted)), func, args, kwargs)
        if wanted is None or isinstance(wanted, torch.dtype):
            return self._call(Call("to", args), func, args, kwargs)
        device = self.pretence.target(wanted, "to")
        if device and "device" in kwargs:
            kwargs["device"] = CPU
        elif device:
            args = (args[0], CPU, *args[2:])
        return self._move(Call("to", args, device), func, args, kwargs)

    def cuda(self, _func: Any, args: Any, kwargs: Any) -> Any:
        """`x.cuda()`."""
        wanted = kwargs.pop("device", args[1] if len(args) > 1 else None)
        self.pretence.target(CUDA if wanted is None else wanted, "cuda")
        return self._move(Call("cuda", args, CUDA), torch.Tensor.to, (args[0], CPU), kwargs)

    def cpu(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`x.cpu()`."""
        return self._move(Call("cpu", args, CPU), func, args, kwargs)

    def type_as(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`x.type_as(other)`."""
        return self._move(Call("type_as", args, self.pretence.whereabouts((args[1:], kwargs))), func, args, kwargs)

    def type(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`x.type()`, `x.type(dtype)`, and old names such as `torch.cuda.FloatTensor`, which say a device too."""
        wanted = kwargs.pop("dtype", args[1] if len(args) > 1 else None)
        if wanted is None:
            name = str(func(args[0]))
            return name.replace("torch.", "torch.cuda.") if self.tags.device(args[0]) == CUDA else name
        if isinstance(wanted, torch.dtype):
            return self._call(Call("type", args), func, (args[0], wanted), kwargs)
        name = wanted if isinstance(wanted, str) else f"{wanted.__module__}.{wanted.__name__}"
        call = Call("type", args, CUDA if ".cuda." in name else CPU)
        return self._move(call, func, (args[0], name.replace("torch.cuda.", "torch.")), kwargs)

    def numpy(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`x.numpy()` and `numpy.asarray(x)`."""
        if self.tags.device(args[0]) == CUDA and not kwargs.get("force"):
            self.pretence.refuse(TypeError(TO_NUMPY), "numpy", "numpy")
        return self._call(Call("numpy", args), func, args, kwargs)

    def pin(self, _func: Any, args: Any, _kwargs: Any) -> Any:
        """`x.pin_memory()`: a copy on the CPU."""
        if self.tags.device(args[0]) == CUDA:
            self.pretence.refuse(RuntimeError(PINNED), "other", "pin_memory")
        return self._call(Call("pin_memory", args), torch.Tensor.clone, args[:1], {})

    def pack(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`pack_padded_sequence`: lengths have to be on the CPU, and the batch sizes are."""
        if self.pretence.whereabouts(args[1:2]) == CUDA:
            self.pretence.refuse(RuntimeError(LENGTHS), "other", "pack_padded_sequence", "lengths")
        return self._second_on_cpu("pack_padded_sequence", func, args, kwargs)

    def unpack(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`pad_packed_sequence`: the lengths that it returns are on the CPU."""
        return self._second_on_cpu("pad_packed_sequence", func, args, kwargs)

    def _second_on_cpu(self, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        result = self._call(Call(name, args), func, args, kwargs)
        self.tags.put(result[1], Tag(CPU, self.pretence.here(name)))
        return result

    def export(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Pickling, or DLPack: what is made of it later comes back from out of sight."""
        if self.tags.device(args[0]) == CUDA:
            self.pretence.lost = EXPORTED
        return self._call(Call("export", args), func, args, kwargs)

    def _make(self, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        """A new tensor, on the device that is given, or on the default one."""
        wanted = kwargs.get("device")
        if wanted is None:
            if name in FROM_DATA and args and isinstance(args[0], torch.Tensor):
                return self._call(Call(name, (args, kwargs)), func, args, kwargs)  # stays where it is
            wanted = torch.utils._device.CURRENT_DEVICE  # noqa: SLF001 - `get_default_device` would make a tensor there
        device = CPU if wanted is None else self.pretence.target(wanted, name)
        if device and wanted is not None:
            kwargs["device"] = CPU
        kwargs.pop("pin_memory", None)  # nothing here can pin
        self._check_generator(name, kwargs, device)
        return self._move(Call(name, (args, kwargs), device), func, args, kwargs)

    def _move(self, call: Call, func: Any, args: Any, kwargs: Any) -> Any:
        """A call whose result is on a given device: where torch handed on the storage of an argument, copy it."""
        result = self._call(call, func, args, kwargs)
        if not call.device or not isinstance(result, torch.Tensor):
            return result
        if self.tags.device(result) == call.device:
            return result
        if all(storage(result) is not storage(tensor) for tensor in tensors_in((args, kwargs))):
            self.tags.put(result, Tag(call.device, self.pretence.here(call.function)))
            return result
        return self._call(call, torch.Tensor.clone, (result,), {})

    def _check_generator(self, name: str, kwargs: Any, device: str) -> None:
        if device == CUDA and isinstance(kwargs.get("generator"), torch.Generator):
            self.pretence.refuse(RuntimeError(GENERATOR), "other", name, "generator")


ATTRIBUTES: dict[str, Callable[[Functions, torch.Tensor], Any]] = {
    "device": Functions.device,
    "is_cuda": lambda functions, tensor: functions.device(tensor).type == CUDA,
    "is_cpu": lambda functions, tensor: functions.device(tensor).type == CPU,
}
METHODS: dict[str, Callable[[Functions, Any, Any, Any], Any]] = {
    "get_device": Functions.get_device,
    "to": Functions.to,
    "cuda": Functions.cuda,
    "cpu": Functions.cpu,
    "type_as": Functions.type_as,
    "type": Functions.type,
    "numpy": Functions.numpy,
    "__array__": Functions.numpy,
    "pin_memory": Functions.pin,
    "__reduce_ex__": Functions.export,
    "__dlpack__": Functions.export,
    "_pack_padded_sequence": Functions.pack,
    "_pad_packed_sequence": Functions.unpack,
}
