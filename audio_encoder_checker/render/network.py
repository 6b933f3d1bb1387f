"""Downloads and further starts: rows for a terminal, data for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audio_encoder_checker.evidence.network import NetworkFacts, Restarts, Transfer, Went
from audio_encoder_checker.printable import size_words

if TYPE_CHECKING:
    from audio_encoder_checker.judging import Evidence

MOST_ROWS = 8
COMMIT_DIGITS = 10


def rows(evidence: Evidence) -> list[tuple[str, str]]:
    """Labels and texts; none where nothing was asked of the network, or nothing could be seen."""
    facts, restarts = evidence.get(NetworkFacts), evidence.get(Restarts)
    if facts is None or not facts.observed or not facts.transfers:
        return []
    passed = facts.passed
    words = [f"{len(passed)} request{'' if len(passed) == 1 else 's'}, {size_words(facts.received_bytes)}"]
    words += [f"{facts.unrecorded} more not kept"] if facts.unrecorded else []
    found = [("network", "; ".join(words)), *(("", line) for line in _lines(facts))]
    by_fate: dict[Went, list[str]] = {}
    for one in restarts.starts if restarts else ():
        by_fate.setdefault(one.went, []).append(one.condition.value)
    label = "restarts"
    for fate, conditions in by_fate.items():
        found.append((label, f"{fate.value}: {'; '.join(conditions)}"))
        label = ""
    return found


def _lines(facts: NetworkFacts) -> list[str]:
    """What came from where; then what was refused."""
    sizes: dict[str, list[int]] = {}
    for one in facts.passed:
        sizes.setdefault(_source(one), []).append(one.received_bytes)
    lines = [f"{source}: {size_words(sum(counts))}" for source, counts in sizes.items() if sum(counts)]
    refused = dict.fromkeys(f"{one.host}:{one.port}" for one in facts.transfers if one.refused)
    more = len(lines) - MOST_ROWS
    shown = lines[:MOST_ROWS] + ([f"and {more} more"] if more > 0 else [])
    return shown + ([f"refused: {', '.join(list(refused)[:MOST_ROWS])}"] if refused else [])


def _source(one: Transfer) -> str:
    if one.hub is None:
        return one.host + (one.path or " (encrypted)")
    if not one.hub.file:
        return f"questions about {one.hub.repository}"
    commit = f" ({one.hub.commit[:COMMIT_DIGITS]})" if one.hub.commit and not one.hub.pinned else ""
    revision = one.hub.revision[:COMMIT_DIGITS] if one.hub.pinned else one.hub.revision
    return f"{one.hub.repository} at {revision}{commit}, {one.hub.file}"


def as_data(evidence: Evidence) -> dict[str, Any] | None:
    """The ledger and the further starts as JSON data; None where no encoder was started."""
    facts, restarts = evidence.get(NetworkFacts), evidence.get(Restarts)
    if facts is None:
        return None
    return {
        "observed": facts.observed,
        "received_bytes": facts.received_bytes,
        "transfers": [_transfer(one) for one in facts.transfers],
        "look_ups": [
            {"stage": one.at.stage, "call": one.at.call, "name": one.name, "known": one.known, "count": one.count}
            for one in facts.look_ups
        ],
        "unrecorded": facts.unrecorded,
        "restarts": [
            {
                "condition": one.condition.value,
                "went": one.went.value,
                "outcome": str(one.outcome),
                "requests": one.requests,
            }
            for one in (restarts.starts if restarts else ())
        ],
    }


def _transfer(one: Transfer) -> dict[str, Any]:
    """All but its seconds, which differ from run to run."""
    hub = one.hub
    return {
        "stage": one.at.stage,
        "call": one.at.call,
        "way": one.way.value,
        "host": one.host,
        "port": one.port,
        "method": one.method,
        "path": one.path,
        "repo": hub.repository if hub else None,
        "repo_kind": hub.kind if hub else None,
        "revision": hub.revision if hub else None,
        "commit": hub.commit or None if hub else None,
        "pinned": hub.pinned if hub else None,
        "file": hub.file if hub else None,
        "status": one.status,
        "received_bytes": one.received_bytes,
        "sent_bytes": one.sent_bytes,
        "sha256": one.sha256 or None,
        "etag": one.etag or None,
        "whole": one.whole,
        "cached": one.cached,
        "refused": one.refused,
        "trouble": one.trouble,
        "fault": one.fault,
        "token": one.token,
    }


def timings(evidence: Evidence) -> list[dict[str, float]]:
    """When each transfer began, after the first one, and how long it took, in their order."""
    facts = evidence.get(NetworkFacts)
    transfers = facts.transfers if facts else ()
    first = min((one.began_s for one in transfers), default=0.0)
    return [{"began_s": round(one.began_s - first, 3), "seconds": one.seconds} for one in transfers]
