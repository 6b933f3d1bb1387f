"""Import the encoder file and construct the encoder, exactly as X-ARES finds it."""

from __future__ import annotations

import importlib
import importlib.machinery
import multiprocessing
import sys
from typing import Any

import torch

ATTRIBUTES = ("sampling_rate", "output_dim", "hop_size_in_ms")
OFFICIAL_CHECKER = "audio_encoder_checker"


class EncoderNotFoundError(Exception):
    """`dir(module)` does not hold exactly one name that X-ARES would take."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{len(names)} names")
        self.names = names


class OwnCheckerFinder:
    """Let `import audio_encoder_checker` find the file at the submission's root, as it does for the organisers.

    Every submission brings a file of that name, and a package of that name may be installed beside torch.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        """Look for that one name at the root only."""
        return importlib.machinery.PathFinder.find_spec(name, [self.root]) if name == OFFICIAL_CHECKER else None


def prepare(root: str, module: str) -> None:
    """Put the repository last on the path: what it brings hides neither torch nor the standard library.

    The command line is that of X-ARES (`python -m xares.run ENCODER TASK...`), so that an encoder file that parses
    it fails here as it fails there.
    """
    sys.path.append(root)
    sys.meta_path.insert(0, OwnCheckerFinder(root))
    sys.argv = ["xares/run.py", module.replace(".", "/") + ".py", "src/tasks/esc50_task.py"]


def become_worker() -> None:
    """Be a worker of X-ARES's pool, which is a daemon: `multiprocessing` lets it have no processes of its own."""
    multiprocessing.current_process()._config["daemon"] = True  # type: ignore[attr-defined]  # noqa: SLF001 - no other way in


def moved(encoder: torch.nn.Module, device: str) -> torch.nn.Module:
    """`encoder.to(device)`, whose result X-ARES keeps.

    Raises:
        TypeError: the encoder has a `to` of its own that returns no module.
    """
    result = encoder.to(device)
    if not isinstance(result, torch.nn.Module):
        raise TypeError(f"{type(encoder).__name__}.to(device) returned {type(result).__name__}, expected the encoder")
    return result


def find_class(module_name: str, suffix: str, wanted: str) -> tuple[Any, list[str]]:
    """Import a module and choose the encoder.

    Args:
        module_name: dotted, from the repository's root.
        suffix: what the name has to end with; X-ARES takes the only such name in `dir(module)`.
        wanted: a name the user chose instead, may be empty.

    Returns:
        The object of that name, and all names that end so.

    Raises:
        EncoderNotFoundError: there is none, or several.
    """
    module = importlib.import_module(module_name)
    names = [name for name in dir(module) if name.endswith(suffix)]
    if wanted and wanted in dir(module):
        return getattr(module, wanted), names
    if len(names) != 1:
        raise EncoderNotFoundError(names)
    return getattr(module, names[0]), names


def describe(encoder: Any) -> dict[str, Any]:
    """What an encoder says of itself, as JSON data."""
    is_module = isinstance(encoder, torch.nn.Module)
    tensors = [*encoder.parameters(), *encoder.buffers()] if is_module else []
    return {
        "class_name": type(encoder).__name__[:200],
        "is_module": is_module,
        "attributes": [attribute(encoder, name) for name in ATTRIBUTES],
        "parameters": sum(p.numel() for p in encoder.parameters()) if is_module else 0,
        "weight_bytes": sum(t.numel() * t.element_size() for t in tensors),
        "training": _training(encoder) if is_module else [],
    }


def attribute(encoder: Any, name: str) -> dict[str, Any]:
    """One attribute as data: a number only if it is one (a bool is not)."""
    missing = object()
    value: Any = getattr(encoder, name, missing)
    if value is missing:
        return {"name": name, "present": False}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "name": name,
        "present": True,
        "type": type(value).__name__[:100],
        "value": float(value) if number and abs(value) < 1e12 else None,
        "text": repr(value)[:100],
    }


def _training(encoder: torch.nn.Module) -> list[str]:
    """Names of layers that are in training mode and behave otherwise then: dropout and batch norms."""
    moody = ("Dropout", "BatchNorm", "InstanceNorm")
    found = [n for n, m in encoder.named_modules() if m.training and any(x in type(m).__name__ for x in moody)]
    return [name[:100] for name in found[:5]]
