"""AEC212 to AEC220 and AEC601, from sources to problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.habits import find_habits
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.checks.habits import absolute_paths
from audio_encoder_checker.evidence.habits import Habit, HabitFacts, HabitKind
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ERROR, WARNING = Severity.ERROR, Severity.WARNING
CHECKS = [one for one in all_checks() if one.needs == (HabitFacts,)]
TOP = "import torch, Model\nfrom pathlib import Path\nfrom transformers import AutoModel\nclass AEncoder:\n"


def judged(facts: HabitFacts) -> list[Finding]:
    evidence = Evidence()
    evidence.put(facts)
    return list(judge(evidence, CHECKS).findings)


def findings(tmp_path: Path, body: str, top: str = TOP) -> list[Finding]:
    """What is found in an encoder with a constructor of one line, on line 6."""
    files: dict[str, bytes | str] = {
        "a.py": f"{top}    def __init__(self):\n        {body}\n",
        "sub/weights.pt": b"",
        "Sums.npy": b"",
    }
    return judged(find_habits(read_sources(write_tree(tmp_path / "repo", files), "a.py")))


CASES = [
    (
        *("torch.load('/home/me/w.pt')", "AEC212 absolute-paths", ERROR),
        "it opens '/home/me/w.pt', which is on your machine only",
        'put the file into the repository and write `Path(__file__).parent / "w.pt"`',
    ),
    (
        *("self.data = '/mnt/audio/set/'", "AEC212 absolute-paths", WARNING),
        "it names '/mnt/audio/set/', which is on your machine only",
        'put the file into the repository and write `Path(__file__).parent / "set"`',
    ),
    (
        *("torch.load('sub/weights.pt')", "AEC213 working-directory-paths", WARNING),
        "'sub/weights.pt' is looked for in the folder where the program was started",
        'Path(__file__).parent / "sub/weights.pt"',
    ),
    (
        *("self.net.cuda()", "AEC217 hard-coded-device", WARNING),
        "the device '.cuda()' is hard-coded: `self.net.cuda()`",
        "leave it out in the constructor; in forward use audio.device",
    ),
    (
        *("torch.load(f, map_location='cuda:1')", "AEC217 hard-coded-device", WARNING),
        "the device 'cuda:1' is hard-coded: `torch.load(f, map_location='cuda:1')`",
        'write `map_location="cpu"`',
    ),
    (
        *("AutoModel.from_pretrained('a/b', trust_remote_code=True)", "AEC218 moving-remote-code", WARNING),
        "runs the code of 'a/b' without naming a commit",
        'name the commit that you tested: `revision="COMMIT"`',
    ),
    (
        *("torch.hub.load('a/b:main', 'net')", "AEC218 moving-remote-code", WARNING),
        "runs the code of 'a/b:main' without naming a commit",
        'name the commit that you tested: `"a/b:COMMIT"`',
    ),
    (
        *("torch.load('weights/m.pt')", "AEC220 missing-data-file", WARNING),
        "'weights/m.pt' is opened, but is not in the submission",
        "put weights/m.pt in, or download it in the constructor",
    ),
    (
        *("torch.load('./sums.npy')", "AEC220 missing-data-file", WARNING),
        "'./sums.npy' is opened, the file is called 'Sums.npy'; Linux tells them apart",
        'Path(__file__).parent / "Sums.npy"',
    ),
    (
        *("AutoModel.from_pretrained('a/b')", "AEC601 unpinned-revision", WARNING),
        "'a/b' is downloaded without a revision, so as it is on that day",
        "",
    ),
]


@pytest.mark.parametrize(("body", "check", "severity", "message", "hint"), CASES)
def test_each_habit_has_its_check(
    tmp_path: Path, body: str, check: str, severity: Severity, message: str, hint: str
) -> None:
    (found,) = findings(tmp_path, body)
    assert (f"{found.id} {found.name}", found.severity, found.at) == (check, severity, "a.py:6")
    assert found.message == message
    assert found.hint == (hint or next(one.fix for one in CHECKS if check.startswith(one.id)))


def test_every_kind_has_exactly_one_check() -> None:
    for kind in HabitKind:
        assert len(judged(HabitFacts((Habit(kind, "a.py", 1, "x", better="y"),)))) == 1
    assert len(CHECKS) == len(HabitKind)


def test_a_download_is_judged_with_the_sources() -> None:
    assert {one.id: one.stage for one in CHECKS if one.stage != "source"} == {}


@pytest.mark.parametrize(("line", "severity"), [("import Net", ERROR), ("def late():\n    import Net", WARNING)])
def test_an_import_in_other_letters(tmp_path: Path, line: str, severity: Severity) -> None:
    root = write_tree(tmp_path / "repo", {"a.py": f"{line}\nclass AEncoder: pass\n", "net.py": ""})
    (found,) = judged(find_habits(read_sources(root, "a.py")))
    assert (found.id, found.name, found.severity) == ("AEC214", "wrong-case-imports", severity)
    assert found.message == "it imports 'Net', the file is called 'net'"
    assert found.hint == "write `net`"


def test_made_up_output(tmp_path: Path) -> None:
    source = "import torch\nclass AEncoder:\n    def forward(self, x): return torch.zeros(2)\n"
    (found,) = judged(find_habits(read_sources(write_tree(tmp_path / "repo", {"a.py": source}), "a.py")))
    assert (found.id, found.name, found.severity, found.at) == ("AEC219", "placeholder-output", WARNING, "a.py:3")
    assert found.message == ("AEncoder.forward returns torch.zeros(...): `def forward(self, x): return torch.zeros(2)`")


def test_of_many_the_sure_one_is_not_left_out() -> None:
    unsure = [Habit(HabitKind.ABSOLUTE_PATH, "a.py", number, "/home/me/x") for number in range(1, 40)]
    found = judged(HabitFacts((*unsure, Habit(HabitKind.ABSOLUTE_PATH, "b.py", 1, "/home/me/y", sure=True))))
    assert len(found) == 20
    assert (found[0].severity, found[0].at) == (ERROR, "b.py:1")
    assert any(one.message.endswith("; and 20 more like this") for one in found)


@pytest.mark.parametrize("kind", [one for one in HabitKind if one is not HabitKind.PLACEHOLDER])
def test_many_are_few(kind: HabitKind) -> None:
    many = tuple(Habit(kind, "a.py", number, "x", better="y") for number in range(1, 100))
    assert len(judged(HabitFacts(many))) == 20


@pytest.mark.parametrize("body", [one[0] for one in CASES if one[4].startswith("Path(")])
def test_a_path_as_the_hint_writes_it_is_no_habit(tmp_path: Path, body: str) -> None:
    (found,) = findings(tmp_path / "1", body)
    assert findings(tmp_path / "2", f"torch.load({found.hint})") == []


def test_a_repository_without_habits_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, "torch.load(Path(__file__).parent / 'sub/weights.pt', map_location='cpu')") == []


def test_AEC212_names_a_path_once_where_it_is_written() -> None:
    written = Habit(HabitKind.ABSOLUTE_PATH, "encoder.py", 3, "/home/me/w.pt", 'W = "/home/me/w.pt"')
    used = Habit(HabitKind.ABSOLUTE_PATH, "encoder.py", 9, "/home/me/w.pt", "torch.load(W)", sure=True)
    (problem,) = absolute_paths(HabitFacts((written, used)))
    assert (problem.at, problem.severity) == ("encoder.py:3", None)
    (problem,) = absolute_paths(HabitFacts((used,)))
    assert problem.at == "encoder.py:9"
