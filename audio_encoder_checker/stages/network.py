"""What the encoder may reach, and what became of it: the observed network as the stages use it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.corpora import uses_in
from audio_encoder_checker.evidence.network import DownloadedData
from audio_encoder_checker.network.policy import UPSTREAM, Policy, advice
from audio_encoder_checker.network.store import Store
from audio_encoder_checker.sandbox.outside import Outside
from audio_encoder_checker.sandbox.sweep import subfolder

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.evidence.network import NetworkFacts, Transfer
    from audio_encoder_checker.rules import Rules


def outside_of(rules: Rules, declared: tuple[str, ...], workspace: Path, hub_cache: Path | None) -> Outside:
    """What every start of one encoder may reach.

    Args:
        rules: which hosts.
        declared: further hosts, by the submission itself.
        workspace: a private folder.
        hub_cache: where the checker keeps files of the Hub for all submissions; None to keep them for this one only.

    Raises:
        UsageError: the caller's `HF_ENDPOINT` is no address, or the cache no folder.
    """
    policy = Policy(hosts=(*rules.network.hosts, *declared), upstream=os.environ.get("HF_ENDPOINT") or UPSTREAM)
    return Outside(policy, subfolder(workspace), Store(hub_cache or subfolder(workspace)))


def unreached(facts: NetworkFacts) -> str:
    """Why something could not be reached that is no fault of the encoder's; empty if there is no such thing."""
    for one in facts.transfers:
        if one.refused and not one.fault:
            return f"the encoder wants to reach {one.host}: {one.refused}; {advice(one.host)}"
        if one.trouble and not one.fault:
            return f"this machine got nothing from {one.host}: {one.trouble}; repeat where the network works"
    unknown = next((one.name for one in facts.look_ups if not one.known), "")
    return f"the encoder looks for {unknown}, which is not a declared host; {advice(unknown)}" if unknown else ""


def downloaded_data(facts: NetworkFacts) -> DownloadedData:
    """Evaluation data by the names of what came."""
    named = dict.fromkeys((_name(one), one.host) for one in facts.passed if one.received_bytes)
    return DownloadedData(tuple((f"{host}: {name}", use) for name, host in named for use in uses_in(name)))


def _name(one: Transfer) -> str:
    """What a request was about, in words."""
    if one.hub is None:
        return one.path
    return one.hub.repository if one.hub.kind == "dataset" else one.hub.file
