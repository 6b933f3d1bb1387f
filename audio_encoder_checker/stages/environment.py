"""Where the encoder runs: in the environment of the checker, or in one made of its own requirements."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from audio_encoder_checker.archive.distributions import known
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


def not_installed(facts: InstallFacts | None, required: RequirementFacts | None, raised: Raised | None) -> str:
    """Why a module may be missing that the organisers will have; empty where it cannot be told, or is not so.

    Args:
        facts: what was installed, if `--install` was asked for.
        required: what the submission says is to be installed.
        raised: how the encoder failed.
    """
    module = raised.missing_module if raised else ""
    if raised is None or not module:
        return ""
    if facts is None:
        whole = f"'{module}'" in raised.message  # and not a part of what is installed
        return _required_but_absent(module, required) if whole else ""
    lines = [one for one in facts.refused if not one.option]
    return f"'{module}' may come with {lines[0].at}, which was not installed: {lines[0].reason}" if lines else ""


def _required_but_absent(module: str, required: RequirementFacts | None) -> str:
    """That the encoder runs in the checker's own environment, which lacks what the submission does require."""
    wanted = {canonicalize_name(name) for name in (*known().providers(module), module)}
    for one in required.required if required else ():
        if one.counts and not wanted.isdisjoint(known().brought([one.name])):
            return f"'{module}' comes with {one.at} and is not installed here; `pip install {one.name}`, or `--install`"
    return ""
