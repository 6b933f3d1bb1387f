"""Answer the parent's questions about one encoder. Runs in the box, beside the participant's code.

It greets, then answers frames (see `wire`) until it is told `bye` or killed:

    {"ask": "load", root, module, class, suffix, device, threads, answer_bytes, elsewhere}  construct the encoder;
                                                                    elsewhere: in another folder, as a worker of a pool
    {"ask": "encode", shape, ...} + float32 bytes                                call it (`encode` tells the manners)
    {"ask": "again"}                                                             construct another in its place
    {"ask": "pretend", shape, ...} + float32 bytes                               load and call it on a pretended GPU
    {"ask": "trial", step, ...}                                                  keep books of memory and work, after
                                                                    `pretend` or instead of it: step `build` constructs,
                                                                    `real` calls on audio that comes with it, `symbolic`
                                                                    on so many clips and samples
    {"ask": "measure", shape, limit_bytes, capability}                           call it on a real GPU, held to these
    {"ask": "convert", step, ...}                                                read a checkpoint, and no encoder:
                                                                    step `open` loads `file` and lists the tensors at
                                                                    `path`, `piece` gives bytes `start` to `stop` of
                                                                    the one at `index`
    {"ask": "finish"}                                                            end as an interpreter ends

Whatever the participant's code raises becomes an answer with `raised`. torch and numpy are imported, and this
package is complete in memory, before the first foreign line runs; nothing of `audio_encoder_checker` is
imported. The parent does not believe what comes back: it recomputes from the bytes.
"""

from __future__ import annotations

import atexit
import os
import platform
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from . import encode, failure, load, wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from .convert import Conversion
    from .devices import Pretence
    from .trial import Trial

QUESTION_BYTES = 1 << 30
Answer = tuple[dict[str, Any], bytes | memoryview]


class Host:
    """Holds the encoder between questions."""

    def __init__(self) -> None:
        self.encoder: Any = None
        self.chosen: Any = None
        self.root = ""
        self.device = "cpu"
        self.answer_bytes = 0
        self.pretence: Pretence | None = None
        self.on_trial: Trial | None = None
        self.conversion: Conversion | None = None

    def answer(self, question: dict[str, Any], payload: memoryview) -> Answer:
        """Header and payload of the answer to one question; whatever is raised meanwhile is an answer too."""
        try:
            return ASKED[question["ask"]](self, question, payload)
        except BaseException as error:
            return {"raised": failure.describe(error, self.root)}, b""

    def load(self, question: dict[str, Any], _payload: memoryview) -> Answer:
        """Import, choose, construct, move; `phase` says how far it came."""
        self._settle(question)
        phase = "import"
        names: list[str] = []
        try:
            self.chosen, names = load.find_class(question["module"], question["suffix"], question["class"])
            phase = "construct"
            self.encoder = self.chosen()
            if isinstance(self.encoder, torch.nn.Module):
                self.encoder = load.moved(self.encoder, self.device)
            return {"phase": phase, "names": names[:50], **load.describe(self.encoder)}, b""
        except load.EncoderNotFoundError as error:
            return {"phase": "find", "names": [name[:100] for name in error.names[:50]]}, b""
        except BaseException as error:
            raised = failure.describe(error, self.root)
            return {"phase": phase, "names": names[:50], "raised": raised}, b""

    def _settle(self, question: dict[str, Any]) -> None:
        self.root, self.device = question["root"], question["device"]
        self.answer_bytes = question["answer_bytes"]
        torch.set_num_threads(question["threads"])
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:2:16:8")  # a T4's; newer cards take four times as much
        os.chdir(tempfile.gettempdir() if question.get("elsewhere") else self.root)
        if question.get("elsewhere"):
            load.become_worker()
        load.prepare(self.root, question["module"])

    def encode(self, question: dict[str, Any], payload: memoryview) -> Answer:
        """Call the encoder on the audio in the payload."""
        if question.get("move"):
            self.encoder = load.moved(self.encoder, self.device)
        audio = encode.waveforms(payload, question["shape"], self.device)
        return encode.call(self.encoder, audio, self.answer_bytes, question)

    def construct_again(self, _question: dict[str, Any], _payload: memoryview) -> Answer:
        """Construct the encoder once more in place of the one there is, as X-ARES does for every task."""
        self.encoder = None
        self.encoder = load.moved(self.chosen(), self.device)
        return {"phase": "construct"}, b""

    def pretend(self, question: dict[str, Any], payload: memoryview) -> Answer:
        """Load and call the encoder on a pretended GPU; the exception that a real one would raise is the answer."""
        from . import pretend  # here: few children play, and it loads much of torch

        audio = encode.waveforms(payload, question["shape"], "cpu")
        return pretend.run(lambda: self._constructed(question), audio, self._pretence(question)), b""

    def _pretence(self, question: dict[str, Any]) -> Pretence:
        """The one of this process: what modules keep has its device in these books."""
        if self.pretence is None:
            from .devices import Pretence

            self._settle(question)
            self.pretence = Pretence(self.root)
        return self.pretence

    @staticmethod
    def _constructed(question: dict[str, Any]) -> Any:
        return load.find_class(question["module"], question["suffix"], question["class"])[0]()

    def trial(self, question: dict[str, Any], payload: memoryview) -> Answer:
        """One step of a trial on a pretended GPU (see `trial`)."""
        from . import trial  # here: only one child needs it, and it loads much of torch

        if question["step"] == "build":
            self.on_trial = trial.Trial(lambda: self._constructed(question), self._pretence(question))
            return {"built": True}, b""
        assert self.on_trial is not None  # noqa: S101 - the parent builds first
        if question["step"] == "real":
            audio = encode.waveforms(payload, question["shape"], "cpu")
            return self.on_trial.real(audio, profiled=question["profiled"])
        return self.on_trial.symbolic(question["batch"], question["samples"], grad=question["grad"])

    def measure(self, question: dict[str, Any], _payload: memoryview) -> Answer:
        """Memory and time of a call on a real GPU (see `measure`)."""
        from . import measure  # here: only a child with a GPU needs it

        return measure.measure(self.encoder, question["shape"], self.device, question), b""

    def convert(self, question: dict[str, Any], _payload: memoryview) -> Answer:
        """One step of reading a checkpoint (see `convert`)."""
        from . import convert  # here: only a child without an encoder needs it

        if question["step"] == "open":
            self.conversion = convert.Conversion(question["file"], question["path"])
            return {"opened": True}, self.conversion.listed()
        assert self.conversion is not None  # noqa: S101 - the parent opens first
        return {}, self.conversion.piece(question["index"], question["start"], question["stop"])

    def finish(self, _question: dict[str, Any], _payload: memoryview) -> Answer:
        """End as an interpreter ends: wait for threads, then run the exit handlers."""
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what the interpreter itself calls
        atexit._run_exitfuncs()  # noqa: SLF001 - same
        sys.stdout.flush()
        sys.stderr.flush()
        return {"finished": True}, b""


ASKED: dict[str, Callable[[Host, dict[str, Any], memoryview], Answer]] = {
    "load": Host.load,
    "encode": Host.encode,
    "again": Host.construct_again,
    "pretend": Host.pretend,
    "trial": Host.trial,
    "measure": Host.measure,
    "convert": Host.convert,
    "finish": Host.finish,
}


def lingering() -> list[str]:
    """Names of the threads that may keep the interpreter from ending."""
    threads = threading.enumerate()
    return [one.name[:100] for one in threads if one is not threading.main_thread() and not one.daemon][:20]


def serve(channel: socket.socket) -> None:
    """Greet, then answer until told to go."""
    wire.send(
        channel,
        {
            "hello": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "cuda": torch.cuda.is_available(),
        },
    )
    host = Host()
    while True:
        question, payload = wire.receive(channel, QUESTION_BYTES)
        if question["ask"] not in ASKED:
            os._exit(0)  # no handler of the participant's gets a word at the end
        if question["ask"] == "finish":
            wire.send(channel, {"threads": lingering()})
        wire.send(channel, *host.answer(question, payload))
