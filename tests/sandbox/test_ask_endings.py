"""How a question ends, from what is seen of a child: without one. `test_boxes.py` tries it on real ones."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from audio_encoder_checker.child import wire
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.sandbox.ask import Answer, Session
from tests.sandbox.test_boxes import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GARBAGE = b"\xff\xff\xff\xff"
OVER = (Ending.OUT_OF_MEMORY, "4 GiB")


class Child:
    """What a session sees of a child: its exit status, and what its meter and its drains noticed."""

    def __init__(self) -> None:
        self.channel, self.far = socket.socketpair()
        self.status: int | None = 0
        self.over: tuple[Ending, str] | None = None
        self.ran_out = self.killed = False
        self.drains = [SimpleNamespace(flooded=False), SimpleNamespace(flooded=False)]
        self.meter = self
        self.peak_bytes = 3 << 30

    def tell_stage(self, stage: str) -> None:
        self.stage = stage

    def wait(self, _seconds: float) -> int | None:
        return self.status

    def look(self) -> tuple[Ending, str] | None:
        return self.over

    def machine_ran_out(self) -> bool:
        return self.ran_out

    def kill(self) -> None:
        self.killed = True

    def says(self, data: bytes = b"", **header: Any) -> None:
        """Before it ends."""
        if header:
            wire.send(self.far, header, data)
        else:
            self.far.sendall(data)
        self.far.shutdown(socket.SHUT_WR)


@pytest.fixture
def child() -> Iterator[Child]:
    one = Child()
    with one.channel, one.far:
        yield one


@pytest.fixture
def session(child: Child, tmp_path: Path) -> Session:
    one = Session(cast("Any", None), tmp_path, tmp_path, LIMITS)
    one._child = cast("Any", child)
    return one


def asked(session: Session, timeout_s: float = 5.0) -> Answer:
    return session.ask({"ask": "encode"}, timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("status", "ending", "detail"),
    [
        (0, Ending.EXITED, "exit status 0"),
        (3, Ending.EXITED, "exit status 3"),
        (128, Ending.EXITED, "exit status 128"),
        (129, Ending.KILLED, "signal 1"),
        (137, Ending.KILLED, "signal 9"),
        (-1, Ending.KILLED, "signal 1"),
        (-9, Ending.KILLED, "signal 9"),
        (None, Ending.GARBLED, "end of stream"),
    ],
)
def test_without_an_answer_the_exit_status_tells(
    session: Session, child: Child, status: int | None, ending: Ending, detail: str
) -> None:
    child.status = status
    child.says()
    outcome = asked(session).outcome
    assert (outcome.ending, outcome.detail, child.killed) == (ending, detail, True)
    assert asked(session).outcome is outcome


def test_what_is_no_answer_is_garbled_whatever_its_exit_status(session: Session, child: Child) -> None:
    child.says(GARBAGE)
    outcome = asked(session).outcome
    assert (outcome.ending, outcome.detail) == (Ending.GARBLED, "a header of 4294967295 bytes")


def test_an_answer_and_an_exception_are_told_apart(session: Session, child: Child) -> None:
    child.says(b"12", shape=[2], raised={"type": "KeyError", "message": "x"})
    answer = asked(session)
    assert (answer.outcome.ending, answer.outcome.raised and answer.outcome.raised.type) == (Ending.RAISED, "KeyError")
    assert session.ended is None
    assert not child.killed


def test_an_answer_is_handed_on_with_its_bytes(session: Session, child: Child) -> None:
    child.over = OVER  # noticed later, by the next question or at the end
    child.says(b"12", shape=[2])
    answer = asked(session)
    assert (answer.outcome.ending, answer.header["shape"], bytes(answer.payload)) == (Ending.ANSWERED, [2], b"12")


@pytest.mark.parametrize("said", [{}, {"raised": {"type": "MemoryError"}}])
def test_a_limit_explains_a_death_and_an_exception(session: Session, child: Child, said: dict[str, Any]) -> None:
    child.status, child.over, child.ran_out = -9, OVER, True
    child.says(**said)
    outcome = asked(session).outcome
    assert (outcome.ending, outcome.detail) == OVER


def test_a_flood_of_either_stream_explains_a_death(session: Session, child: Child) -> None:
    child.drains[1].flooded = True
    child.says()
    outcome = asked(session).outcome
    assert outcome.ending is Ending.FLOODED
    assert outcome.detail == f"more than {LIMITS.output_bytes / 2**20:.3g} MiB printed"


@pytest.mark.parametrize(
    ("stage_s", "ending", "detail"),
    [
        (60.0, Ending.TIMED_OUT, "no answer within 0.2 s"),
        (0.05, Ending.STAGE_TIMED_OUT, "the contract stage took longer than 0.05 s"),
    ],
)
def test_the_clock_of_the_call_and_of_its_stage_are_told_apart(
    session: Session, child: Child, stage_s: float, ending: Ending, detail: str
) -> None:
    session.begin_stage("contract", stage_s)
    outcome = asked(session, timeout_s=0.2).outcome
    assert (outcome.ending, outcome.detail, child.stage) == (ending, detail, "contract")


@pytest.mark.parametrize("status", [-9, 137])
def test_a_machine_without_memory_is_nobodys_fault(session: Session, child: Child, status: int) -> None:
    child.status, child.ran_out = status, True
    child.says()
    with pytest.raises(MachineError, match=r"ran out of memory .* \(at 3 GiB\)"):
        asked(session)


def test_another_signal_is_the_encoders_own(session: Session, child: Child) -> None:
    child.status, child.ran_out = -11, True
    child.says()
    assert asked(session).outcome.ending is Ending.KILLED


def test_a_full_disk_is_the_machines_fault(session: Session, child: Child) -> None:
    child.over = (Ending.MACHINE_OUT_OF_DISK, "1 MiB left")
    child.says()
    with pytest.raises(MachineError, match="disk is nearly full: 1 MiB left"):
        asked(session)
