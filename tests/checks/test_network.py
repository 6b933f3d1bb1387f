"""AEC602 to AEC612 on literals; `test_downloads.py` shows them on real encoders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audio_encoder_checker.checks import network as checks
from audio_encoder_checker.evidence.network import DownloadedData, HubFile, LookUp, Moment, NetworkFacts, Transfer, Way
from audio_encoder_checker.evidence.training import DataUse, Relation
from audio_encoder_checker.evidence.weights import WeightFacts, WeightFile, WeightKind
from audio_encoder_checker.findings import Severity
from audio_encoder_checker.rules import load_rules
from tests.literals import ANSWERED, conduct, load, raised

COMMIT = "0123456789abcdef0123456789abcdef01234567"
RULES = load_rules()
LOADING = Moment("load")


def hub(*, at: Moment = LOADING, status: int = 200, size: int = 0, **what: Any) -> Transfer:
    about = HubFile(**{"repository": "lab/a", "revision": COMMIT, "file": "w.pt", "commit": COMMIT, **what})
    return Transfer(
        at, Way.HUB, "huggingface.co", 443, "GET", hub=about, status=status, received_bytes=size, whole=True
    )


def host(name: str, *, at: Moment = LOADING, **more: Any) -> Transfer:
    return Transfer(at, Way.PROXY, name, 443, "CONNECT", **more)


def facts(*transfers: Transfer, names: tuple[str, ...] = ()) -> NetworkFacts:
    return NetworkFacts(transfers, tuple(LookUp(LOADING, name, known=False) for name in names))


GOOD = facts(hub(size=5_000_000), host("zenodo.org", received_bytes=10))


def test_a_pinned_download_while_loading_is_fine() -> None:
    for judge in (checks.download_in_forward, checks.unpinned_download, checks.undeclared_host, checks.token_sent):
        assert not list(judge(GOOD))
    for judge in (checks.too_many_requests, checks.quota_host, checks.large_download):
        assert not list(judge(GOOD, RULES))
    assert not list(checks.unreachable_repository(load(), GOOD))
    assert not list(checks.needless_download(GOOD, WeightFacts()))


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("GatedRepo", 403, "it is gated"),
        ("RepoNotFound", 401, "it is private, or there is no such repository"),
        ("RevisionNotFound", 404, "there is no revision"),
        ("EntryNotFound", 404, "there is no file 'w.pt'"),
        ("", 401, "no access without a token"),
    ],
)
def test_AEC602_is_told_in_words(error: str, status: int, words: str) -> None:
    failed = load(raised("HfHubHTTPError"), "construct")
    (problem,) = checks.unreachable_repository(failed, facts(hub(status=status, error=error)))
    assert words in problem.message


def test_AEC602_leaves_alone_what_libraries_try_and_do_without() -> None:
    tried = facts(hub(status=404, error="EntryNotFound", file="adapter.json"), hub(size=10))
    assert not list(checks.unreachable_repository(load(raised("KeyError"), "construct"), tried))
    assert not list(checks.unreachable_repository(load(), facts(hub(status=401))))


@pytest.mark.parametrize(
    "answer", [hub(status=500), hub(status=200), replace(hub(status=401), fault="a 401 of the test's own")]
)
def test_AEC602_is_about_what_the_hub_refuses(answer: Transfer) -> None:
    assert not list(checks.unreachable_repository(load(raised("OSError"), "construct"), facts(answer)))


def test_AEC603_names_the_calls() -> None:
    late = Moment("contract", "2 x 3.1 s")
    (problem,) = checks.download_in_forward(facts(hub(at=late), hub(at=late)))
    assert problem.message == "2 requests to huggingface.co while it was called (2 x 3.1 s)"


@pytest.mark.parametrize(("inside", "found"), [(5_000_000, 1), (4_500_000, 1), (4_499_999, 0), (400_000, 0)])
def test_AEC604_only_where_as_much_lies_inside(inside: int, found: int) -> None:
    weights = WeightFacts((WeightFile("w.pt", WeightKind.TORCH_ZIP, inside),))
    assert len(list(checks.needless_download(GOOD, weights))) == found


@pytest.mark.parametrize("other", [hub(size=1_000_000), hub(at=Moment("load", "2 x 3.1 s"), size=5_000_000)])
def test_AEC604_leaves_small_files_and_calls_to_others(other: Transfer) -> None:
    weights = WeightFacts((WeightFile("w.pt", WeightKind.TORCH_ZIP, 9_000_000),))
    assert not list(checks.needless_download(facts(other), weights))


@pytest.mark.parametrize("other", [hub(at=Moment("contract")), hub(at=Moment("load", "2 x 3.1 s")), host("zenodo.org")])
def test_AEC605_counts_requests_to_the_hub_in_one_start_only(other: Transfer) -> None:
    assert not list(checks.too_many_requests(facts(*[hub()] * RULES.network.requests, *[other] * 60), RULES))


def test_AEC605_tells_how_many_are_plenty() -> None:
    (problem,) = checks.too_many_requests(facts(*[hub()] * 21), RULES)
    assert problem.message.startswith("21 requests to the Hub in one start")


def test_AEC606_prints_the_commit_of_today_once() -> None:
    (problem,) = checks.unpinned_download(facts(hub(revision="main"), hub(revision="main", file="x")))
    assert problem.hint == f'pass `revision="{COMMIT}"`'
    assert not list(checks.unpinned_download(facts(hub(revision="main", commit=""))))  # today's commit is not known


def test_AEC607_and_AEC608_by_name_and_by_suffix() -> None:
    drives = facts(host("drive.google.com"), host("www.dropbox.com"), host("notdropbox.com"))
    (problem,) = checks.quota_host(drives, RULES)
    assert problem.message == "it downloads from drive.google.com, www.dropbox.com"
    refused = [host("evil.example", refused="not a declared host")] * 2
    one, other = checks.undeclared_host(facts(*refused, names=("other.example", "evil.example")))
    assert one.message.startswith("evil.example:443 was refused, 2 times")
    assert other.message == "other.example was refused: it is not a declared host"
    assert 'hosts = ["other.example"]' in other.hint


def test_AEC609_is_a_share_of_the_disk() -> None:
    size = RULES.budget.machine.disk_bytes // 5
    (problem,) = checks.large_download(facts(hub(size=size)), RULES)
    assert "20% of the disk" in problem.message
    assert not list(checks.large_download(facts(hub(size=size // 4)), RULES))


def test_AEC610_only_where_it_is_the_data_itself() -> None:
    same = DataUse("ESC-50", Relation.SAME, "ESC-50", ("esc50",), "", "")
    other = replace(same, relation=next(one for one in Relation if one is not Relation.SAME))
    found = DownloadedData((("huggingface.co: a/ESC-50", same), ("huggingface.co: b", other)))
    (problem,) = checks.evaluation_data_downloaded(found)
    assert problem.message == "huggingface.co: a/ESC-50 is ESC-50, which the challenge evaluates on"


def test_AEC611_is_an_error_where_it_ends_the_start() -> None:
    from audio_encoder_checker.evidence.run import Attempt, AttemptKind

    wrote = conduct(attempts=(Attempt(AttemptKind.WRITE, "/w/repo/w.pt", 1, "load"),))
    failed = load(raised("OSError", "[Errno 30] Read-only file system: 'w.pt'"), "construct")
    (problem,) = checks.download_into_repository(GOOD, wrote, failed)
    assert problem.severity is Severity.ERROR
    (problem,) = checks.download_into_repository(GOOD, wrote, load(ANSWERED))
    assert problem.severity is None
    assert not list(checks.download_into_repository(facts(), wrote, failed))
    other = load(raised("KeyError", "w"), "construct")
    (problem,) = checks.download_into_repository(GOOD, wrote, other)
    assert problem.severity is None


def test_AEC612_names_the_hosts() -> None:
    (problem,) = checks.token_sent(facts(replace(hub(), token=True)))
    assert problem.message == "an `Authorization` header came with 1 of the requests to huggingface.co"
