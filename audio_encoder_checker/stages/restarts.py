"""Start an encoder that downloads again and again, each time with something else wrong with the network or the disk.

First with the cache that its first start has left: what is there once has to do without a network. Then with nothing
cached: what it does when the download goes wrong. The verdict is made here, from the embeddings that came back and
from what the channel saw.
"""

from __future__ import annotations

import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psutil

from audio_encoder_checker.evidence.network import Condition, Restart, Restarts, Went
from audio_encoder_checker.evidence.run import Ending
from audio_encoder_checker.network.faults import FaultKind, Faults
from audio_encoder_checker.network.ledger import Ledger
from audio_encoder_checker.sandbox.sweep import subfolder
from audio_encoder_checker.stages.asking import Call, encode
from audio_encoder_checker.stages.compare import apart
from audio_encoder_checker.stages.load import NETWORK_ERRORS, load_encoder
from audio_encoder_checker.stages.waves import quiet_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evidence.behaviour import Difference
    from audio_encoder_checker.evidence.run import Conduct, Outcome, Raised
    from audio_encoder_checker.rules import Rules
    from audio_encoder_checker.sandbox.ask import Session
    from audio_encoder_checker.sandbox.outside import Outside
    from audio_encoder_checker.stages.load import Target

FAULTS = {
    Condition.TOO_MANY: Faults(FaultKind.TOO_MANY, times=2),
    Condition.SERVER_ERROR: Faults(FaultKind.SERVER_ERROR, times=2),
    Condition.SLOW: Faults(FaultKind.SLOW, times=1),
    Condition.CUT: Faults(FaultKind.CUT, times=1),
    Condition.WRONG_BYTES: Faults(FaultKind.WRONG_BYTES),
}
CACHED = (Condition.CUT_OFF, Condition.OFFLINE_MODE)
"""With what the first start has left."""
SAME = 1e-4
"""Two starts of one encoder differ by less, relative to the largest value."""
SECONDS = 0.5
TOGETHER = ("one", "another")
MOST_AT_ONCE = 4
"""Starts that go on at the same time: they mostly wait."""
PATIENCE, PATIENCE_S = 3.0, 60.0
"""A start may take so many times as long as the first one, and so much longer: libraries wait and try again."""
CLEAR = re.compile(
    r"download|connect|network|offline|timed? ?out|http (error|status)|\b(429|50\d)\b|too many requests|rate.?limit"
    r"|hash|checksum|corrupt|truncat|incomplete|consistency|retr(y|ies)|no space|\bdisk\b|quota|unreachable",
    re.IGNORECASE,
)
"""Words that tell whoever reads an exception that it is the download that failed."""


@dataclass
class Trials:
    """Further starts of an encoder that a first session holds.

    Args:
        first: the session whose embeddings the others are compared with; it goes on living.
        outside: of that session: its home folder is what was cached.
        workspace: a private folder.
        target: the encoder to load.
        rules: which starts are made, and for how long.
        rate_hz: of the audio.
        seed: of the audio.
        load_s: seconds that the first start took.
        call_s: seconds for each call.
        on_call: told what is being done.
    """

    first: Session
    outside: Outside
    workspace: Path
    target: Target
    rules: Rules
    rate_hz: float
    seed: int
    load_s: float
    call_s: float
    on_call: Callable[[str], None]

    def __post_init__(self) -> None:
        """Nothing has been started yet."""
        self.clips = quiet_noise(self.seed, 1, round(SECONDS * self.rate_hz))
        self.conducts: list[Conduct] = []
        self._living: list[Session] = []
        self._end = time.monotonic() + self.rules.limits.download_s

    def run(self) -> Restarts:
        """Make all starts that the rule book asks for, as long as there is time.

        Raises:
            MachineError: this machine cannot start one.
        """
        reference = encode(self.first, self.clips, self.call_s).comparable
        if reference is None:
            return Restarts()
        conditions = [Condition[name] for name in self.rules.network.restarts]
        if self._room() < len(TOGETHER):
            conditions = [one for one in conditions if one is not Condition.TWO_AT_ONCE]
        at_once = min(self._room(), MOST_AT_ONCE) if self.first.device == "cpu" else 1  # a GPU's memory is not shared
        cached = [one for one in conditions if one in CACHED]  # from one home folder: one after the other
        fresh = [one for one in conditions if one not in CACHED]
        return Restarts((*self._started(cached, reference, 1), *self._started(fresh, reference, at_once)))

    def _started(self, conditions: list[Condition], reference: NDArray[np.float32], at_once: int) -> list[Restart]:
        with ThreadPoolExecutor(at_once) as pool:
            try:
                found = list(pool.map(lambda one: self._start(one, reference), conditions))
            except BaseException:  # Ctrl-C, most likely: the threads would wait for their children
                self._end = 0.0
                for session in self._living:
                    session.abort()
                raise
        return [one for one in found if one is not None]

    def _room(self) -> int:
        """How many processes like the first one this machine has memory for; one at least, which may then fail."""
        return max(int(psutil.virtual_memory().available // max(self.first.usage().peak_memory_bytes, 1)), 1)

    def _start(self, condition: Condition, reference: NDArray[np.float32]) -> Restart | None:
        """One condition; None where no time is left."""
        if time.monotonic() >= self._end:
            return None
        self.on_call(condition.value)
        outside = self._outside(condition)
        sessions = [
            self.first.beside(subfolder(self.workspace), self.first.device, outside)
            for _ in (TOGETHER if condition is Condition.TWO_AT_ONCE else TOGETHER[:1])
        ]
        with ThreadPoolExecutor(len(sessions)) as pool:
            calls = list(pool.map(self._call, sessions))
        pairs = ((one, apart(reference, one.comparable)) for one in calls)
        call, found = max(pairs, key=lambda pair: _badness(pair[1]))
        facts = outside.ledger.facts()
        met = condition not in FAULTS or any(one.fault for one in facts.transfers)
        same = found is not None and found.same_shape and found.relative < SAME
        return Restart(condition, call.outcome, judged(call.outcome, met=met, same=same), found, len(facts.passed))

    def _call(self, session: Session) -> Call:
        """Load and call in a process of its own."""
        self._living.append(session)
        with session:
            session.begin_stage("download", max(self._end - time.monotonic(), 1.0))
            patience_s = PATIENCE_S * math.ceil(1 + PATIENCE * self.load_s / PATIENCE_S)  # the same on every run
            loaded, encoder = load_encoder(session, self.target, patience_s)
            call = Call(loaded.outcome) if encoder is None else encode(session, self.clips, self.call_s)
        self.conducts.append(session.conduct())
        return call

    def _outside(self, condition: Condition) -> Outside:
        """What such a start may reach."""
        ledger = Ledger()
        if condition in CACHED:
            environment = {"HF_HUB_OFFLINE": "1"} if condition is Condition.OFFLINE_MODE else {}
            return replace(self.outside, ledger=ledger, cut=True, environment=environment)
        half = _half(one.received_bytes for one in self.outside.ledger.facts().passed)
        return replace(
            self.outside,
            ledger=ledger,
            home=subfolder(self.workspace),
            cut=condition is Condition.NO_NETWORK,
            faults=FAULTS.get(condition, self.outside.faults),
            disk_bytes=half if condition is Condition.FULL_DISK else 0,
        )


def _badness(found: Difference | None) -> float:
    """Of several, the one that gave nothing counts, else the one that is furthest away."""
    return math.inf if found is None else found.relative


def _half(sizes: Iterable[int]) -> int:
    """A disk on which half of a download fits, in whole pages."""
    return max(sum(sizes) // 2 // 4096, 1) * 4096


def judged(outcome: Outcome, *, met: bool, same: bool) -> Went:
    """What became of a start.

    Args:
        outcome: of loading, or of the call.
        met: whether a request met the fault.
        same: whether the embeddings are those of the first start.
    """
    if outcome.ending is Ending.ANSWERED:
        if not same:
            return Went.OTHERWISE
        return Went.WELL if met else Went.NOT_MET
    if outcome.ending in (Ending.TIMED_OUT, Ending.STAGE_TIMED_OUT):
        return Went.HUNG
    return Went.CLEARLY if outcome.raised and tells_of_download(outcome.raised) else Went.UNCLEARLY


def tells_of_download(raised: Raised) -> bool:
    """Whether an exception says that something went wrong with the network, the download or the disk."""
    return not NETWORK_ERRORS.isdisjoint(raised.chain) or CLEAR.search(raised.message) is not None
