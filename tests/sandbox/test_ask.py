"""What the child says of an exception is checked field by field; endings are tried in `test_boxes.py`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.run import CodeFrame, Raised
from audio_encoder_checker.sandbox.ask import Session, count_controls, read_raised
from tests.sandbox.test_boxes import LIMITS

if TYPE_CHECKING:
    from audio_encoder_checker.sandbox.box import Box


def test_an_exception_is_read_as_it_was_told() -> None:
    frame = {"file": "encoder.py", "line": 7, "function": "forward", "text": "x = y"}
    told = {
        "type": "OSError",
        "message": "no",
        "chain": ["OSError", "KeyError"],
        "frames": [frame],
        "missing_module": "",
    }
    assert read_raised(told) == Raised(
        "OSError", "no", ("OSError", "KeyError"), (CodeFrame("encoder.py", 7, "forward", "x = y"),)
    )


@pytest.mark.parametrize(
    "told",
    [
        None,
        "text",
        {},
        {"type": 7, "message": {"a": [1]}, "chain": "abc", "frames": {"a": 1}, "missing_module": []},
        {"type": "", "chain": [[["x"]]], "frames": ["x", 3, None]},
    ],
)
def test_nonsense_gives_an_exception_without_a_name(told: object) -> None:
    raised = read_raised(told)
    assert (raised.type, raised.message, raised.frames) == ("Exception", "", ())
    assert set(raised.chain) <= {""}


def test_nothing_in_it_acts_on_a_terminal_or_is_long() -> None:
    raised = read_raised({"type": "E" * 9999, "message": "\x1b[2J" * 9999, "chain": ["\u202e"] * 99})
    assert len(raised.type) == 100
    assert len(raised.message) == 600
    assert "\x1b" not in raised.message
    assert raised.chain == ("\\u202e",) * 10


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("plain\ttext\n", 0),
        ("\x1b[31mred\x1b[0m \x1b[2K\r50%", 0),
        ("\x1b]0;title\x07", 2),
        ("\x1b[2J", 1),
        ("a\u202eb", 1),
    ],
)
def test_colours_and_progress_bars_are_no_controls(text: str, count: int) -> None:
    assert count_controls(text) == count


class Failing:
    """A box that does not start."""

    tier, holds_orphans, observes, policy = "strong", True, False, None

    def start(self, _job: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")


def test_a_box_that_cannot_be_started_is_the_machines_fault_and_leaves_nothing(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
    with (
        pytest.raises(MachineError, match=r"did not start: .*temporarily unavailable"),
        Session(cast("Box", Failing()), tmp_path, tmp_path, LIMITS),
    ):
        pass
    if sys.platform == "linux":
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        assert list(Path("/sys/fs/cgroup").rglob(f"aecc-{os.getpid()}-*")) == []
