"""Write the weights of a training checkpoint to `model.safetensors`, as encoder.py reads them.

    python export.py runs/best.ckpt     # takes the network's tensors, leaves optimizer and the like behind
    python export.py --seed 2025        # random weights, to start with

Checkpoints are read with `weights_only=True`: nothing in them is run. In safetensors nothing could be.
"""

# ruff: noqa: T201 (a script prints)

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from encoder import WEIGHTS, Network
from safetensors.torch import save_file
from torch import Tensor

PLACES = ("state_dict", "model_state_dict", "model", "encoder", "network", "ema")
"""Where trainers keep the network's tensors."""
PREFIXES = ("module.", "model.", "encoder.", "network.", "_orig_mod.")
"""What data-parallel training, Lightning and `torch.compile` put in front of names."""


def tensors_of(checkpoint: Any) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, wherever they are kept."""
    for place in (*PLACES, None):
        found = checkpoint if place is None else checkpoint.get(place) if isinstance(checkpoint, dict) else None
        if isinstance(found, dict):
            tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
            if tensors:
                return tensors
    raise SystemExit("the checkpoint holds no tensors where trainers keep them: add the place to PLACES in export.py")


def fitting(tensors: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those that the network wants, their prefixes taken off as far as that makes them fit."""
    while not wanted.keys() <= tensors.keys():
        prefix = next((one for one in PREFIXES if any(name.startswith(one) for name in tensors)), None)
        if prefix is None:
            missing = sorted(wanted.keys() - tensors.keys())
            raise SystemExit(
                f"the checkpoint lacks {len(missing)} of the network's tensors, such as {missing[0]!r}; it has "
                f"{', '.join(sorted(tensors)[:3])}, ...: is Network in encoder.py the one that was trained?"
            )
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    unfit = [name for name in wanted if wanted[name].shape != tensors[name].shape]
    if unfit:
        shapes = f"{tuple(tensors[unfit[0]].shape)}, the network wants {tuple(wanted[unfit[0]].shape)}"
        raise SystemExit(f"{unfit[0]!r} has the shape {shapes}: is Network in encoder.py the one that was trained?")
    return {name: tensors[name] for name in wanted}


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
    tensors = wanted if wishes.checkpoint is None else fitting(tensors_of(_read(wishes.checkpoint)), wanted)
    plain = {
        name: (value.float() if value.is_floating_point() else value).contiguous().clone()
        for name, value in tensors.items()
    }
    save_file(plain, WEIGHTS)
    numbers = sum(value.numel() for value in plain.values())
    print(f"{WEIGHTS.name}: {len(plain)} tensors, {numbers:,} numbers, {WEIGHTS.stat().st_size / 1e6:.1f} MB")


def _read(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SystemExit(f"cannot read {file}: {error.strerror}") from None
    except Exception:  # noqa: BLE001 - torch raises all kinds where a file is none of its own
        raise SystemExit(f"{file} is no checkpoint of torch.save, or holds more than weights_only=True reads") from None


if __name__ == "__main__":
    sys.exit(main())
