"""AEC602 to AEC612: what the encoder downloaded, or tried to, as the checker saw it from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.conduct import REPOSITORY
from audio_encoder_checker.checks.few import few, listed
from audio_encoder_checker.evidence.load import LoadFacts
from audio_encoder_checker.evidence.network import DownloadedData, HubFile, NetworkFacts, Transfer
from audio_encoder_checker.evidence.run import AttemptKind, Conduct, Ending
from audio_encoder_checker.evidence.training import Relation
from audio_encoder_checker.evidence.weights import WeightFacts
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.network.policy import fits
from audio_encoder_checker.printable import printable, size_words
from audio_encoder_checker.rules import Rules

WALLS = {401, 403, 404}
MEGABYTE = 1_000_000
LARGE_SHARE = 0.1
"""Of the organisers' disk: the data, embeddings and packages lie on it too."""
USUAL_RATE = 20e6
"""Bytes a second from the Hub to a Colab machine, roughly."""
NEARLY_ALL = 0.9
HINTS = {
    "EntryNotFound": "name a file that is there, or upload it: `hf upload REPO FILE`",
    "RevisionNotFound": "name a commit, branch or tag that is there: `git ls-remote https://huggingface.co/REPO`",
}
"""By the Hub's word for what is wrong; else the check's own."""


@check("AEC602", stage="conduct")
def unreachable_repository(load: LoadFacts, network: NetworkFacts) -> Iterator[Problem]:
    """The encoder downloads from a repository that is private, gated or not there.

    The organisers have no access to your account. Your own machine sends your token without saying so, so everything
    works there; here, as on the organisers' machine, there is no token.

    Fix: make the repository public and ungated, or put the weights into the ZIP.
    """
    if load.outcome.ending is Ending.ANSWERED:
        return
    failed = {
        _told(one.hub): (one.hub, one.status)
        for one in network.passed
        if one.hub and one.status in WALLS and not one.fault
    }
    came = {one.hub.repository for one in network.passed if one.hub and one.hub.file and one.status == 200}
    for words, (hub, status) in failed.items():
        if hub.repository not in came:  # libraries ask for files that need not be there
            yield Problem(f"{words}: {_wall(hub, status)}", load.outcome.at or load.file, HINTS.get(hub.error, ""))


def _told(hub: HubFile) -> str:
    return f"`{hub.repository}`" + ("" if hub.kind == "model" else f" ({hub.kind})")


def _wall(hub: HubFile, status: int) -> str:
    """What an answer of the Hub means to somebody without a token."""
    words = {
        "GatedRepo": "it is gated: whoever wants it has to log in and agree",
        "RevisionNotFound": f"there is no revision {hub.revision!r}",
        "EntryNotFound": f"there is no file {hub.file!r}",
        "RepoNotFound": "it is private, or there is no such repository",
    }
    return f"the Hub answers {status}, {words.get(hub.error, 'no access without a token')}"


@check("AEC603", severity=Severity.WARNING, stage="conduct")
def download_in_forward(network: NetworkFacts) -> Iterator[Problem]:
    """The encoder uses the network when it is called.

    X-ARES calls it hundreds of thousands of times, from several processes. Downloads belong in the
    constructor; a request to the Hub in every call costs hours, until the Hub blocks the organisers' address.

    Fix: download in `__init__`, and keep what was loaded as an attribute.
    """
    late = [one for one in network.passed if one.at.call]
    if late:
        calls = list(dict.fromkeys(one.at.call for one in late))
        count = f"{len(late)} request{'' if len(late) == 1 else 's'}"
        yield Problem(f"{count} to {listed(_hosts(late))} while it was called ({listed(calls, 2)})")


def _hosts(transfers: list[Transfer]) -> list[str]:
    return list(dict.fromkeys(one.host for one in transfers))


@check("AEC604", severity=Severity.WARNING, stage="conduct")
def needless_download(network: NetworkFacts, weights: WeightFacts) -> Iterator[Problem]:
    """Weights are downloaded although the repository holds as many.

    With its weights in the ZIP an encoder can do without a network. Often a library downloads its own weights first,
    and yours then replace them.

    Fix: construct the model from its configuration (`from_config`, `pretrained=False`), then load your file.
    """
    inside = sum(file.size_bytes for file in weights.files)
    large = [one for one in network.passed if one.received_bytes > MEGABYTE and not one.at.call]
    came = sum(one.received_bytes for one in large)
    if large and inside >= NEARLY_ALL * came:
        names = listed([one.hub.file if one.hub else one.host for one in large])
        first = max(weights.files, key=lambda file: file.size_bytes)
        yield Problem(
            f"{names} ({size_words(came)}) came from the network; "
            f"the repository holds {printable(first.path)} ({size_words(inside)})",
            printable(first.path),
        )


@check("AEC605", severity=Severity.WARNING, stage="conduct")
def too_many_requests(network: NetworkFacts, rules: Rules) -> Iterator[Problem]:
    """One start of the encoder makes very many requests to the Hub.

    The Hub counts requests by address: X-ARES constructs the encoder some fifty times, and all submissions are run from
    one laboratory. Above the Hub's limit the answer is 429, and the download fails.

    Fix: fetch everything at once, `snapshot_download(REPO, revision=COMMIT)`, and load from the folder it returns.
    """
    asked = [one.hub for one in network.passed if one.hub and one.at.stage == "load" and not one.at.call]
    if len(asked) > rules.network.requests:
        most, count = Counter(map(_told, asked)).most_common(1)[0]
        allowed = rules.network.requests
        yield Problem(
            f"{len(asked)} requests to the Hub in one start, {count} of them for {most}; {allowed} are plenty"
        )


@check("AEC606", severity=Severity.WARNING, stage="conduct")
def unpinned_download(network: NetworkFacts) -> Iterator[Problem]:
    """What is downloaded can change after the deadline.

    A branch or a tag of a repository on the Hub is whatever its owner makes of it. The organisers evaluate what is
    there when they download it; only a commit stays what it is.

    Fix: pass `revision="COMMIT"` to every download.
    """
    found: dict[tuple[str, str], HubFile] = {}
    for one in network.passed:
        if one.hub and one.hub.revision and not one.hub.pinned and one.hub.commit:
            found.setdefault((one.hub.repository, one.hub.revision), one.hub)
    for hub in found.values():
        yield Problem(
            f"{_told(hub)} is downloaded at {hub.revision!r}, which today is {hub.commit}",
            hint=f'pass `revision="{hub.commit}"`',
        )


@check("AEC607", severity=Severity.WARNING, stage="conduct")
def quota_host(network: NetworkFacts, rules: Rules) -> Iterator[Problem]:
    """Files come from a host that refuses when many ask.

    Google Drive, Dropbox and Baidu show a page about a quota or a virus scan in place of the file, with status 200;
    the page is then saved as weights. X-ARES starts an encoder some fifty times, so it may well meet that page.

    Fix: put the files on the Hugging Face Hub or on Zenodo, or into the ZIP.
    """
    hosts = {one.host for one in network.transfers} | {one.name for one in network.look_ups}
    found = sorted(host for host in hosts if any(fits(host, pattern) for pattern in rules.network.quota_hosts))
    if found:
        yield Problem(f"it downloads from {listed(found)}")


@check("AEC608", severity=Severity.WARNING, stage="conduct")
def undeclared_host(network: NetworkFacts) -> Iterator[Problem]:
    """The encoder wants to reach a host that nobody has declared.

    Here an encoder reaches the hosts that usually serve weights, and those that `aecc.toml` names; others are refused.
    The organisers will ask what this one is for.

    Fix: name the host in aecc.toml, `[network]` and below it `hosts = ["HOST"]`, or do without it.
    """
    refused = {one.host: one for one in network.transfers if one.refused}
    unknown = [one.name for one in network.look_ups if not one.known and one.name not in refused]
    for host, one in refused.items():
        times = sum(1 for other in network.transfers if other.refused and other.host == host)
        yield Problem(
            f"{host}:{one.port} was refused, {times} time{'' if times == 1 else 's'}: {one.refused}",
            hint=_declare(host),
        )
    yield from few(Problem(f"{name} was refused: it is not a declared host", hint=_declare(name)) for name in unknown)


def _declare(host: str) -> str:
    return f'write into aecc.toml `[network]` and below it `hosts = ["{host}"]`, or do without it'


@check("AEC609", severity=Severity.WARNING, stage="conduct")
def large_download(network: NetworkFacts, rules: Rules) -> Iterator[Problem]:
    """What is downloaded is large for the organisers' machine.

    Its disk also holds the data, the embeddings and the packages, and every fresh session downloads anew.

    Fix: publish only what the encoder loads: one format, no optimizer state, `float16` where it is computed in that.
    """
    came = network.received_bytes
    disk = rules.budget.machine.disk_bytes
    if came > LARGE_SHARE * disk:
        minutes = came / USUAL_RATE / 60
        yield Problem(
            f"{size_words(came)} are downloaded, {came / disk:.0%} of the disk of {rules.budget.machine.title}; at "
            f"{USUAL_RATE / 1e6:.0f} MB/s that takes {minutes:.0f} min in every session"
        )


@check("AEC610", stage="conduct")
def evaluation_data_downloaded(data: DownloadedData) -> Iterator[Problem]:
    """The encoder downloads data that it is evaluated on.

    An encoder must not be trained on evaluation data, and does not need it to encode.

    Fix: remove the download; if only the name is the same, tell the organisers what it is.
    """
    for where, use in data.uses:
        if use.relation is Relation.SAME:
            yield Problem(f"{where} is {use.evaluated}, which the challenge evaluates on")


@check("AEC611", severity=Severity.WARNING, stage="conduct")
def download_into_repository(network: NetworkFacts, conduct: Conduct, load: LoadFacts) -> Iterator[Problem]:
    """Downloads are written into the repository.

    The organisers may mount the repository read-only, and start many processes in it at once. Here it is read-only.

    Fix: leave the place to the library (no `local_dir=`), or use the folder `torch.hub.get_dir()`.
    """
    into = [
        one.target.removeprefix(REPOSITORY)
        for one in conduct.attempts
        if one.kind is AttemptKind.WRITE and one.target.startswith(REPOSITORY)
    ]
    if into and any(one.received_bytes for one in network.passed):
        raised = str(load.outcome.raised)
        severity = Severity.ERROR if "Read-only" in raised or "Permission" in raised else None
        message = f"it tries to write {listed(into)} into the repository"
        yield Problem(message, load.outcome.at or load.file, severity=severity)


@check("AEC612", severity=Severity.NOTE, stage="conduct")
def token_sent(network: NetworkFacts) -> Iterator[Problem]:
    """The encoder sends an access token with its downloads.

    The box (the checker's sandbox) holds no token of yours, so this one comes with the submission: whoever has the ZIP
    has it too. It was taken out of the requests, so nothing here depends on it.

    Fix: revoke the token, remove it from the files, and make the repository public.
    """
    sent = [one for one in network.transfers if one.token]
    if sent:
        where = _hosts(sent)
        yield Problem(f"an `Authorization` header came with {len(sent)} of the requests to {listed(where)}")
