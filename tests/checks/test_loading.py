"""AEC4xx on literals."""

from __future__ import annotations

from typing import Any

import pytest

from audio_encoder_checker.checks import loading
from audio_encoder_checker.evidence.behaviour import SecondStart
from audio_encoder_checker.evidence.run import Ending, Outcome, Raised
from tests.literals import ANSWERED, encoder, ended, load, raised

LOAD_CHECKS = (
    loading.missing_module,
    loading.import_failure,
    loading.constructor_failure,
    loading.death_while_loading,
    loading.endless_loading,
    loading.ambiguous_encoder_name,
)


def triggered(facts: object) -> list[str]:
    return [judge.__name__ for judge in LOAD_CHECKS if list(judge(facts))]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (load(raised("ModuleNotFoundError", missing="einops"), "import"), "missing_module"),
        (load(raised("ModuleNotFoundError", missing="einops"), "construct"), "missing_module"),
        (load(raised("JSONDecodeError"), "import"), "import_failure"),
        (load(raised("KeyError"), "construct"), "constructor_failure"),
        (load(ended(Ending.EXITED, "exit status 0"), "import"), "death_while_loading"),
        (load(ended(Ending.KILLED, "signal 11"), "import"), "death_while_loading"),
        (load(ended(Ending.GARBLED), "import"), "death_while_loading"),
        (load(ended(Ending.TIMED_OUT, "no answer within 5 s"), "import"), "endless_loading"),
        (load(phase="find", names=("AEncoder", "BEncoder")), "ambiguous_encoder_name"),
    ],
)
def test_every_failure_has_exactly_one_root_cause(facts: object, name: str) -> None:
    assert triggered(facts) == [name]


def test_a_good_load_triggers_nothing() -> None:
    assert triggered(load(names=("TinyEncoder",))) == []
    assert list(loading.not_a_module(encoder())) == []
    assert list(loading.class_name_suffix(encoder())) == []


def test_endings_of_the_conduct_family_are_left_to_it() -> None:
    assert triggered(load(ended(Ending.FLOODED), "import")) == []
    assert triggered(load(ended(Ending.OUT_OF_MEMORY), "import")) == []


@pytest.mark.parametrize("phase", ["import", "construct"])
@pytest.mark.parametrize("missing", ["", "einops"])
def test_what_this_box_does_not_allow_is_no_fault_of_the_encoder(phase: str, missing: str) -> None:
    assert triggered(load(raised("ConnectionError", missing=missing), phase, excused="no network")) == []


@pytest.mark.parametrize(
    ("check", "phase", "missing"),
    [
        (loading.missing_module, "import", "einops"),
        (loading.import_failure, "import", ""),
        (loading.constructor_failure, "construct", ""),
    ],
)
def test_where_no_own_line_is_known_the_encoder_file_is_named(check: Any, phase: str, missing: str) -> None:
    outcome = Outcome(Ending.RAISED, 0.1, raised=Raised("ImportError", "x", missing_module=missing))
    (problem,) = check(load(outcome, phase))
    assert problem.at == "encoder.py"
    assert problem.message == (f"no module named '{missing}'" if missing else "ImportError: x")


def test_AEC401_names_the_module_in_its_hint() -> None:
    (problem,) = loading.missing_module(load(raised("ModuleNotFoundError", missing="einops"), "import"))
    assert problem.hint.startswith("add the package that provides `einops` to requirements.txt")
    assert problem.at == "encoder.py:12"


def test_AEC402_repeats_the_last_words_of_an_exit() -> None:
    (problem,) = loading.import_failure(load(raised("SystemExit", "2"), "import", last_words="error: --data missing"))
    assert problem.message == "SystemExit: 2 (error: --data missing)"
    assert problem.at == "encoder.py:12"


@pytest.mark.parametrize(
    ("kind", "message", "hint"),
    [
        ("FileNotFoundError", "weights.pt", "Path(__file__).parent"),
        ("FileNotFoundError", "No such file or directory: '<repository>/weights.pt'", "into the submission"),
        ("UnpicklingError", "Weights only load failed: weights_only=True", "state dict"),
        ("RuntimeError", "Attempting to deserialize object on a CUDA device", "map_location='cpu'"),
        ("TypeError", "missing 1 required positional argument: 'path'", "a default"),
        ("AttributeError", "Can't get attribute 'Net' on <module '__main__'>", "state_dict()"),
        ("ValueError", "Please pass the argument `trust_remote_code=True`", "trust_remote_code=True"),
        ("AttributeError", "cannot assign module before Module.__init__() call", "`super().__init__()`"),
        ("EOFError", "EOF when reading a line", "input()"),
        ("TypeError", "AEncoder.to(device) returned NoneType, expected the encoder", "return self"),
        ("KeyError", "x", ""),
    ],
)
def test_AEC403_names_the_likely_mistake(kind: str, message: str, hint: str) -> None:
    (problem,) = loading.constructor_failure(load(raised(kind, message)))
    assert hint in problem.hint
    assert bool(problem.hint) == bool(hint)


def test_AEC402_knows_a_command_line_that_is_not_its_own() -> None:
    (problem,) = loading.import_failure(load(raised("SystemExit", "2"), "import"))
    assert "parse_args" in problem.hint


def test_AEC409_and_AEC410_tell_the_place_from_the_company() -> None:
    failed, found = raised("FileNotFoundError", "weights.pt"), ANSWERED
    elsewhere, never, fine = SecondStart(failed, found), SecondStart(failed, failed), SecondStart(found)
    assert "in another working directory" in next(loading.working_directory_dependence(elsewhere)).message
    assert list(loading.second_start_failure(elsewhere)) == []
    assert list(loading.working_directory_dependence(never)) == []
    assert "beside the first" in next(loading.second_start_failure(never)).message
    once = SecondStart(found, rebuilt=failed)
    assert "once more in the same process" in next(loading.second_start_failure(once)).message
    for check in (loading.working_directory_dependence, loading.second_start_failure):
        assert list(check(fine)) == []


@pytest.mark.parametrize(
    ("said", "better"),
    [
        ("[Errno 2] No such file or directory: 'weights/a.pt'", 'write `Path(__file__).parent / "weights/a.pt"`, with'),
        ("[Errno 2] No such file or directory: '/tmp/a.pt'", "build the path from the encoder file"),
        ("[Errno 2] No such file or directory: 'a`b'", "build the path from the encoder file"),
        ("weights.pt", "build the path from the encoder file"),
    ],
)
def test_AEC409_writes_the_path_of_a_file_that_is_named(said: str, better: str) -> None:
    (problem,) = loading.working_directory_dependence(SecondStart(raised("FileNotFoundError", said), ANSWERED))
    assert problem.hint.startswith(better)


def test_AEC411_is_about_workers_and_not_about_the_folder() -> None:
    refused = raised("AssertionError", "daemonic processes are not allowed to have children")
    second = SecondStart(refused, ANSWERED)
    assert "in a worker process" in next(loading.processes_in_worker(second)).message
    assert list(loading.working_directory_dependence(second)) == []
    assert list(loading.processes_in_worker(SecondStart(raised("FileNotFoundError"), ANSWERED))) == []


def test_AEC407_and_AEC408_name_the_class() -> None:
    assert "TinyEncoder" in next(loading.not_a_module(encoder(is_module=False))).message
    assert "'Tiny'" in next(loading.class_name_suffix(encoder(class_name="Tiny"))).message


@pytest.mark.parametrize("missing", ["einops", ""])
@pytest.mark.parametrize("phase", ["import", "construct"])
def test_a_failure_points_at_the_line_that_raised(phase: str, missing: str) -> None:
    facts = load(raised("ModuleNotFoundError", missing=missing), phase)
    (problem,) = (problem for judge in LOAD_CHECKS[:3] for problem in judge(facts))
    assert problem.at == "encoder.py:12"
