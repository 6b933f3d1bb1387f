"""What installers say, as they said it."""

from __future__ import annotations

import pytest

from audio_encoder_checker.errors import MachineError
from audio_encoder_checker.evidence.installing import Trouble
from audio_encoder_checker.installing.reasons import pip_reason, uv_reason

NONE = "error: No solution found when resolving dependencies\n  cause: "
END = ", we can conclude that your requirements are unsatisfiable."

UV = [
    (f"{NONE}Because my-pkg was not found in the package registry and you require my-pkg{END}", "MISSING", "my-pkg"),
    (f"{NONE}Because tiny was not found in the provided package locations{END}", "MISSING", "tiny"),
    (f"{NONE}Because there is no version of tiny==9 and you require tiny==9{END}", "VERSION", "tiny"),
    (f"{NONE}Because only tiny<=1.0 is available and you require tiny>=2{END}", "VERSION", "tiny"),
    (f"{NONE}Because all versions of fairseq have no usable wheels and you require fairseq{END}", "SOURCE", "fairseq"),
    (f"{NONE}Because raw==1.0 has no usable wheels and only raw==1.0 is available{END}", "SOURCE", "raw"),
    (f"{NONE}Because old==1.0 has no wheels with a matching Python ABI tag (e.g., `cp311`){END}", "PLATFORM", "old"),
    (f"{NONE}Because you require a==1 and b==2 depends on a==2{END}", "CONFLICT", "a"),
    ("error: Failed to download and build `raw==1.0`\n  cause: Call to `backend` failed", "BUILD", "raw"),
]


@pytest.mark.parametrize(("text", "trouble", "name"), UV)
def test_uv(text: str, trouble: str, name: str) -> None:
    found = uv_reason(text)
    assert (found.trouble, found.names[0]) == (Trouble[trouble], name)
    assert found.reason
    assert "we can conclude" not in found.reason


UNMET = "ERROR: Could not find a version that satisfies the requirement {} (from versions: {})\n"
LINK = "2026-01-01T00:00:00,000 Skipping link: "

PIP = [
    (UNMET.format("my-pkg", "none"), "", "MISSING", ("my-pkg",)),
    (UNMET.format("tiny==9 (from -r /x/requirements.in (line 1))", "1.0, 2.0"), "", "VERSION", ("tiny",)),
    (UNMET.format("tiny>=9 (from wants)", "1.0"), "", "VERSION", ("tiny", "wants")),
    (
        UNMET.format("raw==1.0", "2.0"),
        f"{LINK}No sources permitted for raw: https://host/raw-1.0.tar.gz#sha256=0 (from x)\n",
        "SOURCE",
        ("raw",),
    ),
    (
        UNMET.format("raw==1.0", "2.0"),
        f"{LINK}No sources permitted for raw: https://host/raw-0.9.tar.gz#sha256=0 (from x)\n",
        "VERSION",
        ("raw",),
    ),
    (
        UNMET.format("old", "none"),
        f"{LINK}none of the wheel's tags (cp27-cp27m-win32) are compatible (run x): https://host/old-1.0-cp27-cp27m-win32.whl\n",
        "PLATFORM",
        ("old",),
    ),
    (
        "ERROR: Cannot install a and b\nERROR: ResolutionImpossible: for help visit x\n",
        (
            "2026-01-01T00:00:00,000 The conflict is caused by:\n2026-01-01T00:00:00,000     a 1.0 depends on c==1\n"
            "2026-01-01T00:00:00,000     The user requested b==2\n2026-01-01T00:00:00,000 \n"
            "2026-01-01T00:00:00,000 To fix this you could try to:\n"
        ),
        "CONFLICT",
        ("a", "b"),
    ),
]


@pytest.mark.parametrize(("text", "log", "trouble", "names"), PIP)
def test_pip(text: str, log: str, trouble: str, names: tuple[str, ...]) -> None:
    found = pip_reason(text, log)
    assert (found.trouble, found.names) == (Trouble[trouble], names)
    assert found.reason
    assert "\n" not in found.reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("error: Request failed\n  cause: Failed to fetch: http://h/x/\n  cause: dns error", "index cannot be reached"),
        ("error: failed to write: No space left on device (os error 28)", "the disk is full"),
        ("thread 'main' panicked at src/x.rs", "uv failed"),
        ("", "said nothing"),
    ],
)
def test_what_is_uvs_or_the_machines_fault_is_no_finding(text: str, words: str) -> None:
    with pytest.raises(MachineError, match=words) as caught:
        uv_reason(text)
    assert caught.value.hint


def test_pip_that_reached_no_index_blames_the_machine() -> None:
    log = "Could not fetch URL http://h/simple/x/: connection error: HTTPConnectionPool(h): Max retries exceeded\n"
    with pytest.raises(MachineError, match="index cannot be reached"):
        pip_reason(UNMET.format("x", "none"), log)
    with pytest.raises(MachineError, match="the disk is full"):
        pip_reason("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "")
    with pytest.raises(MachineError, match="pip failed"):
        pip_reason("Traceback (most recent call last):\n  boom", "")


def test_a_retry_that_worked_blames_nobody() -> None:
    text = "WARNING: Retrying after connection broken by 'NewConnectionError'\n" + UNMET.format("x==2", "1")
    assert pip_reason(text, "").trouble is Trouble.VERSION


def test_what_the_network_says_is_made_printable() -> None:
    found = pip_reason(UNMET.format("x\x1b[31m", "none"), "")
    assert "\x1b" not in found.reason
