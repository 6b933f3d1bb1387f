"""Parts of weight files that could go: training state, a second set of weights, unused numbers, float64."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.archive.weights.checkpoint import NoCheckpointError, read_checkpoint
from audio_encoder_checker.archive.weights.safetensors import BrokenHeaderError, LongHeaderError, read_safetensors
from audio_encoder_checker.archive.weights.values import Table, Tensor, storages_below, tensors_below
from audio_encoder_checker.evidence.weights import Safety, WeightKind
from audio_encoder_checker.packing.slimming import remedies
from audio_encoder_checker.packing.slimming.facts import Saving, SavingKind
from audio_encoder_checker.packing.slimming.sharing import spanned_bytes
from audio_encoder_checker.packing.slimming.states import USUAL, tensors_in
from audio_encoder_checker.packing.slimming.whole import SMALL_BYTES
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from audio_encoder_checker.archive.weights.checkpoint import Checkpoint
    from audio_encoder_checker.archive.weights.streams import Budget
    from audio_encoder_checker.packing.slimming.files import Item
    from audio_encoder_checker.packing.slimming.mentions import Mentions
    from audio_encoder_checker.packing.slimming.remedies import Remedies

TRAINING = re.compile(
    r"optim(izer)?s?([_.].*)?|.*_optim(izer)?s?|.*optimizer_states?.*|exp_avg.*|momentum_buffer|lr_sched.*|.*scheduler.*"
    r"|loops|callbacks|grad_scaler|rng_states?",
    re.IGNORECASE,
)
"""Keys of what an optimiser and its kin need to go on."""
OF_AN_OPTIMIZER = {"state", "param_groups"}
"""The keys of an optimiser's own state dict."""
AVERAGE = re.compile(r"(.*[_.])?(ema|swa|averaged?)([_.].*)?", re.IGNORECASE)
SHOWN = 4
DOUBLE = ("float64", "F64")


class _File(NamedTuple):
    """A checkpoint, the keys at its top, and the line that leaves it out."""

    item: Item
    checkpoint: Checkpoint
    top: Mapping[str, object]
    away: str

    @property
    def weights_only(self) -> bool:
        """Whether torch can load it so."""
        weights = self.item.weights
        return weights is not None and weights.safety.rank <= Safety.WEIGHTS_ONLY.rank

    def bytes_of(self, keys: Iterable[str]) -> int:
        """Bytes of storages that some keys hold and no others."""
        mine = set(keys)
        chosen = storages_below([self.top[key] for key in mine])
        others = storages_below([value for key, value in self.top.items() if key not in mine])
        return sum(self.checkpoint.size_of(one) for key, one in chosen.items() if key not in others)


def look_inside(item: Item, mentions: Mentions, lines: Remedies, budget: Budget, notes: list[str]) -> Iterator[Saving]:
    """What could go of one weight file, each part once; why it could not be looked into becomes a note.

    Raises:
        OSError: it cannot be read.
    """
    if item.weights is None or item.size_bytes < SMALL_BYTES:
        return
    if item.weights.kind in {WeightKind.TORCH_ZIP, WeightKind.TORCH_LEGACY}:
        with item.path.open("rb") as file:
            try:
                checkpoint = read_checkpoint(file, budget)
            except NoCheckpointError as error:
                notes.append(f"{printable(item.name)} was not looked into: {error}")
                return
        top = checkpoint.tree.items() if isinstance(checkpoint.tree, Table) else {}
        yield from _of_checkpoint(_File(item, checkpoint, top, lines.leave_out(item.name)), mentions)
    elif item.weights.kind in {WeightKind.SAFETENSORS, WeightKind.NUMPY, WeightKind.NPZ}:
        yield from _of_arrays(item)


def _of_checkpoint(file: _File, mentions: Mentions) -> Iterator[Saving]:
    training = sorted(key for key, value in file.top.items() if _is_training(key, value))
    if set(file.top) >= OF_AN_OPTIMIZER:
        training = sorted(file.top)
    averages, sure = _averages(file, training, mentions)
    yield from _keys_that_go(file, training, averages, sure=sure)
    kept = {key: value for key, value in file.top.items() if key not in {*training, *averages}}
    away = set(storages_below([file.top[key] for key in (*training, *averages)])) - set(
        storages_below([*kept.values()])
    )
    yield from _of_numbers(file, [*kept.values()] if file.top else [file.checkpoint.tree], away)


def _is_training(key: str, value: object) -> bool:
    """A tensor of a model may be called nearly anything."""
    return TRAINING.fullmatch(key) is not None and not isinstance(value, Tensor)


def _averages(file: _File, training: list[str], mentions: Mentions) -> tuple[list[str], bool]:
    """The keys of a second set of weights that could go: of the model and its average, what the sources do not name."""
    averages = [key for key, value in file.top.items() if AVERAGE.fullmatch(key) and _count(value)]
    models = [key for key in USUAL if key in file.top and key not in training and _count(file.top[key])]
    if len(averages) != 1 or len(models) != 1 or _count(file.top[averages[0]]) != _count(file.top[models[0]]):
        return [], False
    named = [key for key in (averages[0], models[0]) if mentions.says(key)]
    if named == averages:
        return models, True
    return averages, named == models


def _count(value: object) -> int:
    return sum(1 for _ in tensors_below(value))


def _keys_that_go(file: _File, training: list[str], averages: list[str], *, sure: bool) -> Iterator[Saving]:
    item = file.item
    count = file.bytes_of(training)
    if count >= SMALL_BYTES:
        why = f"{_listed(training)}: a program goes on training with it, an encoder does not read it"
        if len(training) == len(file.top):
            yield Saving(SavingKind.TRAINING_STATE, (item.name,), item.size_bytes, why, file.away)
            return
        remedy = remedies.drop_keys(item.name, training, weights_only=file.weights_only)
        yield Saving(SavingKind.TRAINING_STATE, (item.name,), count, why, remedy)
    second = file.bytes_of([*training, *averages]) - count
    if averages and second >= SMALL_BYTES:
        other = "the sources name the other" if sure else "see which of the two your encoder loads"
        why = f"{_listed(averages)} holds as many tensors as the model beside it; {other}"
        remedy = remedies.drop_keys(item.name, averages, weights_only=file.weights_only)
        yield Saving(SavingKind.AVERAGE, (item.name,), second, why, remedy, sure=sure)


def _of_numbers(file: _File, kept: list[object], away: set[str]) -> Iterator[Saving]:
    """What goes of storages that stay: numbers outside of all tensors, and half of each float64."""
    views: dict[str, list[Tensor]] = {}
    for tensor in tensors_below(kept):
        if tensor.storage.key not in away:
            views.setdefault(tensor.storage.key, []).append(tensor)
    sizes = {key: file.checkpoint.size_of(group[0].storage) for key, group in views.items()}
    used = {key: min(spanned_bytes(group), sizes[key]) for key, group in views.items()}
    odd = {key for key in views if used[key] < sizes[key]}
    unused = sum(sizes[key] - used[key] for key in odd)
    if unused >= SMALL_BYTES:
        paths, names = _where(file.checkpoint.tree, odd)
        why = f"{_listed(names) or 'tensors'}: views of larger tensors, which `torch.save` writes whole"
        remedy = remedies.clone_tensors(file.item.name, paths, weights_only=file.weights_only)
        yield Saving(SavingKind.UNUSED, (file.item.name,), unused, why, remedy)
    double = {key for key, group in views.items() if group[0].dtype == "float64"}
    half = sum(used[key] // 2 for key in double)
    if half >= SMALL_BYTES:
        paths, names = _where(file.checkpoint.tree, double)
        remedy = remedies.halve(file.item.name, paths, weights_only=file.weights_only)
        yield Saving(SavingKind.FLOAT64, (file.item.name,), half, _double(names), remedy, sure=False)


def _where(tree: object, storages: set[str]) -> tuple[list[tuple[str, ...]], list[str]]:
    """The dictionaries that hold tensors of some storages, by their paths, and the tensors' names; two levels deep."""
    items = tree.items() if isinstance(tree, Table) else {}
    tables: list[tuple[tuple[str, ...], object]] = [((), tree), *(((key,), value) for key, value in items.items())]
    paths, names = [], []
    for path, table in tables:
        found = [name for name, one in tensors_in(table).items() if one.storage.key in storages]
        names += [".".join((*path, name)) for name in found]
        paths += [path] if found else []
    return paths, names


def _of_arrays(item: Item) -> Iterator[Saving]:
    """float64 in a format whose header tells it."""
    assert item.weights is not None  # noqa: S101 - the caller has looked
    count = sum(count for name, count in item.weights.dtypes if name in DOUBLE)
    if 4 * count < SMALL_BYTES:
        return
    names: list[str] = []
    remedy = remedies.halve_arrays(item.name)
    if item.weights.kind is WeightKind.SAFETENSORS:
        names, remedy = _doubles_of(item), remedies.halve_safetensors(item.name)
    yield Saving(SavingKind.FLOAT64, (item.name,), 4 * count, _double(names), remedy, sure=False)


def _doubles_of(item: Item) -> list[str]:
    try:
        with item.path.open("rb") as file:
            return [one.name for one in read_safetensors(file, item.size_bytes) if one.dtype in DOUBLE]
    except (BrokenHeaderError, LongHeaderError):
        return []


def _double(names: list[str]) -> str:
    return (f"{_listed(names)}: " if names else "") + "float32 would do, as models are trained in it, and takes half"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(printable(name, limit=80) for name in names[:SHOWN]) + more
