"""Write the weights of a training checkpoint to `model.safetensors`, as encoder.py reads them.

    python export.py runs/best.ckpt     # takes the network's tensors, leaves optimizer and the like behind
    python export.py --seed 2025        # random weights, to start with

Checkpoints are read with `weights_only=True`: nothing in them is run. In safetensors nothing could be.
"""

# ruff: noqa: T201 (a script prints)

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from encoder import WEIGHTS, Network
from safetensors.torch import save_file
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES = ("state_dict", "model_state_dict", "model", "encoder", "network", "ema")
"""Where trainers keep the network's tensors."""
PREFIXES = ("module.", "model.", "encoder.", "network.", "_orig_mod.")
"""What data-parallel training, Lightning and `torch.compile` put in front of names."""


def taken_from(checkpoint: Any, wanted: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The network's tensors in a checkpoint, and the names of all else that it holds."""
    place, tensors = tensors_of(checkpoint)
    prefix = min(prefixes_of(list(tensors)), key=lambda one: sum(one + name not in tensors for name in wanted))
    missing = sorted(name for name in wanted if prefix + name not in tensors)
    if missing:
        raise SystemExit(
            f"the checkpoint lacks {len(missing)} of the network's tensors, such as {missing[0]!r}; it has "
            f"{', '.join(sorted(tensors)[:3])}, ...: is Network in encoder.py the one that was trained?"
        )
    taken = {name: tensors[prefix + name] for name in wanted}
    unfit = [name for name in wanted if wanted[name].shape != taken[name].shape]
    if unfit:
        shapes = f"{tuple(taken[unfit[0]].shape)}, the network wants {tuple(wanted[unfit[0]].shape)}"
        raise SystemExit(f"{unfit[0]!r} has the shape {shapes}: is Network in encoder.py the one that was trained?")
    known = {place, *(prefix + name for name in wanted)}
    return taken, [str(name) for name in {**tensors, **checkpoint} if name not in known]


def tensors_of(checkpoint: Any) -> tuple[str | None, dict[str, Tensor]]:
    """Where a checkpoint keeps tensors, `None` if in itself, and these by name."""
    for place in (*PLACES, None):
        found = checkpoint if place is None else checkpoint.get(place) if isinstance(checkpoint, dict) else None
        if isinstance(found, dict):
            tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
            if tensors:
                return place, tensors
    raise SystemExit("the checkpoint holds no tensors where trainers keep them: add the place to PLACES in export.py")


def prefixes_of(names: list[str]) -> Iterator[str]:
    """None, and all that `PREFIXES` make, one behind another, that some of the names have."""
    yield ""
    for prefix in PREFIXES:
        inner = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        if inner:
            yield from (prefix + rest for rest in prefixes_of(inner))


def main() -> None:
    """Export one checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("checkpoint", nargs="?", type=Path, help="written by torch.save")
    source.add_argument("--seed", type=int, help="random weights instead")
    wishes = parser.parse_args()
    if wishes.seed is not None:
        torch.manual_seed(wishes.seed)
    wanted = Network().state_dict()
    tensors, left = (wanted, []) if wishes.checkpoint is None else taken_from(_read(wishes.checkpoint), wanted)
    plain = {
        name: (value.float() if value.is_floating_point() else value).contiguous().clone()
        for name, value in tensors.items()
    }
    save_file(plain, WEIGHTS)
    numbers = sum(value.numel() for value in plain.values())
    print(f"{WEIGHTS.name}: {len(plain)} tensors, {numbers:,} numbers, {WEIGHTS.stat().st_size / 1e6:.1f} MB")
    if left:
        print(f"left out: {', '.join(left[:5])}{f' and {len(left) - 5} more' if len(left) > 5 else ''}")


def _read(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SystemExit(f"cannot read {file}: {error.strerror}") from None
    except Exception:  # noqa: BLE001 - torch raises all kinds where a file is none of its own
        raise SystemExit(
            f"{file} is no checkpoint of torch.save, or weights_only=True does not read it: save state_dict() alone"
        ) from None


if __name__ == "__main__":
    main()
