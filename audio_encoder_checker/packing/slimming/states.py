"""Which part of a checkpoint is the model's state dict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.values import Table, Tensor, storages_below
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audio_encoder_checker.archive.weights.checkpoint import Checkpoint

USUAL = ("state_dict", "model", "model_state_dict", "encoder", "module")
"""Where training programs keep the model in a checkpoint."""
SHOWN = 8


@dataclass(frozen=True)
class State:
    """A state dict in a checkpoint.

    Attributes:
        path: the keys that lead to it; empty for the checkpoint itself.
        tensors: by name.
        left_out: what else the checkpoint holds, and how many bytes of numbers of its own, most first.
    """

    path: tuple[str, ...]
    tensors: Mapping[str, Tensor]
    left_out: tuple[tuple[str, int], ...]


def choose_state(checkpoint: Checkpoint, key: str = "") -> State:
    """Find the state dict.

    Args:
        checkpoint: as it was read.
        key: where it is, several keys joined by dots; empty to search.

    Raises:
        UsageError: there is none, there are several, or something in it is no plain tensor.
    """
    path = _named(checkpoint.tree, key) if key else _found(checkpoint)
    table = _down(checkpoint.tree, path)
    tensors = tensors_in(table)
    if table is None or not tensors:
        message = f"there are no tensors in {_words(path)}"
        raise UsageError(message, _try_instead(checkpoint.tree) or "name the file that holds the weights")
    _refuse_other_tensors(table, path)
    return State(path, tensors, _left_out(checkpoint, path, table))


def tensors_in(value: object) -> dict[str, Tensor]:
    """The tensors that stand in a dictionary itself, by name."""
    items = value.items() if isinstance(value, Table) else {}
    return {key: one for key, one in items.items() if isinstance(one, Tensor)}


def _named(tree: object, key: str) -> tuple[str, ...]:
    """The path that the user means: one key, dots included if it has some, or several."""
    items = tree.items() if isinstance(tree, Table) else {}
    path = (key,) if key in items else tuple(key.split("."))
    if _down(tree, path) is None:
        raise UsageError(f"the checkpoint has no dictionary at {printable(key)!r}", _try_instead(tree))
    return path


def _down(tree: object, path: tuple[str, ...]) -> Table | None:
    for key in path:
        tree = tree.items().get(key) if isinstance(tree, Table) else None
    return tree if isinstance(tree, Table) else None


def _found(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The only one of the usual places that holds tensors, else the checkpoint itself.

    Raises:
        UsageError: there are several.
    """
    tree = checkpoint.tree
    items = tree.items() if isinstance(tree, Table) else {}
    found = {key: items[key] for key in USUAL if tensors_in(items.get(key))}
    if len(found) > 1:
        sizes = [f"{key} ({size_words(_own_bytes(checkpoint, value))})" for key, value in found.items()]
        hint = f"choose with --key, such as `--key {next(iter(found))}`"
        raise UsageError(f"several parts of the checkpoint may be the model: {', '.join(sizes)}", hint)
    return tuple(found)


def _try_instead(tree: object) -> str:
    """The keys of the first two levels that hold tensors, as a hint; empty if there are none."""
    items = tree.items() if isinstance(tree, Table) else {}
    paths = [key for key, value in items.items() if tensors_in(value)]
    for key, value in items.items():
        inner = value.items() if isinstance(value, Table) else {}
        paths += [f"{key}.{below}" for below, deeper in inner.items() if tensors_in(deeper)]
    return " or ".join(f"`--key {printable(path, limit=60)}`" for path in paths[:SHOWN])


def _words(path: tuple[str, ...]) -> str:
    return printable(repr(".".join(path))) if path else "the checkpoint itself"


def _refuse_other_tensors(table: Table, path: tuple[str, ...]) -> None:
    """Refuse a state dict of which a part would be lost: sparse or quantised tensors, and dictionaries of tensors."""
    for key, value in table.items().items():
        if not isinstance(value, Tensor) and path and storages_below(value):
            message = f"{printable(key)!r} in {_words(path)} is no plain tensor, and safetensors holds no others"
            raise UsageError(message, "save the weights alone: `torch.save(model.state_dict(), 'weights.pt')`")


def _left_out(checkpoint: Checkpoint, path: tuple[str, ...], taken: Table) -> tuple[tuple[str, int], ...]:
    """What lies beside the path and, at its end, is no tensor; a storage that is taken too does not count."""
    kept = {tensor.storage.key for tensor in tensors_in(taken).values()}
    tree, above, found = checkpoint.tree, "", {}
    for key in (*path, None):
        items = tree.items() if isinstance(tree, Table) else {}
        for name, value in items.items():
            if name != key and not (key is None and isinstance(value, Tensor)):
                found[above + name] = _own_bytes(checkpoint, value, kept)
        tree, above = items.get(key or ""), f"{above}{key}."
    return tuple(sorted(found.items(), key=lambda one: -one[1]))


def _own_bytes(checkpoint: Checkpoint, value: object, kept: set[str] | None = None) -> int:
    storages = storages_below(value).values()
    return sum(checkpoint.size_of(one) for one in storages if one.key not in (kept or ()))
