"""The command itself: what it prints, how it ends, and how light it starts."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

from audio_encoder_checker import __version__
from audio_encoder_checker.cli.package import package
from audio_encoder_checker.packing.receipt import write_receipt
from audio_encoder_checker.pipeline import Options, check_submission
from tests.packing.upload_hub import UploadHub
from tests.pdfs import report
from tests.profiles import BRIEF, changed_profile

SMALL = Path(__file__).parents[1] / "specimens" / "good-frames" / "encoder.py"
START = (
    "import json, resource, sys\n"
    "from audio_encoder_checker.cli.package import main\n"
    "sys.argv = ['aecc-package', '--help']\n"
    "try:\n    main()\n"
    "except SystemExit as leaving:\n    assert not leaving.code\n"
    "used = resource.getrusage(resource.RUSAGE_SELF)\n"
    "print('\\n' + json.dumps([used.ru_utime + used.ru_stime, sorted(m.split('.')[0] for m in sys.modules)]))"
)


def aecc_package(*words: object) -> subprocess.CompletedProcess[str]:
    code = "from audio_encoder_checker.cli.package import main; main()"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def invoke(*words: object) -> Result:
    return CliRunner().invoke(package, [str(word) for word in words], standalone_mode=False)


@pytest.fixture
def team(tmp_path: Path) -> Path:
    assert invoke("init", tmp_path / "team").return_value == 0
    return tmp_path / "team"


def test_help_starts_light() -> None:
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
        used, modules = json.loads(done.stdout.splitlines()[-1])
        seconds.append(used)
        assert not {"numpy", "torch", "rich", "jsonschema", "pathspec", "sklearn"} & set(modules)
    assert min(seconds) < 0.15, "seconds of CPU"


def test_the_version_is_told() -> None:
    assert invoke("--version").output == f"package {__version__}\n"


def test_init_build_and_verify_follow_one_another(team: Path, tmp_path: Path) -> None:
    (team / "__pycache__").mkdir()
    (team / "__pycache__" / "encoder.pyc").write_bytes(b"0" * 2000)
    built = invoke("build", team, "-o", tmp_path / "out.zip", "--no-check")
    assert built.return_value == 0, built.output
    digest = hashlib.sha256((tmp_path / "out.zip").read_bytes()).hexdigest()
    assert f"sha256 {digest}" in built.output
    assert "7 files" in built.output
    assert "left out: caches and compiled Python (1 file, 2 kB: __pycache__/)" in built.output
    assert f"next: aecc-check {tmp_path / 'out.zip'}" in built.output
    assert "error" not in built.output
    verified = invoke("verify", tmp_path / "out.zip")
    assert verified.return_value == 0
    assert "as it was built" in verified.output


def test_init_says_what_to_do_next(tmp_path: Path) -> None:
    done = aecc_package("init", tmp_path / "x", "--name", "OurEncoder")
    assert done.returncode == 0
    assert "OurEncoder" in done.stdout
    assert f"next: aecc-check {tmp_path / 'x'}" in done.stdout
    again = aecc_package("init", tmp_path / "x")
    assert again.returncode == 2
    assert again.stdout == ""
    assert "is not empty" in again.stderr
    assert "fix: " in again.stderr


def test_a_changed_zip_is_not_as_it_was_built(team: Path, tmp_path: Path) -> None:
    invoke("build", team, "-o", tmp_path / "out.zip", "--no-check")
    with zipfile.ZipFile(tmp_path / "out.zip", "a") as archive:
        archive.writestr("extra.py", "x = 1\n")
    done = aecc_package("verify", tmp_path / "out.zip")
    assert done.returncode == 1
    assert "error AEC904 added-file: extra.py" in done.stdout
    assert "fix: " in done.stdout
    assert "NOT as it was built" in done.stdout


def test_a_zip_made_otherwise_is_not_as_it_was_built(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("encoder.py", "x = 1\n")
    done = aecc_package("verify", tmp_path / "out.zip")
    assert done.returncode == 1
    assert "AEC901 missing-manifest" in done.stdout
    assert "fix: build it with `aecc-package build" in done.stdout


@pytest.mark.parametrize(
    "words",
    [["build", "nowhere", "-o", "out.zip"], ["build", "."], ["verify", "gone.zip"], ["verify", "."], ["pack"]],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = aecc_package(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_submission_with_an_error_is_written_and_not_ready(team: Path, tmp_path: Path) -> None:
    (team / "encoder.py").write_text("def broken(:\n")
    done = aecc_package("build", team, "-o", tmp_path / "out.zip", "--no-check")
    assert done.returncode == 1
    assert "NOT READY" in done.stdout
    assert (tmp_path / "out.zip").is_file()


def test_many_reasons_for_leaving_out_are_counted(team: Path, tmp_path: Path) -> None:
    (team / ".aeccignore").write_text("".join(f"n{number}\n" for number in range(12)))
    for number in range(12):
        (team / f"n{number}").write_bytes(b"0" * (100 - number))
    built = invoke("build", team, "-o", tmp_path / "out.zip", "--no-check")
    assert built.output.count("left out:") == 9
    assert "left out: for 4 more reasons (4 files, 362 bytes)" in built.output


def test_on_a_terminal_init_asks_what_was_not_said(tmp_path: Path) -> None:
    code = "from audio_encoder_checker.cli.package import main; main()"
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", code, "init", str(tmp_path / "team")]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    os.write(ours, b"nonsense\nplain\nOurOwnEncoder\n")
    assert process.wait(30) == 0
    shown = b""
    with suppress(OSError):  # a terminal that nobody holds any more
        while piece := os.read(ours, 1 << 16):
            shown += piece
    os.close(ours)
    assert b"transformers  a model of the library transformers," in shown
    assert b"'nonsense' is not one of" in shown
    assert b"Name of the encoder class [TeamEncoder]" in shown
    after = shown.decode().partition("OurOwnEncoder in ")[2].splitlines()[1:-1]
    assert max(map(len, after)) <= 80, "broken between words by us, not within by the terminal"
    assert "class OurOwnEncoder(" in (tmp_path / "team" / "encoder.py").read_text()


def test_a_used_folder_is_refused_before_anything_is_asked(team: Path) -> None:
    done = aecc_package("init", team)
    assert done.returncode == 2
    assert "is not empty" in done.stderr


def test_a_dry_run_lists_everything_and_writes_nothing(team: Path, tmp_path: Path) -> None:
    (team / ".aeccignore").write_text("".join(f"n{number}\n" for number in range(12)))
    for number in range(12):
        (team / f"n{number}").touch()
    done = aecc_package("build", team, "--dry-run")
    assert done.returncode == 0
    assert "packed: encoder.py (" in done.stdout
    assert done.stdout.count("left out: ") == 12
    assert [path.name for path in tmp_path.iterdir()] == ["team"]


def test_a_paper_that_is_not_there_is_told_before_anything_is_packed(team: Path, tmp_path: Path) -> None:
    done = aecc_package("build", team, "-o", tmp_path / "out.zip", "--paper", tmp_path / "gone.pdf")
    assert done.returncode == 2
    assert "there is no paper" in done.stderr
    (team / "aecc.toml").write_text('encoder = "encoder.py"\npaper = "../report.pdf"\n')
    done = aecc_package("build", team, "-o", tmp_path / "out.zip")
    assert "mend `paper = ...` in aecc.toml" in done.stderr
    for key in ("paper", "encoder"):
        (team / "aecc.toml").write_text(f'{key} = "{"x" * 300}"\n')
        done = aecc_package("build", team, "-o", tmp_path / "out.zip")
        assert (done.returncode, f"mend `{key} = ...` in aecc.toml" in done.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["team"]


@pytest.mark.box
def test_build_checks_the_zip_and_writes_a_receipt_that_fits(team: Path, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(report(pages=2))
    (team / "aecc.toml").write_text('encoder = "encoder.py"\npaper = "../report.pdf"\n')
    (team / "encoder.py").write_text(SMALL.read_text().replace("SpecimenEncoder", "TeamEncoder"))
    words = ("build", team, "-o", tmp_path / "out.zip", "--no-eval", "--box", "auto", "--trust", "--device", "cpu")
    done = aecc_package(*words, "--profile", changed_profile(tmp_path, **BRIEF))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "READY" in done.stdout
    receipt = json.loads((tmp_path / "out.receipt.json").read_text())
    assert receipt["verdict"] == "ready"
    assert receipt["encoder"] == {"file": "encoder.py", "class": "TeamEncoder"}
    assert receipt["paper"]["name"] == "report.pdf"
    assert aecc_package("verify", tmp_path / "out.zip", "--receipt").returncode == 0
    (tmp_path / "report.pdf").write_bytes(report(pages=3))
    tampered = aecc_package("verify", tmp_path / "out.zip", "--receipt")
    assert tampered.returncode == 1
    assert "AEC909 altered-paper: report.pdf" in tampered.stdout
    with zipfile.ZipFile(tmp_path / "out.zip", "a") as archive:
        archive.writestr("extra.py", "x = 1\n")
    tampered = aecc_package("verify", tmp_path / "out.zip", "--receipt", tmp_path / "out.receipt.json")
    assert "AEC904 added-file: extra.py" in tampered.stdout
    assert "AEC907 foreign-receipt" in tampered.stdout


def test_a_paper_needs_a_receipt_to_be_held_against(team: Path) -> None:
    done = aecc_package("verify", team, "--paper", "x.pdf")
    assert done.returncode == 2
    assert "add --receipt" in done.stderr


def test_a_paper_is_judged_and_attached(team: Path, tmp_path: Path) -> None:
    invoke("build", team, "-o", tmp_path / "out.zip", "--no-check")
    (tmp_path / "long.pdf").write_bytes(report(pages=7))
    (tmp_path / "good.pdf").write_bytes(report(pages=6))
    refused = aecc_package("attach-paper", tmp_path / "out.zip", tmp_path / "long.pdf")
    assert refused.returncode == 1
    assert "AEC913 long-paper" in refused.stdout
    assert "NOT attached" in refused.stdout
    unchecked = aecc_package("attach-paper", tmp_path / "out.zip", tmp_path / "good.pdf")
    assert unchecked.returncode == 2
    assert "cannot read the receipt" in unchecked.stderr
    checked = check_submission(tmp_path / "out.zip", Options(stages=("archive", "source")))
    write_receipt(tmp_path / "out.zip", checked, "icme-2025", None)
    attached = aecc_package("attach-paper", tmp_path / "out.zip", tmp_path / "good.pdf")
    assert attached.returncode == 0, attached.stderr
    assert "now speaks of" in attached.stdout
    assert "by e-mail: " in attached.stdout
    assert json.loads((tmp_path / "out.receipt.json").read_text())["paper"]["name"] == "good.pdf"


def test_an_upload_prints_the_lines_that_download_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"w" * 50_000)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    with UploadHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_writer")
        done = aecc_package("upload", tmp_path / "model.safetensors", "--repository", "team/weights")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.partition("in encoder.py:\n\n")[2].partition("\n\nor, with")[0]
        fetch = [sys.executable, "-c", lines + "\nprint(path)"]
        fetched = subprocess.run(fetch, capture_output=True, text=True, check=True)
    assert Path(fetched.stdout.strip()).read_bytes() == b"w" * 50_000
    assert 'REPOSITORY = "team/weights"\nREVISION = "' in done.stdout
    assert f'SHA256 = "{hashlib.sha256(b"w" * 50_000).hexdigest()}"\n' in done.stdout


def test_slim_tells_what_could_go_of_a_folder_and_of_a_zip(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "encoder.py").write_text("WEIGHTS = 'model.bin'\n")
    for name in ("model.bin", "copy.bin"):
        (tmp_path / "team" / name).write_bytes(bytes(range(256)) * 8000)
    invoke("build", tmp_path / "team", "-o", tmp_path / "out.zip", "--no-check")
    for submission in (tmp_path / "team", tmp_path / "out.zip"):
        shown = invoke("slim", submission).output
        assert "4.1 MB in all" in shown
        assert "the same file again: copy.bin" in shown
    refused = aecc_package("slim", tmp_path / "team", "--key", "x")
    assert refused.returncode == 2
    assert "add --convert FILE" in refused.stderr


@pytest.mark.box
def test_a_checkpoint_becomes_safetensors_and_every_tensor_is_compared(tmp_path: Path) -> None:
    state = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.float16)}
    torch.save({"state_dict": state, "optimizer": {"step": torch.zeros(1000)}}, tmp_path / "best.ckpt")
    words = ("slim", tmp_path, "--convert", "best.ckpt", "--trust")
    done = aecc_package(*words)
    assert done.returncode == 0, done.stderr
    assert "2 tensors, all equal" in done.stdout
    assert "left out: optimizer (4 kB)" in done.stdout
    written = load_file(tmp_path / "best.safetensors")
    assert all(torch.equal(written[name], state[name]) for name in state)
    again = aecc_package(*words)
    assert again.returncode == 2
    assert "is there already" in again.stderr
