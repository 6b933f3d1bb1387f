"""What an encoder holds: its tensors under the names the participant gave them, and what cannot be followed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from types import ModuleType

LIMIT = 20_000  # objects
NESTING = 4  # containers and plain objects, one inside the other; modules do not count
PLAIN = (str, int, float)  # vocabularies hold more than the limit of them
MODULE_DICTS = ("_parameters", "_buffers", "_modules")
INTERNAL = frozenset(vars(torch.nn.Module())) - frozenset(MODULE_DICTS)
LIBRARIES = frozenset({"torch", "numpy", "builtins", "collections", "threading", "logging"})


@dataclass
class Holdings:
    """The result of a walk."""

    tensors: dict[int, tuple[str, torch.Tensor]] = field(default_factory=dict)  # by id: the first name is its name
    unseen: dict[str, str] = field(default_factory=dict)  # what the modes do not see inside of, by kind
    visited: set[int] = field(default_factory=set)

    def visit(self, value: Any, path: str, depth: int = NESTING) -> None:
        """Look at one value, and at what it holds."""
        if isinstance(value, torch.Tensor):
            self.tensors.setdefault(id(value), (path, value))
        elif depth and not isinstance(value, PLAIN) and id(value) not in self.visited and len(self.visited) < LIMIT:
            self.visited.add(id(value))
            self._enter(value, path, depth)

    def _enter(self, value: Any, path: str, depth: int) -> None:
        if isinstance(value, torch.jit.ScriptModule | torch.jit.ScriptFunction):
            self.unseen["script"] = f"TorchScript: what happens inside {path} does not show"
            if isinstance(value, torch.jit.ScriptModule):
                for name, tensor in value.named_parameters():
                    self.visit(tensor, f"{path}.{name}")
        elif isinstance(value, torch.nn.Module):
            self._enter_module(value, path, depth)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                self.visit(item, f"{path}[{index}]", depth - 1)
        elif isinstance(value, dict):
            for key, item in list(value.items()):
                self.visit(item, f"{path}[{key!r}]" if isinstance(key, str | int) else path, depth - 1)
        else:
            self._enter_object(value, path, depth)

    def _enter_module(self, module: torch.nn.Module, path: str, depth: int) -> None:
        if ".quantized" in type(module).__module__ and type(module).__module__.startswith("torch."):
            self.unseen["quantised"] = f"quantised layers: {path} has no kernels for CUDA, and does not show them"
        for name, value in list(vars(module).items()):
            if name in MODULE_DICTS:
                for key, item in list(value.items()):
                    self.visit(item, f"{path}[{key}]" if key.isdigit() else f"{path}.{key}", depth)
            elif name not in INTERNAL:
                self.visit(value, f"{path}.{name}", depth)
        self._enter_class(type(module), path)

    def _enter_object(self, value: Any, path: str, depth: int) -> None:
        kind = type(value)
        if isinstance(value, type) or kind.__module__.partition(".")[0] in LIBRARIES or not hasattr(kind, "__dict__"):
            return
        try:
            attributes = object.__getattribute__(value, "__dict__")
        except AttributeError:
            return
        for name, item in list(attributes.items()):
            self.visit(item, f"{path}.{name}", depth - 1)
        self._enter_class(kind, path)

    def _enter_class(self, kind: type, path: str) -> None:
        for ancestor in kind.__mro__:
            if ancestor.__module__.partition(".")[0] not in LIBRARIES:
                for name, value in list(vars(ancestor).items()):
                    if isinstance(value, torch.Tensor):
                        self.visit(value, f"{path}.{name}")


def survey(encoder: Any, root: str) -> Holdings:
    """Walk through an encoder, and through the globals of the repository's modules.

    Args:
        encoder: any object.
        root: the repository.

    Returns:
        What was found; nothing of the participant's is called.
    """
    holdings = Holdings()
    holdings.visit(encoder, "self")
    for module in list(sys.modules.values()):
        if _file(module).startswith(root + "/"):
            for name, value in list(vars(module).items()):
                if isinstance(value, torch.Tensor | torch.jit.ScriptFunction):
                    holdings.visit(value, f"{module.__name__}.{name}")
    return holdings


def _file(module: ModuleType) -> str:
    try:
        return str(vars(module).get("__file__") or "")
    except TypeError:  # what stands in for a module may be anything
        return ""
