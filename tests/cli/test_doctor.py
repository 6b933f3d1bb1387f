from __future__ import annotations

import subprocess
import sys

import pytest

from audio_encoder_checker.cli.doctor import diagnosis
from audio_encoder_checker.evidence.run import Isolation, Probe
from audio_encoder_checker.sandbox.choose import Surveyed, survey

WEAK = survey()[-1]
ISOLATION = Isolation(
    "strong",
    ("bubblewrap", "no capabilities"),
    "polled",
    "denied",
    ("bugs of the kernel",),
    probes=(Probe("mount", shut=True), Probe("write beside the submission", shut=False, detail="1")),
)


def test_a_tier_that_fails_shows_why_the_open_probe_and_the_remedy() -> None:
    strong = Surveyed("strong", ISOLATION, "the self-test got out: write beside the submission", "sudo fix", None)
    medium = Surveyed("medium", None, "the kernel has no Landlock", "", None)
    text = diagnosis((strong, medium, WEAK), {"system": "x"})
    assert "strong      does not work" in text
    assert "  OPEN      write beside the submission: 1" in text
    assert "  remedy    sudo fix" in text
    assert "1 of 2 ways out tried and shut" in text
    assert text.endswith("your own can, with --trust.")


def test_no_line_is_wider_than_a_terminal() -> None:
    text = diagnosis(survey(), {"system": "Linux " * 40})
    assert max(len(line) for line in text.splitlines() if not line.startswith("  remedy")) < 80


def test_a_command_stays_in_one_line() -> None:
    command = "sudo " + "word " * 40 + "end"
    text = diagnosis((Surveyed("strong", None, "why", command, None), WEAK), {})
    assert f"  remedy    {command}" in text.splitlines()


@pytest.mark.box
def test_the_command_tries_this_machine_and_leaves_with_its_status() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "audio_encoder_checker", "--doctor"], capture_output=True, text=True, check=False
    )
    usable = any(one.box for one in survey()[:-1])
    assert done.returncode == (0 if usable else 3)
    assert done.stdout.splitlines()[0].startswith("strong ")
    assert done.stderr == ""
