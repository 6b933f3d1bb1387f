"""The same weights in several formats, and parts of weights that nothing puts together."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from audio_encoder_checker.packing.slimming.facts import FileKind, SavingKind
from audio_encoder_checker.packing.slimming.layout import DTYPES
from audio_encoder_checker.packing.slimming.mentions import INDEX, read_text
from audio_encoder_checker.packing.slimming.whole import SMALL_BYTES, gone
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audio_encoder_checker.packing.slimming.files import Item
    from audio_encoder_checker.packing.slimming.mentions import Mentions
    from audio_encoder_checker.packing.slimming.remedies import Remedies
    from audio_encoder_checker.packing.slimming.whole import Gone

SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.safetensors|\.bin)")
FRAMEWORKS = {".msgpack": "Flax", ".h5": "TensorFlow", ".ot": "Rust"}
MODEL = ("model", "pytorch_model", "flax_model", "tf_model", "rust_model")
"""What transformers calls one model in its formats."""
BEST = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
"""The format that stays, where the sources do not decide."""


def unused_shards(items: Sequence[Item], mentions: Mentions, remedies: Remedies) -> Iterator[Gone]:
    """Shards that no index in their folder names, nor anything else."""
    named = indexed(items)
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        shard = SHARD.fullmatch(item.base)
        if shard and item.name not in named and not mentions.spells(item.base) and not mentions.fits(item.base):
            found[f"{item.folder}{shard[1]}-*-of-{shard[3]}{shard[4]}"].append(item)
    for group in found.values():
        why = f"no *{INDEX} beside them names them, so that `from_pretrained` does not read them"
        remedy = remedies.leave_out(*(one.name for one in group))
        yield gone(SavingKind.SHARDS, group, why, remedy)


def indexed(items: Sequence[Item]) -> set[str]:
    """Files that an index names."""
    named: set[str] = set()
    for item in items:
        if item.base.endswith(INDEX):
            try:
                found = json.loads(read_text(item.path))
            except (ValueError, RecursionError):
                continue
            places = found.get("weight_map") if isinstance(found, dict) else None
            files = places.values() if isinstance(places, dict) else ()
            named.update(item.folder + one for one in files if isinstance(one, str))
    return named


class _Unit(NamedTuple):
    """One model in one format: a file, or all its shards."""

    items: tuple[Item, ...]
    suffix: str
    numbers: int
    formats: frozenset[str]

    @property
    def size_bytes(self) -> int:
        return sum(item.size_bytes for item in self.items)


def same_weights(items: Sequence[Item], mentions: Mentions, remedies: Remedies) -> Iterator[Gone]:
    """Files of one folder and name that hold as many numbers, and those that only other frameworks read."""
    for units in _units(items).values():
        units.sort(key=lambda one: (not _named(one, mentions), _rank(one), one.items[0].name))
        read = [one for one in units if one.suffix not in FRAMEWORKS]
        if not read:
            continue
        kept = read[0]
        for other in units:
            if other is kept or other.size_bytes < SMALL_BYTES:
                continue
            if other.suffix in FRAMEWORKS and not _named(other, mentions):
                why = f"{FRAMEWORKS[other.suffix]} reads it, and torch does not; {_shown(kept)} stays"
                found = gone(SavingKind.SAME_WEIGHTS, other.items, why, _remedy(other, remedies))
                yield found._replace(kept=_names(kept))
            elif other.numbers and other.numbers == kept.numbers:
                yield _other_format(kept, other, mentions, remedies)


def _other_format(kept: _Unit, other: _Unit, mentions: Mentions, remedies: Remedies) -> Gone:
    why = f"as many numbers ({other.numbers:,}) as in {_shown(kept)}, which stays"
    named, precise = _named(other, mentions), kept.formats == other.formats
    why += "" if precise else ", and in other number formats"
    why += ", and the sources name both" if named else ""
    sure = precise and not named
    found = gone(SavingKind.SAME_WEIGHTS, other.items, why, _remedy(other, remedies), sure=sure)
    return found._replace(kept=_names(kept))


def _remedy(unit: _Unit, remedies: Remedies) -> str:
    return remedies.leave_out(*_names(unit))


def _names(unit: _Unit) -> tuple[str, ...]:
    return tuple(item.name for item in unit.items)


def _shown(unit: _Unit) -> str:
    more = f" and {len(unit.items) - 1} more" if len(unit.items) > 1 else ""
    return f"{printable(unit.items[0].name)!r}{more}"


def _named(unit: _Unit, mentions: Mentions) -> bool:
    return any(mentions.spells(item.base) for item in unit.items)


def _rank(unit: _Unit) -> int:
    return BEST.index(unit.suffix) if unit.suffix in BEST else len(BEST)


def _units(items: Sequence[Item]) -> dict[tuple[str, str], list[_Unit]]:
    """The models of each folder and name, in all their formats."""
    parts: dict[tuple[str, str, str], list[Item]] = defaultdict(list)
    for item in items:
        if item.kind is FileKind.WEIGHTS:
            shard = SHARD.fullmatch(item.base)
            stem, dot, suffix = (shard[1], "", f"-{shard[3]}{shard[4]}") if shard else item.base.rpartition(".")
            parts[item.folder, "model" if stem in MODEL else stem, dot + suffix].append(item)
    units: dict[tuple[str, str], list[_Unit]] = defaultdict(list)
    for (folder, stem, suffix), found in parts.items():
        units[folder, stem].append(_unit(found, suffix))
    return units


def _unit(items: list[Item], suffix: str) -> _Unit:
    counts: Counter[str] = Counter()
    for item in items:
        for name, count in item.weights.dtypes if item.weights else ():
            counts[DTYPES.get(name, name)] += count
    dtypes = frozenset(name for name, count in counts.items() if count)
    return _Unit(tuple(items), suffix[suffix.rfind(".") :].lower(), sum(counts.values()), dtypes)
