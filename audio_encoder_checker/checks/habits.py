"""AEC212 to AEC220 and AEC601: lines of the sources that work on the author's machine and may not elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few
from audio_encoder_checker.evidence.habits import Habit, HabitFacts, HabitKind
from audio_encoder_checker.findings import Problem, Severity

HERE = "Path(__file__).parent"


@check("AEC212")
def absolute_paths(habits: HabitFacts) -> Iterator[Problem]:
    r"""The encoder's sources name a path on your machine.

    Everyone has other files below `/home`, `/content` or `C:\Users`. If the encoder opens such a file when it is
    loaded or called, it fails on the organisers' machine; otherwise the path is a risk.

    Fix: put the file into the repository and open it as `Path(__file__).parent / "FILE"`.
    """
    yield from few(_absolute(one) for one in _surest(_where_written(habits.of(HabitKind.ABSOLUTE_PATH))))


def _where_written(habits: tuple[Habit, ...]) -> Iterator[Habit]:
    """Each path where it is written, and as sure as where a variable that holds it is used."""
    written = {one.what for one in habits if one.what in one.text}
    used = {one.what for one in habits if one.sure and one.what not in one.text}
    for one in habits:
        if one.what in one.text or one.what not in written:
            yield replace(one, sure=one.sure or one.what in used)


def _surest(habits: Iterable[Habit]) -> list[Habit]:
    """Those that are sure first: of many, the last are only counted."""
    return sorted(habits, key=lambda one: not one.sure)


def _absolute(one: Habit) -> Problem:
    name = one.what.replace("\\", "/").rstrip("/").rpartition("/")[2]
    opens = "it opens" if one.sure else "it names"
    severity = None if one.sure else Severity.WARNING
    hint = f'put the file into the repository and write `{HERE} / "{name}"`'
    return Problem(f"{opens} '{one.what}', which is on your machine only", one.at, hint, severity)


@check("AEC213", severity=Severity.WARNING, follows=("AEC409",))
def working_directory_paths(habits: HabitFacts) -> Iterator[Problem]:
    """A file of the repository is opened by a path relative to the working directory.

    The file is found only if the program is started in the repository's root. X-ARES has a working directory of its
    own, and so may its workers.

    Fix: start from the source: `Path(__file__).parent / "weights.pt"`.
    """
    yield from few(
        Problem(f"'{one.what}' is looked for in the folder where the program was started", one.at, one.better)
        for one in habits.of(HabitKind.WORKING_FOLDER)
    )


@check("AEC214")
def wrong_case_imports(habits: HabitFacts) -> Iterator[Problem]:
    """An import and its file differ in capital letters.

    Python tells `Model.py` from `model.py` on every system. Git on Windows and macOS does not: a file renamed only in
    its capitals keeps its old name in the repository, so your folder works and a clone of it fails.

    Fix: spell the import as the file is called, or rename the file: `git mv model.py Model.py`.
    """
    yield from few(_other_letters(one) for one in _surest(habits.of(HabitKind.WRONG_CASE)))


def _other_letters(one: Habit) -> Problem:
    found = f"it imports '{one.what}', the file is called '{one.better}'"
    return Problem(found, one.at, f"write `{one.better}`", None if one.sure else Severity.WARNING)


@check("AEC217", severity=Severity.WARNING, follows=("AEC532", "AEC530"))
def hard_coded_device(habits: HabitFacts) -> Iterator[Problem]:
    """The encoder chooses the device itself.

    X-ARES moves the encoder to the device that it wants. `cuda` fails without a GPU, and `cuda:1` with only one.
    Tensors that the encoder makes have to be on the device of the audio.

    Fix: leave out `.cuda()` and `device=...` in the constructor, and in `forward` use `device=audio.device`.
    """
    yield from few(
        Problem(f"the device '{one.what}' is hard-coded: `{one.text}`", one.at, _device_hint(one))
        for one in habits.of(HabitKind.DEVICE)
    )


def _device_hint(one: Habit) -> str:
    if "map_location" in one.text:
        return 'write `map_location="cpu"`'
    return "leave it out in the constructor; in forward use audio.device"


@check("AEC218", severity=Severity.WARNING)
def moving_remote_code(habits: HabitFacts) -> Iterator[Problem]:
    """The encoder runs code of another repository without naming a commit.

    `trust_remote_code=True` and `torch.hub.load` download Python and run it. Without a commit, or the tag of a release,
    the organisers run what is there on that day, which may differ from what you tested.

    Fix: name the commit: `revision="..."` in transformers, `"OWNER/REPOSITORY:COMMIT"` in torch.hub.
    """
    yield from few(_remote(one) for one in habits.of(HabitKind.REMOTE_CODE))


def _remote(one: Habit) -> Problem:
    named = f'"{one.what.partition(":")[0]}:COMMIT"' if one.better == "ref" else 'revision="COMMIT"'
    hint = f"name the commit that you tested: `{named}`"
    return Problem(f"runs the code of '{one.what}' without naming a commit", one.at, hint)


@check("AEC219", severity=Severity.WARNING, follows=("AEC520", "AEC521", "AEC503"))
def placeholder_output(habits: HabitFacts) -> Iterator[Problem]:
    """The encoder returns made-up numbers.

    What `forward` returns is filled with random or equal numbers, as in a template before the model is put in. Shapes
    are right, so the official checker is content; every score would be chance.

    Fix: return what your model makes of the audio.
    """
    for one in habits.of(HabitKind.PLACEHOLDER):
        yield Problem(f"{one.what}: `{one.text}`", one.at)


@check("AEC220", severity=Severity.WARNING, follows=("AEC403",))
def missing_data_file(habits: HabitFacts) -> Iterator[Problem]:
    """The encoder opens a file that is not in the submission.

    The line that opens it always runs, and nothing in the sources downloads or writes the file. Without it the encoder
    fails on the organisers' machine. It was looked for from the repository's root and from the source's folder.

    Fix: put the file into the submission, or download it in the constructor.
    """
    yield from few(_missing(one) for one in habits.of(HabitKind.MISSING_FILE))


def _missing(one: Habit) -> Problem:
    name = one.what.replace("\\", "/").removeprefix("./")
    if one.better:
        message = f"'{one.what}' is opened, the file is called '{one.better}'; Linux tells them apart"
        return Problem(message, one.at, f'{HERE} / "{one.better}"' if "/" not in one.file else f"write '{one.better}'")
    return Problem(
        f"'{one.what}' is opened, but is not in the submission",
        one.at,
        f"put {name} in, or download it in the constructor",
    )


@check("AEC601", severity=Severity.WARNING, stage="source", follows=("AEC606",))
def unpinned_revision(habits: HabitFacts) -> Iterator[Problem]:
    """A model is downloaded without a fixed revision.

    Whoever owns the repository may change it after the deadline, and the organisers would evaluate something else than
    you tested.

    Fix: name the commit: `revision="..."`; `aecc-check SUBMISSION --fix` asks the Hub for it and writes it.
    """
    yield from few(
        Problem(f"'{one.what}' is downloaded without a revision, so as it is on that day", one.at)
        for one in habits.of(HabitKind.UNPINNED)
    )
