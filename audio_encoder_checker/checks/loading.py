"""AEC4xx: importing the encoder file and constructing the encoder."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.behaviour import SecondStart
from audio_encoder_checker.evidence.load import EncoderFacts, LoadFacts
from audio_encoder_checker.evidence.run import Ending, Raised
from audio_encoder_checker.findings import Problem, Severity

REMEDIES: dict[tuple[str, ...], str] = {
    ("FileNotFoundError", "<repository>/"): (
        "put the file itself, not a link to it, into the submission, or correct its name; `.aeccignore` and "
        "`.gitignore` may have left it out"
    ),
    ("FileNotFoundError",): (
        "build the path from the encoder file, `Path(__file__).parent / ...`, and check that the file is in the ZIP"
    ),
    ("SystemExit",): (
        'put what ends the program under `if __name__ == "__main__":`; `parse_args()` at import meets the arguments '
        "of X-ARES"
    ),
    ("attribute", "__main__"): (
        "save `model.state_dict()`, not the model: the file was pickled by a script whose classes are not here"
    ),
    ("trust_remote_code",): (
        "pass `trust_remote_code=True`, or put the model's code into the repository: nobody can answer a prompt"
    ),
    ("before Module.__init__() call",): "begin `__init__` with `super().__init__()`",
    ("EOFError",): "remove `input()`: nobody is there to answer",
    ("to(device) returned",): "end the method `to` of your class with `return self`, or remove it",
    ("weights_only",): (
        "save a plain state dict (`torch.save(model.state_dict(), path)`) or use safetensors; both load everywhere"
    ),
    ("CUDA",): (
        "remove `.cuda()` and `device='cuda'`, and load with `map_location='cpu'`; X-ARES moves the encoder itself"
    ),
    ("required positional argument",): (
        "give every parameter of `__init__` a default: X-ARES calls the class without arguments"
    ),
}
"""What mends an exception, by words that are all in its type and text; the first that fits."""

DOWNLOADS = ("AEC602", "AEC611")
"""What explains that a download failed."""


@check("AEC401", follows=("AEC301", "AEC320", "AEC321"))
def missing_module(load: LoadFacts) -> Iterator[Problem]:
    """The encoder imports a module that is not there.

    The organisers install your requirements.txt into a fresh environment. What only your own machine has is
    missing there, and X-ARES then reports the encoder file itself as not found.

    Fix: add the package that provides the module to requirements.txt, or put its code into the repository.
    """
    raised = load.outcome.raised
    if raised and raised.missing_module and not load.excused:
        name = raised.missing_module
        yield Problem(
            f"no module named {name!r}",
            at=raised.at or load.file,
            hint=f"add the package that provides `{name}` to requirements.txt and install it here "
            f"(`pip install {name}`), or put {name}.py into the repository",
        )


@check("AEC402", follows=DOWNLOADS)
def import_failure(load: LoadFacts) -> Iterator[Problem]:
    """The encoder file raises an exception when it is imported.

    X-ARES imports the file from the root of the repository before anything else; nothing can be evaluated
    when that fails.

    Fix: run `python -c "import encoder"` in the root of the repository and mend what it shows; put what is to run as
        a script under `if __name__ == "__main__":`.
    """
    raised = load.outcome.raised
    if raised and load.phase == "import" and not raised.missing_module and not load.excused:
        said = f" ({load.last_words})" if load.last_words else ""
        yield Problem(f"{raised}{said}", raised.at or load.file, _hint(raised))


@check("AEC403", follows=("AEC433", "AEC434", "AEC530", "AEC531", "AEC532", *DOWNLOADS))
def constructor_failure(load: LoadFacts) -> Iterator[Problem]:
    """The encoder's constructor raises an exception.

    X-ARES constructs the encoder without arguments, some fifty times. Weights that are looked for in the wrong
    place are the usual cause.

    Fix: run `python -c "import encoder; encoder.YourEncoder()"` in a fresh clone; find files with
        `Path(__file__).parent`.
    """
    raised = load.outcome.raised
    if raised and load.phase == "construct" and not raised.missing_module and not load.excused:
        yield Problem(str(raised), at=raised.at or load.file, hint=_hint(raised))


@check("AEC409")
def working_directory_dependence(second: SecondStart) -> Iterator[Problem]:
    """The encoder works from the repository's root only.

    X-ARES imports the encoder by its path and has a working directory of its own. Files that are named relative to
    the working directory are not found there.

    Fix: build every path from the file it stands in, `Path(__file__).parent / "weights.pt"`.
    """
    at_root = second.at_root
    if at_root and at_root.ending is Ending.ANSWERED and not _wants_processes(second):
        message = f"in another working directory: {second.elsewhere}"
        yield Problem(message, second.elsewhere.at, _beside_the_source(str(second.elsewhere)))


def _beside_the_source(said: str) -> str:
    """The path to write, where the exception names the file that was not found."""
    found = re.search(r"No such file or directory: '([^'\"`/<][^'\"`]*)'", said)
    better = f'write `Path(__file__).parent / "{found[1]}"`, with `from pathlib import Path`' if found else ""
    return better or REMEDIES["FileNotFoundError",]


def _wants_processes(second: SecondStart) -> bool:
    return "daemonic processes" in str(second.elsewhere)


@check("AEC411", severity=Severity.WARNING)
def processes_in_worker(second: SecondStart) -> Iterator[Problem]:
    """The encoder starts processes of its own, which X-ARES's workers may not.

    X-ARES runs tasks in a pool of processes, and a process of a pool may not start others. X-ARES then runs one task
    after the other, which takes many times as long.

    Fix: build a `DataLoader` with `num_workers=0`, and use threads in place of processes.
    """
    if _wants_processes(second):
        yield Problem(f"in a worker process: {second.elsewhere}", second.elsewhere.at)


@check("AEC410")
def second_start_failure(second: SecondStart) -> Iterator[Problem]:
    """The encoder can be constructed only once.

    X-ARES constructs it anew for every task, some fifty times in all, and runs several processes at once.

    Fix: register nothing under a fixed name, take no lock and bind no port in `__init__`, or check first whether that
        was done already.
    """
    if second.at_root and second.at_root.ending is not Ending.ANSWERED:
        yield Problem(f"in a second process beside the first: {second.at_root}", second.at_root.at)
    elif second.rebuilt and second.rebuilt.ending is not Ending.ANSWERED:
        yield Problem(f"constructed once more in the same process: {second.rebuilt}", second.rebuilt.at)


def _hint(raised: Raised) -> str:
    """The remedy for what an exception says, by signs in its type and text."""
    text = str(raised)
    return next((hint for signs, hint in REMEDIES.items() if all(sign in text for sign in signs)), "")


@check("AEC404")
def death_while_loading(load: LoadFacts) -> Iterator[Problem]:
    """The process ends while the encoder is loaded.

    The organisers' run ends with it, and no score is produced. An exit status of 0 does not help: the encoder
    never answered.

    Fix: remove `exit()`, `sys.exit()` or `os._exit()`; for a crash in compiled code run
        `python -X faulthandler -c "import encoder; encoder.YourEncoder()"`.
    """
    if load.outcome.ending in (Ending.EXITED, Ending.KILLED, Ending.GARBLED):
        yield Problem(f"the process ended before the encoder was constructed ({load.outcome})", at=load.file)


@check("AEC405")
def endless_loading(load: LoadFacts) -> Iterator[Problem]:
    """Loading the encoder takes too long.

    X-ARES constructs the encoder some fifty times, twice per task. A constructor that waits for input, loops
    or downloads slowly makes the evaluation impossible.

    Fix: look for `input()`, training code or a loop at module level; `--timeout SECONDS` allows more.
    """
    if load.outcome.ending is Ending.TIMED_OUT:
        yield Problem(f"the encoder was not constructed: {load.outcome.detail}", at=load.file)


@check("AEC406")
def ambiguous_encoder_name(load: LoadFacts) -> Iterator[Problem]:
    """X-ARES does not find exactly one encoder in the module.

    X-ARES takes the only name in `dir(module)` that ends in `Encoder`; imported classes and variables count too.

    Fix: keep one such name; import others under an alias, `from x import SomeEncoder as _SomeEnc`.
    """
    if load.phase == "find":
        names = ", ".join(load.names) or "none"
        yield Problem(f"expected one name ending in 'Encoder', found {len(load.names)}: {names}", at=load.file)


@check("AEC407")
def not_a_module(encoder: EncoderFacts) -> Iterator[Problem]:
    """The encoder is not a torch.nn.Module.

    X-ARES moves the encoder to the GPU with `.to(device)` and the official checker refuses anything else.

    Fix: derive the class from `torch.nn.Module` and call `super().__init__()` first.
    """
    if not encoder.is_module:
        yield Problem(f"{encoder.class_name} is not derived from torch.nn.Module", at=encoder.file)


@check("AEC408")
def class_name_suffix(encoder: EncoderFacts) -> Iterator[Problem]:
    """The encoder's class is not named as the challenge asks.

    The official checker looks at the class name of the object itself, not at the name it was found under.

    Fix: rename the class so that it ends in `Encoder`.
    """
    if not encoder.class_name.endswith("Encoder"):
        yield Problem(f"the class is named {encoder.class_name!r}, which does not end in 'Encoder'", at=encoder.file)
