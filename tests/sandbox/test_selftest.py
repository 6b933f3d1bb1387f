"""The self-test itself is tested: in a box without walls its probes must come out open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.sandbox.box import LINUX
from audio_encoder_checker.sandbox.choose import survey
from audio_encoder_checker.sandbox.selftest import probe_box

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.box, pytest.mark.skipif(not LINUX, reason="Linux only")]


def test_without_walls_the_probes_get_out(tmp_path: Path) -> None:
    weak = survey()[-1].box
    assert weak is not None
    found = {probe.name: probe.shut for probe in probe_box(weak, tmp_path)}
    reached = [name for name, shut in found.items() if not shut]
    assert {
        "read a file of the checker",
        "write beside the submission",
        "write into the submission",
        "signal the checker",
        "connect to the host by TCP",
        "reach the host by UDP",
        "connect to a Unix socket of the host",
        "connect to an abstract socket of the host",
        "open a socket of another family",
    } <= set(reached)
    assert found["use more memory than allowed"], "the meter works in every tier"


def test_a_box_that_does_not_start_gives_one_open_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weak = survey()[-1].box
    assert weak is not None
    monkeypatch.setattr("audio_encoder_checker.sandbox.process.child_command", lambda *_: ["/bin/false"])
    (probe,) = probe_box(weak, tmp_path)
    assert (probe.name, probe.shut) == ("start", False)


@pytest.mark.parametrize("tier", ["strong", "medium"])
def test_a_box_that_passes_a_gpu_through_holds_as_well(tier: str, tmp_path: Path) -> None:
    found = next(one for one in survey() if one.tier == tier)
    if found.box is None:
        pytest.skip(found.why_not)
    tmp_path.chmod(0o711)
    assert [probe for probe in probe_box(found.box, tmp_path, gpu=True) if not probe.shut] == []
