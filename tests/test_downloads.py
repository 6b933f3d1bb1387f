"""Tiny encoders that download, one per defect, through the whole line in a real box, against a Hub on the loopback.

A folder `AECnnn-what-is-wrong` must be found wrong by that check; `good-...` must not be found wrong at all, restarts
under every condition included. `REVISION` and `DIGEST` in a source stand for what the Hub has. `pytest
--update-golden` rewrites the `expected.txt` beside each.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.network import Condition, NetworkFacts, Restarts, Went
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.render import to_json
from audio_encoder_checker.report import Verdict
from audio_encoder_checker.sandbox.choose import survey
from tests.builders import dress
from tests.network.hub import Hub
from tests.profiles import BRIEF, changed_profile
from tests.test_specimens import summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.report import Report

pytestmark = pytest.mark.box

FOLDER = Path(__file__).parent / "downloads"
SPECIMENS = sorted(path for path in FOLDER.iterdir() if path.is_dir())
STAGES = ("source", "load", "contract", "download")
RESTARTS = {
    "AEC620": ["CUT_OFF"],
    "AEC621": ["OFFLINE_MODE"],
    "AEC622": ["CUT_OFF"],
    "AEC630": ["TOO_MANY", "SERVER_ERROR", "CUT"],
    "AEC631": ["TOO_MANY", "SERVER_ERROR"],
    "AEC632": ["CUT"],
    "AEC633": ["WRONG_BYTES"],
    "AEC634": ["NO_NETWORK"],
    "AEC635": ["TWO_AT_ONCE"],
}
"""The conditions that show a defect; the others are not tried."""


@dataclass(frozen=True)
class Served:
    """A Hub, and the commit of each of its repositories."""

    hub: Hub
    commits: dict[str, str]

    @property
    def url(self) -> str:
        return self.hub.url


@pytest.fixture(scope="module")
def hub() -> Iterator[Served]:
    if not any(one.box and one.box.observes for one in survey()):
        pytest.skip("no box here can observe a network")
    with Hub(lfs_bytes=1000) as served:
        commits = {
            name: served.add(f"lab/{name}", {"weights.pt": weights()}, wall=name) for name in ("private", "gated")
        }
        commits["frames"] = served.add("lab/frames", {"weights.pt": weights(), "config.json": b"{}"})
        commits["large"] = served.add("lab/large", {"weights.pt": weights(300_000)})
        commits["ESC-50"] = served.add("lab/ESC-50", {"meta.csv": b"a,b\n"}, kind="dataset")
        yield Served(served, commits)


def weights(padding: int = 0) -> bytes:
    """A state dict as `torch.save` writes it, always with the same bytes."""
    import torch

    layer = torch.nn.Linear(160, 8)
    with torch.no_grad():
        layer.weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(7))
        layer.bias.zero_()
    buffer = io.BytesIO()
    state = layer.state_dict()
    torch.save({"project": state, "rest": torch.zeros(padding)} if padding else state, buffer)
    return buffer.getvalue()


def checked(
    specimen: Path, folder: Path, hub: Served, monkeypatch: pytest.MonkeyPatch, restarts: list[str],
    hub_cache: Path | None = None, *, network: bool = True,
) -> Report:  # fmt: skip
    """One specimen's report."""
    large, commits = weights(300_000), hub.commits
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    repository = folder / "repository"
    repository.mkdir()
    lines = (specimen / "encoder.py").read_text(encoding="utf-8").splitlines()
    named = [next((commits[n] for n in commits if f"lab/{n}" in line), commits["frames"]) for line in lines]
    lines = [line.replace("REVISION", commit) for line, commit in zip(lines, named, strict=True)]
    text = "\n".join(lines).replace("DIGEST", hashlib.sha256(weights()).hexdigest()) + "\n"
    (repository / "encoder.py").write_text(text, encoding="utf-8")
    if "own = " in text:
        (repository / "weights.pt").write_bytes(large)
    dress(repository)
    (repository / "requirements.txt").write_text(
        "torch==2.13.0\nhuggingface_hub==2.4.0\nrequests==2.34.2\n", encoding="utf-8"
    )
    rules = changed_profile(folder, **BRIEF, restarts=restarts, download_s=5.0 if "AEC634" in specimen.name else 600.0)
    options = Options(
        profile=rules, stages=STAGES, device="cpu", timeout_s=60.0, hub_cache=hub_cache, network=network
    )  # fmt: skip
    return check_submission(repository, options)


def shown(report: Report, hub: Served) -> str:
    """The summary without what differs from run to run: ports, commits."""
    text = summary(report).replace(hub.url, "HUB").replace(hub.url.rpartition(":")[2], "PORT")
    for commit in hub.commits.values():
        text = text.replace(commit, "COMMIT")
    return re.sub(r"\d+(?= requests)|(?<= and )\d+(?= more)", "#", text)


def assert_complete(report: Report) -> None:
    """A good encoder has a complete ledger and bears everything."""
    network, restarts = report.evidence.get(NetworkFacts), report.evidence.get(Restarts)
    assert network
    assert restarts
    (got,) = [one for one in network.transfers if one.method == "GET"]
    assert got.hub
    assert (got.at.stage, got.at.call, got.status, got.whole) == ("load", "", 200, True)
    assert (got.hub.repository, got.hub.file, got.hub.pinned) == ("lab/frames", "weights.pt", True)
    assert (got.received_bytes, got.sha256) == (len(weights()), hashlib.sha256(weights()).hexdigest())
    went = {one.condition: one.went for one in restarts.starts}
    stopped = (Condition.NO_NETWORK, Condition.FULL_DISK, Condition.WRONG_BYTES)
    assert went == {one: Went.CLEARLY if one in stopped else Went.WELL for one in Condition}
    data = json.loads(to_json.render(report))["downloads"]
    assert data["transfers"][0]["repo"] == "lab/frames"
    assert len(data["restarts"]) == len(Condition)


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda path: path.name)
def test_a_specimen_is_found_wrong_for_what_it_is(
    specimen: Path, tmp_path: Path, hub: Served, monkeypatch: pytest.MonkeyPatch, *, update_golden: bool
) -> None:
    good = specimen.name.startswith("good-")
    wanted = [one.name for one in Condition] if good else RESTARTS.get(specimen.name[:6], [])
    report = checked(specimen, tmp_path, hub, monkeypatch, wanted)
    ids = [finding.id for finding in report.findings]
    if good:
        assert ids == []
        assert report.verdict is Verdict.READY
        assert_complete(report)
    else:
        assert specimen.name[:6] in ids
    golden = specimen / "expected.txt"
    if update_golden:
        golden.write_text(shown(report, hub), encoding="utf-8")
    assert shown(report, hub) == golden.read_text(encoding="utf-8")


def test_a_backbone_is_downloaded_once_for_all_submissions(
    tmp_path: Path, hub: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, got = tmp_path / "hub-cache", []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        before = hub.hub.count("GET", "/lfs/")
        report = checked(FOLDER / "good-pinned-and-hashed", folder, hub, monkeypatch, [], cache)
        assert report.verdict is Verdict.READY
        network = report.evidence.get(NetworkFacts)
        assert network
        (transfer,) = [one for one in network.transfers if one.method == "GET"]
        got.append((transfer.cached, transfer.whole, hub.hub.count("GET", "/lfs/") - before))
    assert got == [(False, True, 1), (True, True, 0)]
    assert [path.read_bytes() for path in cache.glob("*/blobs/*")] == [weights()]


def test_without_a_network_the_verdict_stays_open(tmp_path: Path, hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (FOLDER / "AEC630-tries-once" / "encoder.py").read_text(encoding="utf-8")
    assert 'os.environ["HF_ENDPOINT"]' in text
    (tmp_path / "encoder.py").write_text(text.replace('os.environ["HF_ENDPOINT"]', '"http://huggingface.co"'))
    report = checked(tmp_path, tmp_path, hub, monkeypatch, [], network=False)
    assert report.verdict is Verdict.UNDECIDED
    assert any("`--no-network` was given" in one.reason for one in report.open_questions)


def test_every_check_of_downloads_has_a_specimen() -> None:
    shown_ids = {path.name[:6] for path in SPECIMENS}
    unit = {"AEC601", "AEC609"}  # read from sources; wants a download as large as a disk
    assert {one.id for one in all_checks() if one.id[3] == "6"} - shown_ids == unit
