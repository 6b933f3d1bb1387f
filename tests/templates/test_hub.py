"""The template that downloads its weights: from a Hub that works, fails, lies or is gone, alone and several at once."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evidence.network import Condition, NetworkFacts, Restarts
from audio_encoder_checker.packing.template import start_submission
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.report import Verdict
from audio_encoder_checker.sandbox.choose import survey
from tests.network.hub import Hub
from tests.packing.upload_hub import CUT, Fault, UploadHub
from tests.profiles import BRIEF, changed_profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPOSITORY = "team/weights"
SAVE = (
    "import torch, sys; from safetensors.torch import save; import encoder; torch.manual_seed(1); "
    "sys.stdout.buffer.write(save(encoder.Network().state_dict()))"
)
LOAD = "import encoder; print(float(encoder.TeamEncoder().network.widen.weight.double().sum()))"


@pytest.fixture
def team(tmp_path: Path) -> Path:
    start_submission(tmp_path / "team", "hub", "TeamEncoder")
    return tmp_path / "team"


@pytest.fixture
def served(team: Path) -> Iterator[UploadHub]:
    """A Hub that has the weights, and the encoder that wants them, with little patience."""
    hub = UploadHub()
    with hub:
        content = weights(team)
        fill_in(team, hub.add(REPOSITORY, {"model.safetensors": content}), content)
        give_patience(team, 5)
        yield hub


def weights(team: Path) -> bytes:
    return subprocess.run([sys.executable, "-c", SAVE], cwd=team, capture_output=True, check=True).stdout


def fill_in(team: Path, commit: str, content: bytes) -> None:
    values = {"REPOSITORY": REPOSITORY, "REVISION": commit, "SHA256": hashlib.sha256(content).hexdigest()}
    text = (team / "encoder.py").read_text()
    for name, value in values.items():
        assert f'\n{name} = ""' in text
        text = text.replace(f'\n{name} = ""', f'\n{name} = "{value}"')
    (team / "encoder.py").write_text(text)


def give_patience(team: Path, seconds: int) -> None:
    text = (team / "encoder.py").read_text()
    (team / "encoder.py").write_text(re.sub(r"PATIENCE = \d+", f"PATIENCE = {seconds}", text))


def start(team: Path, url: str, load: str = LOAD) -> subprocess.Popen[str]:
    environment = {
        "HF_ENDPOINT": url, "HF_HOME": str(team.parent / "home"),
        "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", load],
        cwd=team,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def loaded(team: Path, url: str, load: str = LOAD) -> tuple[str, str]:
    """What the weights add up to, and the last words if they were not loaded."""
    out, errors = start(team, url, load).communicate(timeout=120)
    return out.strip(), errors.strip().rpartition("\n")[2]


def test_a_second_start_needs_no_hub(team: Path, served: UploadHub) -> None:
    first, _ = loaded(team, served.url)
    asked = len(served.asked)
    assert asked
    assert loaded(team, served.url)[0] == first != ""
    assert len(served.asked) == asked, "the Hub is not asked again"
    served.close()
    assert loaded(team, served.url)[0] == first


@pytest.mark.parametrize("status", [429, 503, CUT])
def test_a_hub_that_fails_at_first_is_asked_again(team: Path, served: UploadHub, status: int) -> None:
    served.wishes.faults.append(Fault("HEAD", "/resolve/", status, times=2))
    out, errors = loaded(team, served.url)
    assert out, errors


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_does_not_pass_is_said_at_once(team: Path, served: UploadHub, status: int) -> None:
    served.wishes.faults.append(Fault("HEAD", "/resolve/", status, times=100))
    out, errors = loaded(team, served.url)
    assert out == ""
    assert served.count("HEAD", "/resolve/") == 1
    assert f"cannot download model.safetensors from '{REPOSITORY}'" in errors
    assert "private, gated, misspelt or not there" in errors


RETRY_AFTER = """
import types, encoder
error = OSError("busy")
error.response = types.SimpleNamespace(status_code=429, headers={"Retry-After": "70"})
answers, pauses, encoder.PATIENCE = [error, "file"], [], 30
def hf_hub_download(*_, **__):
    if isinstance(answers[0], Exception):
        raise RuntimeError("as some releases wrap it") from answers.pop(0)
    return answers[0]
encoder.hf_hub_download, encoder.time.sleep = hf_hub_download, pauses.append
assert encoder.fetched(again=False) == "file"
assert pauses == [70.0], pauses
error.response.headers["Retry-After"] = "4000"
answers.insert(0, error)
try:
    encoder.fetched(again=False)
except RuntimeError as failed:
    assert "the download of" in str(failed) and len(pauses) == 1
else:
    raise AssertionError("waits an hour")
"""


def test_the_hub_says_how_long_to_wait_but_not_for_ever(team: Path, served: UploadHub) -> None:
    assert served.url
    done = subprocess.run(
        [sys.executable, "-c", RETRY_AFTER], cwd=team, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_a_hub_that_is_gone_is_said(team: Path, served: UploadHub) -> None:
    served.close()
    give_patience(team, 0)
    out, errors = loaded(team, served.url, "import time; time.sleep = lambda _: None; " + LOAD)  # nor has the library
    assert out == ""
    assert f"the download of model.safetensors from '{REPOSITORY}'" in errors


def test_a_branch_is_no_revision(team: Path, served: UploadHub) -> None:
    text = (team / "encoder.py").read_text()
    commit = served.repositories["model", REPOSITORY].names["main"]
    (team / "encoder.py").write_text(text.replace(commit, "main"))
    assert "REVISION is no commit of 40 digits" in loaded(team, served.url)[1]


def test_several_at_once_do_not_meet(team: Path, served: UploadHub) -> None:
    processes = [start(team, served.url) for _ in range(3)]
    results = [process.communicate(timeout=120) for process in processes]
    assert len({out for out, _ in results}) == 1
    assert results[0][0]
    contents = [one for one in served.asked if one.method == "GET" and "model.safetensors" in one.path]
    assert len(contents) == 1, "one downloads, the others wait for it"


def test_other_bytes_are_noticed_and_fetched_once_more(team: Path, served: UploadHub) -> None:
    first, _ = loaded(team, served.url)
    (kept,) = (team.parent / "home" / "hub").glob("models--team--weights/blobs/*")
    content = kept.read_bytes()
    kept.write_bytes(content[:-1] + b"?")
    assert loaded(team, served.url)[0] == first
    text = (team / "encoder.py").read_text()
    digest = hashlib.sha256(content).hexdigest()
    (team / "encoder.py").write_text(text.replace(digest, digest[::-1]))
    assert "has another SHA-256 than encoder.py says" in loaded(team, served.url)[1]


def test_other_bytes_on_the_way_are_fetched_once_more(team: Path, served: UploadHub) -> None:
    served.damaged = True
    served.wishes.seen = lambda _path: setattr(served, "damaged", served.count("GET", "/lfs/") < 2)
    out, errors = loaded(team, served.url)
    assert out, errors
    assert served.count("GET", "/lfs/") == 2


@pytest.mark.box
def test_it_starts_again_whatever_happens_to_the_network(
    team: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not any(one.box and one.box.observes for one in survey()):
        pytest.skip("no box here can observe a network")
    with Hub() as hub:
        content = weights(team)
        fill_in(team, hub.add(REPOSITORY, {"model.safetensors": content}), content)
        give_patience(team, 5)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        rules = changed_profile(tmp_path, **BRIEF, restarts=[one.name for one in Condition])
        stages = ("source", "load", "contract", "download")
        report = check_submission(team, Options(profile=rules, stages=stages, device="cpu"))
    assert report.findings == ()
    assert report.verdict is Verdict.READY
    assert report.evidence.get(NetworkFacts)
    restarts = report.evidence.get(Restarts)
    assert restarts
    assert {one.condition for one in restarts.starts} == set(Condition)
