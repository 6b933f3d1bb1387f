"""AEC602 to AEC612 on literals; `test_downloads.py` shows them on real encoders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audio_encoder_checker.checks import network as checks
from audio_encoder_checker.evidence.network import DownloadedData, HubFile, LookUp, Moment, NetworkFacts, Transfer, Way
from audio_encoder_checker.evidence.run import Attempt, AttemptKind, Ending, Outcome
from audio_encoder_checker.evidence.training import DataUse, Relation
from audio_encoder_checker.evidence.weights import WeightFacts, WeightFile, WeightKind
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.rules import load_rules
from tests.literals import ANSWERED, conduct, ended, load, raised

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
    ("error", "status", "words", "hint"),
    [
        ("GatedRepo", 403, "403, it is gated", ""),
        ("RepoNotFound", 401, "401, it is private, or there is no such repository", ""),
        ("RevisionNotFound", 404, f"404, there is no revision '{COMMIT}'", "name a commit"),
        ("EntryNotFound", 404, "404, there is no file 'w.pt'", "name a file"),
        ("", 401, "401, no access without a token", ""),
    ],
)
@pytest.mark.parametrize(("kind", "told"), [("model", "`lab/a`: "), ("dataset", "`lab/a` (dataset): ")])
def test_AEC602_is_told_in_words(error: str, status: int, words: str, hint: str, kind: str, told: str) -> None:
    failed = load(raised("HfHubHTTPError"), "construct")
    (problem,) = checks.unreachable_repository(failed, facts(hub(status=status, error=error, kind=kind)))
    assert problem.message.startswith(f"{told}the Hub answers {words}")
    assert problem.hint.startswith(hint)
    assert bool(problem.hint) == bool(hint)
    assert problem.at == "encoder.py:12"


def test_AEC602_is_not_appeased_by_what_a_gated_repository_tells_of_itself() -> None:
    asked = facts(host("zenodo.org", status=404), hub(file=""), hub(status=403, error="GatedRepo"))
    (problem,) = checks.unreachable_repository(load(ended(Ending.KILLED), "construct"), asked)
    assert problem.at == "encoder.py"


def test_AEC602_leaves_alone_what_libraries_try_and_do_without() -> None:
    tried = facts(hub(status=404, error="EntryNotFound", file="adapter.json"), hub(size=10))
    assert not list(checks.unreachable_repository(load(raised("KeyError"), "construct"), tried))
    assert not list(checks.unreachable_repository(load(), facts(hub(status=401))))


@pytest.mark.parametrize(
    "answer", [hub(status=500), hub(status=200), replace(hub(status=401), fault="a 401 of the test's own")]
)
def test_AEC602_is_about_what_the_hub_refuses(answer: Transfer) -> None:
    assert not list(checks.unreachable_repository(load(raised("OSError"), "construct"), facts(answer)))


@pytest.mark.parametrize(
    ("calls", "count", "named"),
    [("a", "1 request", "a"), ("aa", "2 requests", "a"), ("abc", "3 requests", "a, b and 1 more")],
)
def test_AEC603_names_the_calls(calls: str, count: str, named: str) -> None:
    late = [hub(at=Moment("contract", call)) for call in calls]
    (problem,) = checks.download_in_forward(facts(*late))
    assert problem.message == f"{count} to huggingface.co while it was called ({named})"


@pytest.mark.parametrize(("inside", "found"), [(5_000_000, 1), (4_500_000, 1), (4_499_999, 0), (400_000, 0)])
def test_AEC604_only_where_as_much_lies_inside(inside: int, found: int) -> None:
    weights = WeightFacts((WeightFile("w.pt", WeightKind.TORCH_ZIP, inside),))
    assert len(list(checks.needless_download(GOOD, weights))) == found


def test_AEC604_names_what_came_and_the_largest_file_inside() -> None:
    inside = [WeightFile(name, WeightKind.TORCH_ZIP, size) for name, size in (("a.pt", 1), ("b\1.pt", 9_000_000))]
    came = facts(hub(size=5_000_000), host("zenodo.org", received_bytes=2_000_000))
    (problem,) = checks.needless_download(came, WeightFacts(tuple(inside)))
    assert problem.message == ("w.pt, zenodo.org (7 MB) came from the network; the repository holds b\\x01.pt (9 MB)")
    assert problem.at == "b\\x01.pt"


@pytest.mark.parametrize("other", [hub(size=1_000_000), hub(at=Moment("load", "2 x 3.1 s"), size=5_000_000)])
def test_AEC604_leaves_small_files_and_calls_to_others(other: Transfer) -> None:
    weights = WeightFacts((WeightFile("w.pt", WeightKind.TORCH_ZIP, 9_000_000),))
    assert not list(checks.needless_download(facts(other), weights))


@pytest.mark.parametrize("other", [hub(at=Moment("contract")), hub(at=Moment("load", "2 x 3.1 s")), host("zenodo.org")])
def test_AEC605_counts_requests_to_the_hub_in_one_start_only(other: Transfer) -> None:
    assert not list(checks.too_many_requests(facts(*[hub()] * RULES.network.requests, *[other] * 60), RULES))


def test_AEC605_tells_how_many_are_plenty() -> None:
    asked = [hub()] * 5 + [hub(repository="lab/b", kind="dataset")] * 16
    (problem,) = checks.too_many_requests(facts(*asked), RULES)
    assert problem.message == ("21 requests to the Hub in one start, 16 of them for `lab/b` (dataset); 20 are plenty")


def test_AEC606_prints_the_commit_of_today_once() -> None:
    (problem,) = checks.unpinned_download(facts(hub(revision="main"), hub(revision="main", file="x")))
    assert problem.hint == f'pass `revision="{COMMIT}"`'
    assert problem.message == f"`lab/a` is downloaded at 'main', which today is {COMMIT}"
    assert not list(checks.unpinned_download(facts(hub(revision="main", commit=""))))  # today's commit is not known
    assert not list(checks.unpinned_download(facts(hub(revision=""))))  # asks about the repository, not for a file


def test_AEC607_and_AEC608_by_name_and_by_suffix() -> None:
    drives = facts(host("drive.google.com"), host("www.dropbox.com"), host("notdropbox.com"))
    (problem,) = checks.quota_host(drives, RULES)
    assert problem.message == "it downloads from drive.google.com, www.dropbox.com"
    refused = [host(name, refused="not a declared host") for name in ("evil.example", "evil.example", "bad.example")]
    met = facts(host("bad.example"), *refused, names=("other.example", "evil.example"))
    known = LookUp(LOADING, "zenodo.org", known=True)
    two, one, other = checks.undeclared_host(replace(met, look_ups=(known, *met.look_ups)))
    assert two.message == "evil.example:443 was refused, 2 times: not a declared host"
    assert one.message == "bad.example:443 was refused, 1 time: not a declared host"
    assert other.message == "other.example was refused: it is not a declared host"
    assert 'hosts = ["evil.example"]' in two.hint
    assert 'hosts = ["other.example"]' in other.hint
    assert len(list(checks.undeclared_host(facts(names=tuple("abcdefghijklmnopqrstuvwxyz"))))) == 20


def test_AEC609_is_a_share_of_the_disk() -> None:
    machine = replace(RULES.budget.machine, disk_bytes=240 * 10**9)
    rules = replace(RULES, budget=replace(RULES.budget, machine=machine))
    (problem,) = checks.large_download(facts(hub(size=48 * 10**9)), rules)
    assert problem.message.startswith("48 GB are downloaded, 20% of the disk of ")
    assert problem.message.endswith("; at 20 MB/s that takes 40 min in every session")
    assert not list(checks.large_download(facts(hub(size=24 * 10**9)), rules))
    assert list(checks.large_download(facts(hub(size=24 * 10**9 + 1)), rules))


def test_AEC610_only_where_it_is_the_data_itself() -> None:
    same = DataUse("ESC-50", Relation.SAME, "ESC-50", ("esc50",), "", "")
    other = replace(same, relation=next(one for one in Relation if one is not Relation.SAME))
    found = DownloadedData((("huggingface.co: a/ESC-50", same), ("huggingface.co: b", other)))
    (problem,) = checks.evaluation_data_downloaded(found)
    assert problem.message == "huggingface.co: a/ESC-50 is ESC-50, which the challenge evaluates on"


WROTE = Attempt(AttemptKind.WRITE, "/w/repo/w.pt", 1, "load")


@pytest.mark.parametrize(
    ("outcome", "severity", "at"),
    [
        (raised("OSError", "[Errno 30] Read-only file system: 'w.pt'"), Severity.ERROR, "encoder.py:12"),
        (raised("PermissionError", "'w.pt'"), Severity.ERROR, "encoder.py:12"),
        (raised("KeyError", "w"), None, "encoder.py:12"),
        (ended(Ending.KILLED), None, "encoder.py"),
        (ANSWERED, None, "encoder.py"),
    ],
)
def test_AEC611_is_an_error_where_it_ends_the_start(outcome: Outcome, severity: Severity | None, at: str) -> None:
    wrote = conduct(attempts=(replace(WROTE, target="/w/repo/a.pt"), WROTE))
    assert list(checks.download_into_repository(GOOD, wrote, load(outcome, "construct"))) == [
        Problem("it tries to write a.pt, w.pt into the repository", at, severity=severity)
    ]


@pytest.mark.parametrize("other", [replace(WROTE, kind=AttemptKind.CALL), replace(WROTE, target="/usr/w.pt")])
def test_AEC611_is_about_downloads_into_the_repository(other: Attempt) -> None:
    assert not list(checks.download_into_repository(facts(), conduct(attempts=(WROTE,)), load()))
    assert not list(checks.download_into_repository(GOOD, conduct(attempts=(other,)), load()))


def test_AEC612_names_the_hosts() -> None:
    (problem,) = checks.token_sent(facts(replace(hub(), token=True)))
    assert problem.message == "an `Authorization` header came with 1 of the requests to huggingface.co"
