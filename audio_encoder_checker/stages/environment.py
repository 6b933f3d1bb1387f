"""Where the encoder runs: in the environment of the checker, or in one made of its own requirements."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from audio_encoder_checker.evidence.installing import InstallFacts, TargetDifferences
from audio_encoder_checker.evidence.requirements import RequirementFacts
from audio_encoder_checker.judging import NOT_ASKED
from audio_encoder_checker.sandbox.box import Interpreter
from audio_encoder_checker.sandbox.host import own_interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audio_encoder_checker.evidence.run import Raised
    from audio_encoder_checker.stages.job import Job


@contextmanager
def environment_for(job: Job) -> Iterator[Interpreter]:
    """The interpreter for an encoder; what it can import is put into evidence.

    Raises:
        MachineError: this machine cannot make the environment that was asked for.
        UsageError: the list of constraints is not there.
    """
    wishes = job.options.installing
    if not wishes.asked:
        job.evidence.miss(NOT_ASKED, InstallFacts, TargetDifferences)
        yield own_interpreter()
        return
    from audio_encoder_checker.installing.differences import target_constraints
    from audio_encoder_checker.installing.environment import Wishes, installed
    from audio_encoder_checker.installing.requirements import lines_of

    machine = job.rules.budget.machine.name
    wanted = Wishes(
        lines=lines_of(job.evidence.get(RequirementFacts) or RequirementFacts()),
        constraint=wishes.constraint,
        allow_source=wishes.allow_source,
        machine=machine,
        target=target_constraints(machine),
        progress=job.progress,
    )
    with ExitStack() as use:
        with job.stage("install"):
            environment = use.enter_context(installed(wanted))
        job.evidence.put(environment.facts, environment.differences)
        yield Interpreter(str(environment.python), tuple(map(str, environment.binds)), environment.facts.key)


def not_installed(facts: InstallFacts | None, raised: Raised | None) -> str:
    """Why a module may be missing that the organisers will have: a line that was not installed here; else empty."""
    lines = [one for one in facts.refused if not one.option] if facts else []
    if not lines or raised is None or not raised.missing_module:
        return ""
    return f"'{raised.missing_module}' may come with {lines[0].at}, which was not installed: {lines[0].reason}"
