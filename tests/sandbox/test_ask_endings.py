"""How a question ends, from what is seen of a child: without one. `test_boxes.py` tries it on real ones."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from audio_encoder_checker.child import wire
from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.network import Moment
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.sandbox import ask
from audio_encoder_checker.sandbox.ask import Answer, Session
from tests.sandbox.test_boxes import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audio_encoder_checker.sandbox.outside import Outside

GARBAGE = b"\xff\xff\xff\xff"
OVER = (Ending.OUT_OF_MEMORY, "4 GiB")


class Child:
    """What a session sees of a child: its exit status, and what its meter and its drains noticed."""

    def __init__(self) -> None:
        self.channel, self.far = socket.socketpair()
        self.status: int | None = 0
        self.over: tuple[Ending, str] | None = None
        self.seen: tuple[Ending, str] | None = None
        self.alive, self.watch = True, None
        self.ran_out = self.killed = self.closed = False
        self.drains = [SimpleNamespace(flooded=False, count=count, tail="a\x1b[2J") for count in (1, 2)]
        self.left = iter([("before",), ("after",)])
        self.meter = self
        self.peak_bytes = 3 << 30

    def tell_stage(self, stage: str) -> None:
        self.stage = stage

    def wait(self, _seconds: float) -> int | None:
        return self.status

    def look(self) -> tuple[Ending, str] | None:
        """The meter finds out when it looks."""
        self.over = self.seen
        return self.over

    def left_behind(self) -> tuple[str, ...]:
        return next(self.left)

    def close(self) -> None:
        self.closed = True

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


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(ask, "EXIT_SECONDS", 0.3)


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
    assert 0 <= outcome.seconds < 5
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
    child.seen = OVER  # noticed later, by the next question or at the end
    child.says(b"12", shape=[2])
    answer = asked(session)
    assert 0 <= answer.outcome.seconds < 5
    assert (answer.outcome.ending, answer.header["shape"], bytes(answer.payload)) == (Ending.ANSWERED, [2], b"12")


@pytest.mark.parametrize("said", [{}, {"raised": {"type": "MemoryError"}}])
def test_a_limit_explains_a_death_and_an_exception(session: Session, child: Child, said: dict[str, Any]) -> None:
    child.status, child.seen, child.ran_out = -9, OVER, True
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
    child.seen = (Ending.MACHINE_OUT_OF_DISK, "1 MiB left")
    child.says()
    with pytest.raises(MachineError, match="disk is nearly full: 1 MiB left"):
        asked(session)


LISTENS: dict[str, Any] = {"threads": []}
THREADS = {"threads": ["pool", "w\x1b[2J"]}


@pytest.mark.parametrize(
    ("said", "stays", "blocked_by", "left"),
    [
        ((), True, "", "before"),  # it does not listen
        ((), False, "", "before"),  # it is gone
        ((GARBAGE,), False, "", "before"),
        ((LISTENS,), False, "", "before"),
        (({"threads": 7},), True, "", "before"),
        (({"threads": None},), True, "", "before"),
        (({"threads": "abc"},), True, "", "before"),
        (({"threads": {}},), True, "", "before"),
        ((LISTENS, {"finished": True}), True, "", "after"),
        ((LISTENS,), True, "an exit handler", "after"),
        ((THREADS,), True, "the threads pool, w\\x1b[2J, which are not daemons", "after"),
    ],
)
@pytest.mark.usefixtures("_hurried")
def test_what_keeps_the_interpreter_from_ending_is_named(
    session: Session, child: Child, said: tuple[Any, ...], stays: bool, blocked_by: str, left: str
) -> None:
    for one in said:
        if isinstance(one, bytes):
            child.far.sendall(one)
        else:
            wire.send(child.far, one)
    if not stays:
        child.far.shutdown(socket.SHUT_WR)
    session.close()
    assert wire.receive(child.far, 0)[0]["ask"] == "finish"
    conduct = session.conduct()
    assert (conduct.exit_blocked_by, conduct.left_behind, child.closed) == (blocked_by, (left,), True)


def test_a_child_that_ended_is_not_asked_to(session: Session, child: Child) -> None:
    child.says()
    session.begin_stage("contract", 60.0)
    session.doing = "2 x 3.1 s"
    asked(session)
    session.close()
    conduct = session.conduct()
    assert (conduct.ended_by, conduct.stage, conduct.doing) == (Ending.EXITED, "contract", "2 x 3.1 s")
    assert (conduct.detail, conduct.left_behind, child.closed) == ("exit status 0", (), True)


def test_a_limit_passed_after_the_last_question_is_told(session: Session, child: Child) -> None:
    session.doing = "2 x 3.1 s"
    conduct = session.conduct()
    assert (conduct.ended_by, conduct.detail, conduct.doing) == (Ending.ANSWERED, "", "")
    assert (conduct.stdout_bytes, conduct.stderr_bytes, conduct.control_characters) == (1, 2, 2)
    assert (conduct.watched, conduct.attempts) == (False, ())
    child.over = OVER
    assert (session.conduct().ended_by, session.conduct().detail) == OVER


@pytest.mark.parametrize(
    ("tier", "outside", "network"),
    [
        ("observed", None, "denied"),
        ("observed", "outside", "observed"),
        ("host", None, "host"),
        ("denied", "outside", "denied"),
    ],
)
def test_a_network_that_nothing_answers_on_is_denied(
    session: Session, tier: str, outside: str | None, network: str
) -> None:
    session.box = cast("Any", SimpleNamespace(isolation=lambda: SimpleNamespace(network=tier)))
    session.outside = cast("Any", outside)
    assert session.network == network


def test_a_process_beside_may_reach_the_same_unless_told_otherwise(session: Session, tmp_path: Path) -> None:
    same, other = cast("Outside", object()), cast("Outside", object())
    session.outside = same
    assert session.beside(tmp_path).outside is same
    assert session.beside(tmp_path, outside=other).outside is other
    assert (session.beside(tmp_path).device, session.beside(tmp_path, "cuda:0").device) == ("cpu", "cuda:0")


@pytest.mark.parametrize(
    ("what", "doing", "call"),
    [("encode", "2 x 3.1 s", "2 x 3.1 s"), ("encode", "", "a call"), ("load", "2 x 3.1 s", "")],
)
def test_what_is_sent_during_a_question_is_told_of_its_call(
    session: Session, child: Child, what: str, doing: str, call: str
) -> None:
    ledger = SimpleNamespace(at=None)
    session.outside = cast("Any", SimpleNamespace(ledger=ledger))
    session.begin_stage("contract", 60.0)
    session.doing = doing
    child.says(shape=[2])
    session.ask({"ask": what}, timeout_s=5.0)
    assert ledger.at == Moment("contract", call)
