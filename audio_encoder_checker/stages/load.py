"""Start the child, import the encoder file as X-ARES does, construct the encoder."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.errors import MachineError, NoGpuError
from audio_encoder_checker.evidence.load import Attribute, EncoderFacts, LoadFacts
from audio_encoder_checker.evidence.run import Ending, Outcome, Raised
from audio_encoder_checker.evidence.source import ENCODER_SUFFIX
from audio_encoder_checker.printable import printable, told
from audio_encoder_checker.sandbox.ask import Answer
from audio_encoder_checker.stages.network import unreached

if TYPE_CHECKING:
    from audio_encoder_checker.sandbox.ask import Session

START_SECONDS = 180.0
"""For our own child to import torch, on however busy a machine."""

START_HINT = 'try `python -c "import torch"` in the environment of aecc-check'
"""What shows whether the environment is broken."""

NETWORK_ERRORS = {
    *("ConnectionError", "ConnectError", "ConnectTimeout", "MaxRetryError", "NameResolutionError", "ProxyError"),
    *("gaierror", "URLError", "LocalEntryNotFoundError", "OfflineModeIsEnabled", "NewConnectionError", "timeout"),
    *("ConnectionRefusedError", "NetworkError", "ClientConnectorError", "RemoteProtocolError", "RemoteDisconnected"),
    *("HfHubHTTPError", "HTTPError", "HTTPStatusError"),
}
"""Names of exceptions that say that a host could not be reached."""


@dataclass(frozen=True)
class Target:
    """The encoder to load: its file, its module from the root, and the class if the user named one."""

    file: str
    module: str
    class_name: str = ""


def load_encoder(
    session: Session, target: Target, timeout_s: float, *, elsewhere: bool = False
) -> tuple[LoadFacts, EncoderFacts | None]:
    """Load the encoder in the session's child, from the repository's root or from a folder `elsewhere`.

    Returns:
        How it went, and the encoder's facts if there is one.

    Raises:
        MachineError: our own child did not start, or has no GPU although one was asked for.
    """
    greeted(session)
    question = {"ask": "load", **where(session, target), "elsewhere": elsewhere}
    answer = session.ask(question, timeout_s=timeout_s)
    if answer.outcome.ending is Ending.ANSWERED and answer.header.get("phase") not in ("find", "construct"):
        answer = Answer(Outcome(Ending.GARBLED, answer.outcome.seconds, "an answer that says nothing of the encoder"))
    facts = _load_facts(answer, target.file, _why_no_network(session))
    if answer.outcome.raised and answer.outcome.raised.type == "SystemExit":
        facts = replace(facts, last_words=session.last_words())  # argparse says there what it misses
    if answer.outcome.ending is not Ending.ANSWERED or facts.phase != "construct":
        return facts, None
    return facts, read_encoder(answer.header, target.file, answer.outcome.seconds)


def greeted(session: Session) -> None:
    """Wait until the child is there.

    Raises:
        MachineError: our own child did not start.
        NoGpuError: it has no GPU although one was asked for.
    """
    greeting = session.greeting(START_SECONDS)
    if greeting.outcome.ending is not Ending.ANSWERED:
        words = session.last_words()
        raise MachineError(f"torch did not start in the box: {words or greeting.outcome}", START_HINT)
    if session.device != "cpu" and greeting.header.get("cuda") is not True:
        torch = told(greeting.header.get("torch"), limit=40)
        raise NoGpuError(
            f"the driver shows a GPU, but torch {torch} cannot use it in the {session.box.tier} box",
            "use `--device cpu`; only the strong box has GPUs, for root only where all may read the submission "
            "(`chmod -R a+rX DIR`)",
        )


def where(session: Session, target: Target) -> dict[str, Any]:
    """What a child has to know before it loads an encoder."""
    return {
        "root": session.repository_path,
        "module": target.module,
        "class": target.class_name,
        "suffix": ENCODER_SUFFIX,
        "device": session.device,
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "answer_bytes": session.limits.answer_bytes,
    }


def _why_no_network(session: Session) -> str:
    """Why the encoder could not reach all that it wanted, if that is not its own fault; empty if it could."""
    network = session.network
    if network == "denied" and session.box.observes:
        return "the encoder wants to download, and `--no-network` was given"
    if network == "denied":
        return (
            "the encoder wants to download and the box has no network; put the weights into the repository, or, if you "
            "trust the code, run with `--box weak --trust`"
        )
    return unreached(session.outside.ledger.facts()) if session.outside and network == "observed" else ""


def _load_facts(answer: Answer, file: str, why_no_network: str) -> LoadFacts:
    header = answer.header
    phase = header.get("phase")
    return LoadFacts(
        outcome=answer.outcome,
        phase=phase if phase in ("import", "find", "construct") else "import",
        file=printable(file, limit=1_000),
        names=_words(header.get("names")),
        excused=why_no_network if _wants_network(answer.outcome.raised) else "",
    )


def _wants_network(raised: Raised | None) -> bool:
    return raised is not None and not (NETWORK_ERRORS.isdisjoint(raised.chain) and raised.type != "OSError")


def read_encoder(header: dict[str, Any], file: str, load_seconds: float) -> EncoderFacts:
    """What the child said of the encoder (`child.load.describe`), every field checked, cut and made printable."""
    attributes = header.get("attributes")
    return EncoderFacts(
        class_name=told(header.get("class_name")),
        file=printable(file, limit=1_000),
        is_module=header.get("is_module") is True,
        attributes=tuple(_attribute(a) for a in attributes) if isinstance(attributes, list) else (),
        parameters=_count(header.get("parameters")),
        weight_bytes=_count(header.get("weight_bytes")),
        training=_words(header.get("training")),
        load_seconds=load_seconds,
    )


def _attribute(data: Any) -> Attribute:
    source = data if isinstance(data, dict) else {}
    value = source.get("value")
    return Attribute(
        name=told(source.get("name"), limit=100),
        present=source.get("present") is True,
        type=told(source.get("type"), limit=100),
        value=float(value) if isinstance(value, int | float) and abs(value) < 1e12 else None,
        text=told(source.get("text"), limit=100),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 63 else 0


def _words(value: object) -> tuple[str, ...]:
    return tuple(told(word, limit=100) for word in value[:50]) if isinstance(value, list) else ()
