"""A checkpoint becomes a safetensors file: torch reads it in a box, and the result is compared outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.checkpoint import NoCheckpointError, read_checkpoint
from audio_encoder_checker.archive.weights.reading import read_weight_file
from audio_encoder_checker.archive.weights.streams import Budget
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.weights import FlawKind, Safety, WeightKind
from audio_encoder_checker.packing.slimming.asking import RESAVE, Torch, session_for
from audio_encoder_checker.packing.slimming.comparing import UnequalError, compare
from audio_encoder_checker.packing.slimming.layout import lay_out
from audio_encoder_checker.packing.slimming.sharing import by_storage, spanned_bytes
from audio_encoder_checker.packing.slimming.states import choose_state
from audio_encoder_checker.packing.writing import refuse_full_disk, replaced_when_done
from audio_encoder_checker.printable import printable
from audio_encoder_checker.sandbox.choose import choose_box
from audio_encoder_checker.sandbox.sweep import subfolder, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from audio_encoder_checker.archive.weights.checkpoint import Checkpoint
    from audio_encoder_checker.archive.weights.values import Tensor
    from audio_encoder_checker.evidence.weights import WeightFile
    from audio_encoder_checker.packing.slimming.layout import Layout
    from audio_encoder_checker.packing.slimming.states import State
    from audio_encoder_checker.sandbox.box import Box

SUFFIX = ".safetensors"
MOST_NAMES = 5


@dataclass(frozen=True)
class Copied:
    """Tensors that share their numbers in the checkpoint; each has its own in the new file.

    Attributes:
        names: of all of them.
        extra_bytes: that the copies take.
    """

    names: tuple[str, ...]
    extra_bytes: int


@dataclass(frozen=True)
class Converted:
    """A checkpoint that was converted; every tensor was compared with the checkpoint's bytes and is equal.

    Attributes:
        source: the checkpoint.
        target: the new file.
        path: the keys that lead to the state dict that was taken; empty for the checkpoint itself.
        tensors: how many were taken, and compared.
        tensor_bytes: of them all.
        copied: those that share their numbers.
        left_out: what else the checkpoint holds, and how many bytes that takes, most first.
        before_bytes: size of the checkpoint.
        after_bytes: size of the new file.
        box: tier of the box that torch ran in.
    """

    source: Path
    target: Path
    path: tuple[str, ...]
    tensors: int
    tensor_bytes: int
    copied: tuple[Copied, ...]
    left_out: tuple[tuple[str, int], ...]
    before_bytes: int
    after_bytes: int
    box: str


def convert_checkpoint(
    source: Path, target: Path, *, key: str = "", box: str = "auto", trust: bool = False
) -> Converted:
    """Write a checkpoint's state dict as a safetensors file.

    torch loads the checkpoint in a box, with `weights_only=True`. What comes out of the box is held against the
    checkpoint's own bytes, which are read here without torch; a file that differs is not kept.

    Args:
        source: the checkpoint.
        target: to write; its name ends in `.safetensors`.
        key: where in the checkpoint the state dict is, several keys joined by dots; empty to search.
        box: `auto`, or a tier of box as for `aecc-check`.
        trust: the weak box will do.

    Raises:
        UsageError: the checkpoint cannot be converted so, or the target cannot be written or is there.
        MachineError: there is no box that is allowed, too little memory, or no room on the disk.
    """
    _refuse_target(target)
    real = _found(source)
    with _opened(real, source) as file:
        checkpoint = _read(real, file, source)
        state = choose_state(checkpoint, key)
        size = real.stat().st_size
        layout = lay_out(state.tensors, checkpoint, size)
        chosen, _ = choose_box(box, trust=trust, repository=real.parent)
        _write(_Plan(real, file, checkpoint, state, layout), target, chosen)
    return Converted(
        source=source,
        target=target,
        path=state.path,
        tensors=len(layout.placed),
        tensor_bytes=sum(one.tensor.size_bytes for one in layout.placed),
        copied=_copied(state.tensors),
        left_out=state.left_out,
        before_bytes=size,
        after_bytes=layout.size_bytes,
        box=chosen.tier,
    )


def _refuse_target(target: Path) -> None:
    shown = printable(repr(str(target)), limit=300)
    if target.suffix != SUFFIX:
        raise UsageError(f"{shown} is no name of a safetensors file", f"end it with {SUFFIX}")
    if target.exists() or target.is_symlink():
        raise UsageError(f"{shown} is there already", "name another file, or remove it")


def _found(source: Path) -> Path:
    try:
        real = source.resolve(strict=True)
    except (OSError, RuntimeError):  # before Python 3.13 a loop of links raises RuntimeError
        real = source
    if not real.is_file():
        raise UsageError(
            f"there is no file {printable(repr(str(source)), limit=300)}", "name the checkpoint to convert"
        )
    return real


def _opened(real: Path, source: Path) -> BinaryIO:
    try:
        return real.open("rb")
    except OSError as error:
        message = f"cannot read {printable(repr(str(source)), limit=300)}: {error.strerror}"
        raise UsageError(message, "make it readable: `chmod u+r` it") from None


def _read(real: Path, file: BinaryIO, source: Path) -> Checkpoint:
    """What is in the checkpoint, read without loading it.

    Raises:
        UsageError: it is none, or cannot be converted.
    """
    budget, shown = Budget(), printable(repr(source.name))
    _refuse_unloadable(read_weight_file(real, source.name, (), budget), shown)
    try:
        return read_checkpoint(file, budget)
    except NoCheckpointError as error:
        message = f"{shown} is not converted, because the result could not be compared with it: {error}"
        raise UsageError(message, RESAVE) from None


def _refuse_unloadable(found: WeightFile, shown: str) -> None:
    if found.kind is WeightKind.SAFETENSORS:
        raise UsageError(f"{shown} is a safetensors file already", "use it as it is")
    damage = found.flaws_of(FlawKind.DAMAGED) or found.flaws_of(FlawKind.NO_WEIGHTS)
    if damage:
        raise UsageError(f"{shown} is no whole checkpoint: {damage[0].detail}", "copy or download it again")
    if found.safety.rank > Safety.WEIGHTS_ONLY.rank:
        worse = [name.shown for name in found.names if name.safety.rank > Safety.WEIGHTS_ONLY.rank]
        needs = ", ".join(worse[:MOST_NAMES]) + (f" and {len(worse) - MOST_NAMES} more" * (len(worse) > MOST_NAMES))
        why = needs or found.refused or "; ".join(flaw.detail for flaw in found.flaws)
        raise UsageError(f"{shown} needs weights_only=False, and is not loaded here: it holds {why}", RESAVE)
    if found.kind not in {WeightKind.TORCH_ZIP, WeightKind.TORCH_LEGACY}:
        raise UsageError(f"{shown} is no checkpoint of torch, but {found.kind.value}", "name a file of `torch.save`")


@dataclass(frozen=True)
class _Plan:
    """What is written, and what it is held against.

    Attributes:
        real: the checkpoint, no link.
        file: same, open for reading.
        checkpoint: what its bytes say.
        state: what is taken.
        layout: of the new file.
    """

    real: Path
    file: BinaryIO
    checkpoint: Checkpoint
    state: State
    layout: Layout


def _write(plan: _Plan, target: Path, box: Box) -> None:
    """Have torch read the tensors, write them, and compare what is written; the target appears only if it is equal.

    Raises:
        UsageError, MachineError: see `convert_checkpoint`.
    """
    try:
        with workspace() as private, replaced_when_done(target) as file:
            refuse_full_disk(target, plan.layout.size_bytes)
            with session_for(box, plan.real, subfolder(private)) as session:
                _take(Torch(session, plan.real), plan, file)
            file.flush()
            with Path(file.name).open("rb") as written:
                compare(plan.layout, plan.checkpoint, plan.file, written)
    except UnequalError as error:
        message = f"nothing was written: {printable(str(error))}"
        raise UsageError(message, f"convert it again; if it stays so, {RESAVE}") from None
    except OSError as error:
        shown = printable(repr(str(target)), limit=300)
        raise MachineError(
            f"cannot write {shown}: {error.strerror}", "free disk space, or write it elsewhere"
        ) from None


def _take(torch: Torch, plan: _Plan, file: BinaryIO) -> None:
    torch.open(plan.state.path, plan.state.tensors)
    file.write(plan.layout.head)
    for one in plan.layout.placed:
        file.writelines(torch.bytes_of(one.name, one.tensor))


def _copied(tensors: Mapping[str, Tensor]) -> tuple[Copied, ...]:
    """The groups of tensors that take more together than what they are views of."""
    groups = [(group, sum(one.size_bytes for one in group.values())) for group in by_storage(tensors).values()]
    extra = [(tuple(group), total - spanned_bytes(group.values())) for group, total in groups]
    return tuple(Copied(names, count) for names, count in extra if count > 0)
