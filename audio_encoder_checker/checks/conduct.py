"""AEC01x and AEC02x: what the encoder tried in the box beside answering, as the kernel told it."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import listed
from audio_encoder_checker.evidence.run import Attempt, AttemptKind, Conduct
from audio_encoder_checker.evidence.targets import gives_power
from audio_encoder_checker.findings import Problem, Severity

REPOSITORY = "/w/repo/"


@check("AEC010", severity=Severity.NOTE)
def network_attempt(conduct: Conduct) -> Iterator[Problem]:
    """The encoder reaches for the network.

    Downloading weights while the encoder is loaded is allowed; a version check or usage statistics slow the start and
    may fail on the organisers' machine. The box (the checker's sandbox) refused this: it lets through what asks for a
    host by its name, and nothing where it has no network.

    Fix: load from files in the repository, or download from a host by its name, over HTTPS.
    """
    tried = [
        a
        for a in conduct.attempts
        if a.kind in (AttemptKind.CONNECT, AttemptKind.LOOK_UP) and not gives_power(a.kind, a.target)
    ]
    for stage in dict.fromkeys(a.stage for a in tried):
        targets = listed([a.target for a in tried if a.stage == stage])
        late = "" if stage == "load" else ": a call of the encoder must not need the network"
        yield Problem(f"tried to reach {targets} in the {stage} stage{late}")


@check("AEC011", severity=Severity.NOTE)
def write_outside_scratch(conduct: Conduct) -> Iterator[Problem]:
    """The encoder writes where it may not.

    Only the temporary folder and the home folder are the encoder's; the organisers may mount the repository and
    the installed packages read-only. Here the write was refused.

    Fix: write to `tempfile.gettempdir()`, or give libraries their cache there (`NUMBA_CACHE_DIR`, `MPLCONFIGDIR`).
    """
    tried = [a for a in conduct.attempts if a.kind is AttemptKind.WRITE and not gives_power(a.kind, a.target)]
    if tried:
        yield Problem(f"tried to write {listed([a.target.removeprefix(REPOSITORY) for a in tried])}")


@check("AEC012")
def hostile_act(conduct: Conduct) -> Iterator[Problem]:
    """The encoder tries to get hold of the machine.

    An encoder needs no access to kernel settings, other programs and their memory, system and account files, or the
    controls of a container or cloud. The box (the checker's sandbox) refused it; organisers who see it will ask why.

    Fix: remove the code that does this; if a library does it, tell the organisers which one.
    """
    tried = [a for a in conduct.attempts if gives_power(a.kind, a.target)]
    for stage in dict.fromkeys(a.stage for a in tried):
        yield Problem(f"in the {stage} stage: {listed([_words(a) for a in tried if a.stage == stage])}")


@check("AEC020", severity=Severity.WARNING)
def processes_left_behind(conduct: Conduct) -> Iterator[Problem]:
    """Processes of the encoder go on when it is done.

    X-ARES constructs an encoder some fifty times; processes that nobody ends pile up until memory is full.

    Fix: end what you start: `process.terminate(); process.wait()`, or `with Pool() as pool:`.
    """
    if conduct.left_behind:
        names = listed(list(conduct.left_behind))
        yield Problem(f"processes that still ran at the end: {len(conduct.left_behind)} ({names})")


@check("AEC021", severity=Severity.WARNING)
def exit_blocked(conduct: Conduct) -> Iterator[Problem]:
    """Python cannot end after the encoder was used.

    Python waits for exit handlers and for threads that are not daemons; the organisers' run would hang at its end,
    with all scores computed and none written.

    Fix: start threads with `threading.Thread(..., daemon=True)`, or stop and join them when `forward` returns.
    """
    if conduct.exit_blocked_by:
        yield Problem(f"the interpreter did not end within 5 s because of {conduct.exit_blocked_by}")


@check("AEC022", severity=Severity.NOTE)
def control_characters(conduct: Conduct) -> Iterator[Problem]:
    """The output holds characters that steer a terminal.

    They clear the screen, move the cursor or turn the direction of text, and so hide other lines of the organisers'
    logs. Colours and progress bars are fine. In this report they are shown as escapes.

    Fix: print plain text, or nothing.
    """
    if conduct.control_characters:
        yield Problem(f"control characters in the last 16 KiB of the output: {conduct.control_characters}")


def _words(attempt: Attempt) -> str:
    verb = {AttemptKind.CALL: "called", AttemptKind.WRITE: "tried to write"}.get(attempt.kind, "tried to connect to")
    return f"{verb} {attempt.target}"
