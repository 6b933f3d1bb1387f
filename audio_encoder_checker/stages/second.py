"""Start the encoder a second time beside the first: elsewhere, to compare, and to play the GPU.

X-ARES starts one process per task and constructs the encoder anew in each; its working directory is not the
repository's root. What a second process gives differs where weights are drawn anew, and what it cannot open was
looked for beside the working directory.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.behaviour import AfterTrain, SecondStart
from audio_encoder_checker.evidence.device import Culprit, DeviceFacts, Mistake
from audio_encoder_checker.evidence.run import CodeFrame, Ending, Outcome
from audio_encoder_checker.printable import told
from audio_encoder_checker.sandbox.ask import read_frame
from audio_encoder_checker.sandbox.sweep import subfolder
from audio_encoder_checker.stages.asking import Call, encode
from audio_encoder_checker.stages.compare import apart, difference
from audio_encoder_checker.stages.load import Target, greeted, load_encoder, where
from audio_encoder_checker.stages.waves import quiet_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from audio_encoder_checker.evidence.run import Conduct
    from audio_encoder_checker.rules import Rules
    from audio_encoder_checker.sandbox.ask import Session

CLIPS, SECONDS = 2, 1.0
PRETENDED_SLOWNESS = 3.0
"""A pretended GPU looks at every operation; its call may take so much longer."""


@dataclass
class SecondRun:
    """One more process, or two, of an encoder that a first session holds.

    Args:
        first: the session that goes on living meanwhile.
        workspace: a private folder.
        target: the encoder to load.
        rules: how long it may take.
        rate_hz: of the audio.
        seed: of the audio.
        load_s: seconds for loading.
        call_s: seconds for each call.
        on_call: told what is being done.
        kept: where the process that played the GPU goes on living, as `card`, if that went well; None if it need not.
    """

    first: Session
    workspace: Path
    target: Target
    rules: Rules
    rate_hz: float
    seed: int
    load_s: float
    call_s: float
    on_call: Callable[[str], None]
    kept: ExitStack | None = None

    def __post_init__(self) -> None:
        """Nothing has been learnt yet."""
        self.card: Session | None = None
        self.conducts: list[Conduct] = []
        self.facts: list[object] = []
        self.rebuilt: Outcome | None = None

    def run(self, needed_bytes: int) -> tuple[object, ...]:
        """Start again; `SecondStart`, and `DeviceFacts` where the GPU could be played.

        Nothing is asked of the second where the first does not survive the same call.

        Args:
            needed_bytes: memory that one more process will take, by what the first took.

        Raises:
            MachineError: this machine has no room for a second process.
        """
        free = psutil.virtual_memory().available
        if needed_bytes > free:
            need, have = needed_bytes / 2**30, free / 2**30
            raise MachineError(
                f"a second process of the encoder needs {need:.2g} GiB of RAM, {have:.2g} are free",
                "repeat on a machine with more memory",
            )
        clips = quiet_noise(self.seed, CLIPS, round(SECONDS * self.rate_hz))
        one = encode(self.first, clips, self.call_s)
        if one.returned is None:
            return ()
        second = self._second(one, clips)
        if self.first.device == "cpu":
            self.on_call("a pretended GPU")
            self.facts.append(self._play(clips))
        return (second, *self.facts)

    def _second(self, one: Call, clips: NDArray[np.float32]) -> SecondStart:
        """Elsewhere, and if that fails from the root."""
        self.on_call("a second process, in another folder")
        other = self._start(clips, elsewhere=True)
        if other.returned is not None:
            return SecondStart(other.outcome, None, self.rebuilt, apart(one.comparable, other.comparable))
        self.on_call("a second process, in the repository")
        home = self._start(clips, elsewhere=False)
        return SecondStart(other.outcome, home.outcome, self.rebuilt, apart(one.comparable, home.comparable))

    def _start(self, clips: NDArray[np.float32], *, elsewhere: bool) -> Call:
        """Load and call in a process of its own."""
        with self._session() as session:
            loaded, encoder = load_encoder(session, self.target, self.load_s, elsewhere=elsewhere)
            if encoder is None:
                return Call(loaded.outcome)
            call = encode(session, clips, self.call_s)
            if call.comparable is not None:
                self._train(session, clips, call)
                self.rebuilt = session.ask({"ask": "again"}, timeout_s=self.load_s).outcome
        return call

    def _train(self, session: Session, clips: NDArray[np.float32], plain: Call) -> None:
        """What `train()` changes: asked here, where the statistics of batch norms are not needed any more."""
        trained = encode(session, clips, self.call_s, train=True).comparable
        if trained is not None and plain.comparable is not None:
            self.facts.append(AfterTrain(difference(plain.comparable, trained)))

    def _play(self, clips: NDArray[np.float32]) -> DeviceFacts:
        """Ask a fresh child to load and call the encoder on a pretended GPU.

        What it answers is testimony, but only the submission's own defects are at stake.
        """
        with ExitStack() as stack:
            session = stack.enter_context(self._session())
            greeted(session)
            question = {"ask": "pretend", "shape": list(clips.shape), **where(session, self.target)}
            timeout_s = self.load_s + self.call_s * PRETENDED_SLOWNESS
            answer = session.ask(question, clips.data.cast("B"), timeout_s=timeout_s)
            if self.kept is not None and answer.header.get("phase") == "done":
                self.card = session
                self.kept.push(stack.pop_all())
        if not answer.outcome.ending.alive:
            return DeviceFacts(True, answer.outcome, not_covered=f"no answer: {answer.outcome}")
        return DeviceFacts(
            pretended=True,
            outcome=answer.outcome,
            culprit=read_culprit(answer.header.get("culprit")),
            output_device=told(answer.header.get("output_device"), limit=20),
            not_covered=told(answer.header.get("not_covered"), limit=300),
        )

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self.first.beside(subfolder(self.workspace), self.first.device) as session:
            session.begin_stage("contract", self.rules.limits.contract_s)
            yield session
        self.conducts.append(session.conduct())


def on_real_device(device: str, official: Outcome) -> DeviceFacts:
    """The same from loading or the official call on a real GPU, by the words of its exception."""
    raised = official.raised
    words = str(raised) if raised else ""
    mistakes = {
        "on the same device": Mistake.OTHER,
        "should be the same": Mistake.OTHER,  # of the types of input and weight
        "device type tensor to numpy": Mistake.NUMPY,
        "invalid device ordinal": Mistake.ORDINAL,
    }
    found = next((mistake for sign, mistake in mistakes.items() if sign in words), None)
    output = device if official.ending is Ending.ANSWERED else ""
    return DeviceFacts(False, official, Culprit(found) if found else None, output)


def read_culprit(data: object) -> Culprit | None:
    """The tensor that a child blames, every field checked; None if it blames none."""
    if not isinstance(data, dict):
        return None
    kinds = {mistake.value: mistake for mistake in Mistake}
    made: CodeFrame = read_frame(data)
    return Culprit(
        mistake=kinds.get(str(data.get("kind")), Mistake.OTHER),
        name=told(data.get("name"), limit=100),
        operation=told(data.get("op"), limit=100),
        made=made if made.file else None,
    )
