"""AEC620 to AEC635: further starts of an encoder that downloads, without a network and with a broken one."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.evidence.network import Condition, NetworkFacts, Restart, Restarts, Went
from audio_encoder_checker.findings import Problem, Severity

STOPPED = (Went.CLEARLY, Went.UNCLEARLY, Went.HUNG)
PASSING = (Condition.TOO_MANY, Condition.SERVER_ERROR, Condition.SLOW, Condition.CUT)
"""What is over in a moment."""
LASTING = (Condition.NO_NETWORK, Condition.FULL_DISK)
NEVER_THE_SAME = ("AEC520", "AEC525")
"""What makes embeddings of two starts differ whatever the network does."""


@check("AEC620", severity=Severity.WARNING)
def network_needed_again(restarts: Restarts) -> Iterator[Problem]:
    """The encoder needs the network again although everything is cached.

    X-ARES constructs an encoder some fifty times. One that asks the Hub each time whether something has changed stops
    as soon as the network does, or the Hub has enough of it.

    Fix: pin a commit (`revision="COMMIT"`): what is cached is then used without a question; or load with
        `local_files_only=True` first.
    """
    for one in restarts.under(Condition.CUT_OFF):
        if one.went in STOPPED:
            yield Problem(f"started again (no network, cache kept): {one.outcome}", one.outcome.at)


@check("AEC621", severity=Severity.NOTE, follows=("AEC620",))
def offline_mode_failure(restarts: Restarts) -> Iterator[Problem]:
    """The encoder does not start with HF_HUB_OFFLINE=1.

    Organisers set it on machines of a cluster that have no network, after one start that fills the cache.

    Fix: ask the Hub through its own libraries only; with `HF_HUB_OFFLINE=1` these take what is cached.
    """
    for one in restarts.under(Condition.OFFLINE_MODE):
        if one.went in STOPPED:
            yield Problem(f"started again (HF_HUB_OFFLINE=1, cache kept): {one.outcome}", one.outcome.at)


@check("AEC622", severity=Severity.WARNING, follows=NEVER_THE_SAME)
def other_embeddings_from_cache(restarts: Restarts) -> Iterator[Problem]:
    """A second start from the cache gives other embeddings.

    What is evaluated then depends on whether there was a network: usually an `except` goes on with random weights.

    Fix: remove the `except` that goes on without the weights: an encoder that stops is noticed.
    """
    for one in restarts.under(Condition.CUT_OFF, Condition.OFFLINE_MODE):
        if one.went is Went.OTHERWISE:
            yield Problem(f"started again ({one.condition.value}): {_apart(one)}")


def _apart(one: Restart) -> str:
    if one.difference is None:
        return "no finite embeddings"
    if not one.difference.same_shape:
        return "embeddings of another shape"
    return f"embeddings differ by {one.difference.relative:.2g} (cosine {one.difference.cosine:.3f})"


@check("AEC630", severity=Severity.NOTE)
def no_second_attempt(restarts: Restarts) -> Iterator[Problem]:
    """The encoder does not try again after a passing fault of the network.

    Servers are busy and connections break, most of all while many submissions are downloaded. The exception says what
    happened, so somebody can repeat the run; a second attempt would spare them that.

    Fix: download in a loop of three attempts with a pause, or through `huggingface_hub`, which has one.
    """
    found = [one for one in restarts.under(*PASSING) if one.went is Went.CLEARLY]
    if found:
        yield Problem(
            f"it stops at: {'; '.join(one.condition.value for one in found)} ({found[0].outcome})", found[0].outcome.at
        )


@check("AEC631", severity=Severity.WARNING)
def unclear_failure(restarts: Restarts) -> Iterator[Problem]:
    """When a download fails, the exception does not say so.

    The organisers see `KeyError` or a broken ZIP, and take it for a fault of the encoder.

    Fix: check status and size (or hash) of a download before you use it: `raise RuntimeError(f"{url}: {error}")`.
    """
    for one in restarts.under(*PASSING, *LASTING, Condition.WRONG_BYTES):
        if one.went is Went.UNCLEARLY:
            yield Problem(f"started again ({one.condition.value}): {one.outcome}", one.outcome.at)


@check("AEC632", severity=Severity.WARNING, follows=NEVER_THE_SAME)
def goes_on_without_weights(restarts: Restarts) -> Iterator[Problem]:
    """The encoder goes on with half a file, or none, and gives other embeddings.

    Nobody notices: the scores are those of random or broken weights.

    Fix: let the exception through, and compare size or hash of the file with the announced one.
    """
    for one in restarts.under(*PASSING, *LASTING):
        if one.went is Went.OTHERWISE:
            yield Problem(f"started again ({one.condition.value}), it goes on: {_apart(one)}")


@check("AEC633", severity=Severity.NOTE, follows=NEVER_THE_SAME)
def wrong_bytes_unnoticed(restarts: Restarts, network: NetworkFacts) -> Iterator[Problem]:
    """Wrong bytes in a download are not noticed.

    The Hub's own library compares sizes only; proxies and disks of clusters do change bytes now and then.

    Fix: compare the hash: `torch.hub.load_state_dict_from_url(..., check_hash=True)`, or `hashlib.sha256`.
    """
    largest = max((one for one in network.passed if one.sha256), key=lambda one: one.received_bytes, default=None)
    for one in restarts.under(Condition.WRONG_BYTES):
        if one.went is Went.OTHERWISE:
            line = (
                f'`assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == "{largest.sha256}"`' if largest else ""
            )
            hint = line and f"add after the download: {line}"
            yield Problem(f"started again ({one.condition.value}), it goes on: {_apart(one)}", hint=hint)


@check("AEC634", severity=Severity.WARNING)
def hangs_on_network(restarts: Restarts) -> Iterator[Problem]:
    """The encoder waits without end for a network that does not answer.

    A run that hangs takes the organisers' machine with it, and ends without scores.

    Fix: give every request a time limit: `urlopen(url, timeout=30)`, `requests.get(url, timeout=30)`.
    """
    for one in restarts.starts:
        if one.went is Went.HUNG:
            yield Problem(f"started again ({one.condition.value}): {one.outcome}")


@check("AEC635", severity=Severity.WARNING, follows=NEVER_THE_SAME)
def workers_collide(restarts: Restarts) -> Iterator[Problem]:
    """Two processes that download at the same time get in each other's way.

    X-ARES runs tasks in several processes, each with an encoder of its own, and all of them start at once with an
    empty cache.

    Fix: write to a temporary name and rename the complete file (`os.replace`), or leave it to `huggingface_hub`.
    """
    for one in restarts.under(Condition.TWO_AT_ONCE):
        if one.went in (Went.CLEARLY, Went.UNCLEARLY):
            yield Problem(f"started twice at once, nothing cached: {one.outcome}", one.outcome.at)
        elif one.went is Went.OTHERWISE:
            yield Problem(f"started twice at once, nothing cached: {_apart(one)}")
