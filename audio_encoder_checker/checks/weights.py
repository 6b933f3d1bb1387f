"""AEC430 to AEC435: what weight files are, and what their pickles would do. They are read, never loaded."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few, listed
from audio_encoder_checker.evidence.weights import FlawKind, PickledName, Safety, WeightFacts, WeightFile, WeightKind
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable, quoted

CHECKPOINTS = (WeightKind.TORCH_ZIP, WeightKind.TORCH_LEGACY)
SAVE = "save the tensors alone: `safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')`"


def _flawed(weights: WeightFacts, kind: FlawKind) -> Iterator[Problem]:
    """All flaws of one class, as problems."""
    return few(
        Problem(f"{_shown(file)}: {flaw.detail}", _at(file)) for file in weights.files for flaw in file.flaws_of(kind)
    )


def _at(file: WeightFile) -> str:
    return printable(file.path)


def _shown(file: WeightFile) -> str:
    return f"{quoted(file.path)} ({file.kind.value}, {file.size_bytes} bytes)"


def _words(names: tuple[PickledName, ...]) -> str:
    """Some names, each once, with the place of the first."""
    where = f" in its {printable(names[0].where, limit=80)}" if names[0].where else ""
    return listed(tuple(dict.fromkeys(name.shown for name in names))) + where


@check("AEC430", stage="source")
def code_in_weights(weights: WeightFacts) -> Iterator[Problem]:
    """A weight file runs code when it is loaded.

    Loading a pickle imports and calls whatever functions it names. Checkpoints need a few harmless ones; this file
    names others, such as `os.system` or `builtins.eval`, or hides which. It was not loaded here.

    Fix: save the tensors alone: `safetensors.torch.save_file(model.state_dict(), "weights.safetensors")`.
    """
    for file in weights.files:
        found = file.names_of(Safety.CODE)
        if found:
            called = "calls" if found[0].called else "imports"
            yield Problem(f"{_shown(file)} {called} {_words(found)}, which may run code", _at(file), SAVE)


@check("AEC431", severity=Severity.WARNING, follows=("AEC430",), stage="source")
def unknown_names_in_weights(weights: WeightFacts) -> Iterator[Problem]:
    """A weight file needs classes that are not known to be data.

    Unpickling imports the module of every class in a pickle. Loading fails where the organisers lack the module, or
    have a version of it without the class; `__main__` is X-ARES there, not your script.

    Fix: save the tensors alone: `safetensors.torch.save_file(model.state_dict(), "weights.safetensors")`.
    """
    for file in weights.files:
        found = file.names_of(Safety.UNKNOWN)
        if found:
            yield Problem(f"{_shown(file)} needs {_words(found)}", _at(file), SAVE)


@check("AEC432", severity=Severity.NOTE, follows=("AEC430", "AEC431"), stage="source")
def not_weights_only(weights: WeightFacts) -> Iterator[Problem]:
    """A checkpoint does not load with weights_only=True.

    That is what `torch.load` does by itself from torch 2.6 on. It refuses everything but tensors and plain containers.

    Fix: save `model.state_dict()` and nothing else, or load with `torch.load(path, weights_only=False)`.
    """
    for file in weights.files:
        if file.kind in CHECKPOINTS and Safety.WEIGHTS_ONLY.rank < file.safety.rank <= Safety.OWN.rank:
            found = file.names_of(Safety.DATA, Safety.OWN)
            reason = f"it needs {_words(found)}" if found else f"it was saved with another protocol ({file.refused})"
            yield Problem(f"{_shown(file)} does not load with weights_only=True: {reason}", _at(file))


@check("AEC433", stage="source")
def damaged_weights(weights: WeightFacts) -> Iterator[Problem]:
    """A weight file is damaged.

    The file was cut off, or its header does not fit its contents, so that loading it fails, or gives other values in
    other libraries.

    Fix: copy or download it again and compare sizes; if the original is damaged too, save it anew.
    """
    yield from _flawed(weights, FlawKind.DAMAGED)


@check("AEC434", follows=("AEC116",), stage="source")
def no_weights(weights: WeightFacts) -> Iterator[Problem]:
    """A weight file holds no weights.

    Something else lies under its name: the page that a site shows instead of a file, a Git LFS pointer, nothing at all.

    Fix: download the file itself, or `git lfs pull`, and make the ZIP anew.
    """
    yield from _flawed(weights, FlawKind.NO_WEIGHTS)


@check("AEC435", severity=Severity.WARNING, stage="source")
def unread_weights(weights: WeightFacts) -> Iterator[Problem]:
    """A weight file could not be looked through.

    The file is encrypted, packed once more, or beyond a limit of this check, so nothing is known of what loading it
    does.

    Fix: save the tensors alone: `safetensors.torch.save_file(model.state_dict(), "weights.safetensors")`.
    """
    yield from _flawed(weights, FlawKind.UNREAD)
    if weights.more:
        yield Problem(f"{weights.more} more weight files were not looked at: there are more than this check reads")
