"""`aecc-check` as its users meet it: real processes, exit statuses, streams, and nothing left behind."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import jsonschema
import psutil
import pytest

from audio_encoder_checker.cli import output
from audio_encoder_checker.cli.check import FORMATS, STAGE_NAMES, _options, check
from audio_encoder_checker.packing.receipt import write_receipt
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.rules import schema
from audio_encoder_checker.sandbox.meter import is_alive
from audio_encoder_checker.stages.order import STAGES
from tests import pdfs
from tests.profiles import BRIEF, changed_profile

SPECIMENS = Path(__file__).parent.parent / "specimens"
GOOD = SPECIMENS / "good-frames"


class Ran:
    """One run of the command in an empty temporary folder of its own."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "audio_encoder_checker", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(self.temporary), **environment},
            cwd=folder,
        )
        self.stdout, self.stderr = process.communicate(timeout=300)
        self.status = process.returncode

    @property
    def left_behind(self) -> list[str]:
        return [path.name for path in self.temporary.iterdir()]


def zipped(folder: Path, files: dict[str, str], name: str = "team.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path


def encoder_text(specimen: str) -> str:
    return (SPECIMENS / specimen / "encoder.py").read_text(encoding="utf-8")


def bad_archives(folder: Path) -> dict[str, Path]:
    good = zipped(folder, {"encoder.py": encoder_text("good-frames")}, "good.zip")
    contents = {
        "rar": b"Rar!\x1a\x07\x01\x00" + bytes(100),
        "html": b"<!DOCTYPE html><html><body>Sign in to download</body></html>",
        "truncated": good.read_bytes()[:-30],
        "nothing": b"",
    }
    paths = {name: folder / f"{name}.zip" for name in contents}
    for name, path in paths.items():
        path.write_bytes(contents[name])
    paths["empty"] = zipped(folder, {}, "empty.zip")
    paths["no-encoder"] = zipped(folder, {"README.md": "hello", "model.py": "x = 1\n"}, "no-encoder.zip")
    two = encoder_text("good-frames") + encoder_text("good-frames").replace("SpecimenEncoder", "SecondEncoder")
    paths["two-encoders"] = zipped(folder, {"encoder.py": two}, "two-encoders.zip")
    paths["two-files"] = zipped(folder, dict.fromkeys(("a.py", "b.py"), encoder_text("good-frames")), "two-files.zip")
    paths["syntax"] = zipped(folder, {"encoder.py": encoder_text("good-frames") + "\n    def (:\n"}, "syntax.zip")
    return paths


KINDS = ["rar", "html", "truncated", "nothing", "empty", "no-encoder", "two-encoders", "two-files", "syntax"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_archive_has_one_root_cause_with_a_remedy(kind: str, tmp_path: Path) -> None:
    ran = Ran(tmp_path, str(bad_archives(tmp_path)[kind]), "--format", "json", "--trust")
    report = json.loads(ran.stdout)
    errors = [f for f in report["findings"] if f["severity"] == "error"]
    assert (ran.status, len(errors)) == (1, 1), errors
    assert errors[0]["hint"]
    assert "Traceback" not in ran.stdout + ran.stderr
    assert ran.left_behind == []


ENDLESS = ("AEC405-endless-loading", "AEC508-endless-forward")
BREAKING = [
    "AEC402-import-failure",
    "AEC504-forward-failure",
    "AEC405-endless-loading",
    "AEC508-endless-forward",
    "AEC507-exits-in-forward",
    "AEC507-segmentation-fault",
    "AEC001-prints-100-megabytes",
]


@pytest.mark.box
@pytest.mark.parametrize("specimen", BREAKING)
def test_an_encoder_that_breaks_in_a_zip_has_one_root_cause(specimen: str, tmp_path: Path) -> None:
    path = zipped(tmp_path, {"encoder.py": encoder_text(specimen)})
    before = {p.pid for p in psutil.process_iter()}
    ran = Ran(tmp_path, str(path), "--format", "json", "--trust", "--timeout", "2" if specimen in ENDLESS else "20")
    errors = [f for f in json.loads(ran.stdout)["findings"] if f["severity"] == "error"]
    assert (ran.status, [e["id"] for e in errors]) == (1, [specimen[:6]])
    assert "Traceback" not in ran.stdout + ran.stderr
    assert ran.left_behind == []
    new = [p for p in psutil.process_iter(["cmdline"]) if p.pid not in before]
    assert not [p for p in new if str(tmp_path) in " ".join(p.info["cmdline"] or [])]


@pytest.mark.box
class TestGoodEncoder:
    def test_the_whole_line_gives_both_tracks_reports_where_they_were_asked_for_and_progress(
        self, tmp_path: Path
    ) -> None:
        profile = changed_profile(tmp_path, **BRIEF)
        ran = Ran(tmp_path, str(GOOD), "--trust", "--format=json", "--report=text=a.txt", "--profile", profile)
        assert (tmp_path / "a.txt").read_text().startswith("READY")
        *progress, last = ran.stderr.splitlines()
        assert last == "text report: a.txt"
        report = json.loads(ran.stdout)
        jsonschema.Draft202012Validator(schema("report")).validate(report)
        assert (ran.status, report["verdict"]) == (0, "ready")
        assert report["contract"]["hop_size_ms_measured"] == 10
        assert [line.split()[0] for line in progress] == ["source", "rules", "load", "contract", "budget", "evaluate"]
        assert ran.left_behind == []
        for track, count in (("track_a", 14), ("track_b", 11)):
            tasks = report["scores"][track]["tasks"]
            assert len(tasks) == count
            assert all(t["low"] <= t["value"] + 1e-6 and t["value"] <= t["high"] + 1e-6 for t in tasks)

    def test_two_runs_differ_in_timings_usage_and_environment_only(self, tmp_path: Path) -> None:
        profile = changed_profile(tmp_path, **BRIEF)
        words = (str(GOOD), "--no-eval", "--trust", "--format", "json", "-q", "--profile", profile)
        runs = [Ran(tmp_path, *words) for _ in range(2)]
        reports = [json.loads(ran.stdout) for ran in runs]
        for report in reports:
            for part in ("timings", "usage", "environment"):
                del report[part]
        assert reports[0] == reports[1]
        assert runs[0].stderr == ""

    def test_one_file_is_a_submission(self, tmp_path: Path) -> None:
        profile = changed_profile(tmp_path, **BRIEF)
        ran = Ran(tmp_path, str(GOOD / "encoder.py"), "--until", "contract", "--trust", "--profile", profile)
        assert ran.status == 0
        assert ran.stdout.startswith("READY")


def test_the_command_knows_the_stages_and_the_profile_of_the_pipeline() -> None:
    defaults = {parameter.name: parameter.default for parameter in check.params}
    assert STAGE_NAMES == STAGES
    assert FORMATS == output.FORMATS
    assert (defaults["profile"], defaults["seed"]) == (Options().profile, Options().seed)


class TestWithoutRunning:
    def test_two_reports_are_compared(self, tmp_path: Path) -> None:
        (tmp_path / "team").mkdir()
        (tmp_path / "team" / "encoder.py").write_text("class TeamEncoder(:\n")
        first = Ran(tmp_path, "team", "--until", "source", "--report", "json=old.json")
        assert first.status == 1
        same = Ran(tmp_path, "team", "--until", "source", "--compare", "old.json")
        assert same.stdout.endswith("since the earlier report\n  nothing has changed\n")
        (tmp_path / "team" / "encoder.py").write_text(encoder_text("good-frames"))
        mended = Ran(tmp_path, "team", "--until", "source", "--compare", "old.json", "--format", "json")
        assert json.loads(mended.stdout)["verdict"] == "ready"
        assert "  mended         error AEC206" in mended.stderr
        wrong = Ran(tmp_path, "team", "--until", "source", "--compare", "team/encoder.py")
        assert (wrong.status, wrong.stdout) == (2, "")
        assert "is no report" in wrong.stderr

    def test_the_paper_is_judged(self, tmp_path: Path) -> None:
        (tmp_path / "team.pdf").write_bytes(pdfs.report(7))
        ran = Ran(tmp_path, str(GOOD), "--until", "rules", "--paper", "team.pdf", "--format", "json")
        report = json.loads(ran.stdout)
        jsonschema.Draft202012Validator(schema("report")).validate(report)
        assert (ran.status, [one["id"] for one in report["findings"]]) == (1, ["AEC913"])
        assert report["files"]["report"]["pages"] == 7
        assert [line.split()[0] for line in ran.stderr.splitlines()] == ["source", "rules"]

    def test_what_has_no_readme_is_told_so(self, tmp_path: Path) -> None:
        path = zipped(tmp_path, {"encoder.py": encoder_text("good-frames")})
        ran = Ran(tmp_path, str(path), "--until", "rules", "--format", "json")
        found = [(one["severity"], one["id"]) for one in json.loads(ran.stdout)["findings"]]
        assert (ran.status, found) == (0, [("warning", "AEC121"), ("warning", "AEC122"), ("note", "AEC123")])


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_reader_that_leaves_changes_no_verdict(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "audio_encoder_checker", str(GOOD), "--until", "rules", "--report", "json=r.json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert (process.wait(), "Traceback" in said, "Error" in said) == (0, False, False), said
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "ready"


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["missing.zip"], "missing.zip"),
            ([], "SUBMISSION"),
            ([str(GOOD), "--frobnicate"], "No such option"),
            ([str(GOOD), "--until", "tomorrow"], "archive"),
            ([str(GOOD), "--no-eval", "--until", "load"], "exclude one another"),
            ([str(GOOD), "--report", "pdf=x"], "FORMAT=PATH"),
            ([str(GOOD), "--report", "json=missing/x.json"], "mkdir -p missing"),
            ([str(GOOD), "--select", "AEC9999"], "--list-checks"),
            ([str(GOOD), "--profile", "icml-1999"], "icme-2025"),
            ([str(GOOD), "--profile", "missing.toml"], "missing.toml"),
            ([str(GOOD), "--box", "weak"], "--trust"),
            ([str(GOOD), "--device", "tpu", "--trust"], "cuda:N"),
            ([str(GOOD), "--until", "source", "--paper", "x.pdf"], "--stage rules"),
            ([str(GOOD), "--until", "rules", "--paper", "x.pdf"], "cannot read the paper 'x.pdf'"),
            ([str(GOOD), "--until", "source", "--yes"], "add --fix"),
            ([str(GOOD), "--allow-source"], "add --install"),
            ([str(GOOD), "--until", "load", "--install", "--constraint", "missing.txt"], "missing.txt"),
            ([str(GOOD), "--hub-cache", str(GOOD / "encoder.py")], "is a file"),
            (["--explain", "AEC777"], "did you mean"),
            (["--explain", "zero-frame"], "zero-frames"),
        ],
        ids=lambda value: " ".join(value)[-30:] if isinstance(value, list) else None,
    )
    def test_wrong_usage_names_the_remedy_and_ends_with_2(
        self, arguments: list[str], complaint: str, tmp_path: Path
    ) -> None:
        ran = Ran(tmp_path, *arguments)
        assert ran.status == 2
        assert complaint in ran.stderr
        assert ran.stdout == ""
        assert "Traceback" not in ran.stderr
        assert ran.left_behind == []

    def test_explain_prints_the_docstring(self, tmp_path: Path) -> None:
        ran = Ran(tmp_path, "--explain", "zero-frames")
        assert ran.stdout.startswith("AEC503 zero-frames (error, contract stage)")
        assert "Fix: compute the number of frames" in ran.stdout

    def test_list_checks_has_one_line_each(self, tmp_path: Path) -> None:
        lines = Ran(tmp_path, "--list-checks").stdout.splitlines()
        assert all(line.startswith("AEC") for line in lines)
        assert [line[:6] for line in lines] == sorted(line[:6] for line in lines)

    def test_print_schema_prints_json(self, tmp_path: Path) -> None:
        assert json.loads(Ran(tmp_path, "--print-schema", "report").stdout) == schema("report")

    def test_a_profile_of_ones_own_is_validated(self, tmp_path: Path) -> None:
        (tmp_path / "mine.toml").write_text('name = "mine"\n')
        ran = Ran(tmp_path, str(GOOD), "--profile", "mine.toml")
        assert ran.status == 2
        assert "mine.toml" in ran.stderr
        assert "--print-schema rules" in ran.stderr

    def test_a_setting_that_nobody_knows_is_an_error_with_a_guess(self, tmp_path: Path) -> None:
        path = zipped(tmp_path, {"encoder.py": encoder_text("good-frames"), "aecc.toml": 'encodr = "encoder.py"\n'})
        ran = Ran(tmp_path, str(path), "--until", "source")
        assert ran.status == 2
        assert "did you mean 'encoder'" in ran.stderr
        assert Ran(tmp_path, str(path), "--until", "source", "--isolated").status == 0

    def test_an_ignored_error_leaves_the_verdict_undecided(self, tmp_path: Path) -> None:
        two = zipped(tmp_path, dict.fromkeys(("a.py", "b.py"), encoder_text("good-frames")))
        found = json.loads(Ran(tmp_path, str(two), "--until", "source", "--format", "json").stdout)
        ids = ",".join(f["id"] for f in found["findings"])
        ran = Ran(tmp_path, str(two), "--until", "source", "--ignore", ids)
        assert ran.status == 3
        assert "ignored: on the command line" in ran.stdout

    def test_a_terminal_that_knows_ascii_only_is_no_bug(self, tmp_path: Path) -> None:
        ran = Ran(tmp_path, str(GOOD), "--until", "source", PYTHONIOENCODING="ascii")
        assert ran.status == 0
        assert ran.stdout.startswith("READY")

    def test_no_colour_in_a_pipe_and_colour_on_demand(self, tmp_path: Path) -> None:
        arguments = (str(GOOD), "--until", "source")
        assert "\x1b[" not in Ran(tmp_path, *arguments).stdout
        assert "\x1b[" in Ran(tmp_path, *arguments, "--color", "always").stdout
        assert "\x1b[" not in Ran(tmp_path, *arguments, FORCE_COLOR="", NO_COLOR="1").stdout


def test_without_a_box_the_verdict_is_open_and_the_remedy_is_told(tmp_path: Path) -> None:
    ran = Ran(tmp_path, str(GOOD), "--no-eval", "--box", "strong", PATH="/nowhere")
    assert ran.status == 3
    assert ran.stdout.startswith("UNDECIDED")
    assert "install bubblewrap" in ran.stdout
    assert "Traceback" not in ran.stderr


def cpu_seconds(process: psutil.Process) -> float:
    """Of a process that may be gone meanwhile, as those are that test the box."""
    try:
        return float(process.cpu_times().user)
    except psutil.NoSuchProcess:
        return 0.0


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"encoder.py": encoder_text("AEC405-endless-loading")})
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "audio_encoder_checker", str(path), "--trust"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )
    me = psutil.Process(process.pid)
    while sum(map(cpu_seconds, children := me.children(recursive=True))) < 1:
        time.sleep(0.05)
    process.terminate()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not [c for c in children if is_alive(c)]


def test_stdout_that_nobody_reads_is_no_bug(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with io.FileIO(write_end, "w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "audio_encoder_checker", "--list-checks"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert "Traceback" not in done.stderr
    assert done.returncode != 70


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [([], False), (["--strict"], True), (["--strict", "--no-install"], False), (["--install"], True)],
)
def test_strict_installs_unless_told_otherwise(arguments: list[str], *, asked: bool) -> None:
    wishes = check.make_context("aecc-check", [str(GOOD), *arguments]).params
    assert _options(GOOD, wishes).installing.asked is asked


def test_a_receipt_is_held_against_the_zip(tmp_path: Path) -> None:
    team = zipped(tmp_path, {"encoder.py": (GOOD / "encoder.py").read_text()})
    static = ("team.zip", "--until", "rules", "--quiet", "--format", "json", "--verify-receipt")
    missing = Ran(tmp_path, *static)
    assert "AEC906" in missing.stdout
    report = check_submission(team, Options(stages=("archive", "source", "rules")))
    write_receipt(team, report, "icme-2025", None)
    fitting = Ran(tmp_path, *static)
    assert fitting.status == 0
    assert "AEC907" not in fitting.stdout
    with team.open("ab") as file:
        file.write(b"x")
    altered = json.loads(Ran(tmp_path, *static).stdout)
    assert {"AEC109", "AEC907"} <= {one["id"] for one in altered["findings"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--until", "source", "--verify-receipt"), "stage `rules`, which was left out"),
        (("--verify-receipt",), "is no ZIP"),
    ],
)
def test_a_receipt_of_nothing_is_wrong_usage(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ran = Ran(tmp_path, str(GOOD), *arguments)
    assert ran.status == 2
    assert said in ran.stderr
