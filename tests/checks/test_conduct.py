"""AEC01x and AEC02x on literals."""

from __future__ import annotations

import pytest

from audio_encoder_checker.checks import conduct as checks
from audio_encoder_checker.evidence.run import Attempt, AttemptKind
from tests.literals import conduct

CONNECT, LOOK_UP, WRITE, CALL = AttemptKind.CONNECT, AttemptKind.LOOK_UP, AttemptKind.WRITE, AttemptKind.CALL


def tried(kind: AttemptKind, *targets: str, stage: str = "load") -> tuple[Attempt, ...]:
    return tuple(Attempt(kind, target, 1, stage) for target in targets)


def test_good_conduct_triggers_nothing() -> None:
    good = conduct()
    for check in (
        checks.network_attempt,
        checks.write_outside_scratch,
        checks.hostile_act,
        checks.processes_left_behind,
        checks.exit_blocked,
        checks.control_characters,
    ):
        assert list(check(good)) == []


def test_AEC010_names_what_was_to_be_reached_for_each_stage() -> None:
    attempts = tried(LOOK_UP, "huggingface.co") + tried(CONNECT, "1.2.3.4:443", stage="contract")
    load, contract = checks.network_attempt(conduct(attempts=attempts))
    assert load.message == "tried to reach huggingface.co in the load stage"
    assert contract.message.startswith("tried to reach 1.2.3.4:443 in the contract stage: a call")


def test_AEC010_names_five_targets_and_counts_the_rest() -> None:
    attempts = tried(LOOK_UP, *(f"host{n}.org" for n in range(8)))
    (problem,) = checks.network_attempt(conduct(attempts=attempts))
    assert "host4.org and 3 more" in problem.message


def test_AEC011_shows_paths_of_the_repository_from_its_root() -> None:
    (problem,) = checks.write_outside_scratch(conduct(attempts=tried(WRITE, "/w/repo/cache/x.bin", "/opt/y")))
    assert problem.message == "tried to write cache/x.bin, /opt/y"


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (CALL, "ptrace"),
        (WRITE, "/proc/sys/kernel/core_pattern"),
        (WRITE, "/etc/cron.d/job"),
        (WRITE, "/home/anna/.ssh/authorized_keys"),
        (WRITE, "/root/.bashrc"),
        (WRITE, "/usr/bin/python3"),
        (WRITE, "/dev/sda1"),
        (CONNECT, "169.254.169.254:80"),
        (CONNECT, "/var/run/docker.sock"),
        (CONNECT, "/run/user/1000/bus"),
    ],
)
def test_AEC012_tells_an_attack_and_no_other_check_does(kind: AttemptKind, target: str) -> None:
    facts = conduct(attempts=tried(kind, target))
    (problem,) = checks.hostile_act(facts)
    assert target in problem.message
    assert not [*checks.network_attempt(facts), *checks.write_outside_scratch(facts)]


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (WRITE, "/usr/lib/python3/dist-packages/numba/__pycache__/x.nbi"),
        (WRITE, "/root/.pyenv/versions/3.11/lib/python3.11/site-packages/x"),
        (WRITE, "/root/.cache/huggingface/x"),
        (WRITE, "/content/cache"),
        (CONNECT, "127.0.0.1:29500"),
        (LOOK_UP, "huggingface.co"),
    ],
)
def test_AEC012_takes_an_accident_for_no_attack(kind: AttemptKind, target: str) -> None:
    facts = conduct(attempts=tried(kind, target))
    assert list(checks.hostile_act(facts)) == []
    assert len([*checks.network_attempt(facts), *checks.write_outside_scratch(facts)]) == 1


def test_AEC020_to_022_say_what_was_left() -> None:
    facts = conduct(left_behind=("sleep 99",), exit_blocked_by="an exit handler", control_characters=3)
    assert next(checks.processes_left_behind(facts)).message == "processes that still ran at the end: 1 (sleep 99)"
    assert "because of an exit handler" in next(checks.exit_blocked(facts)).message
    assert next(checks.control_characters(facts)).message.startswith(
        "control characters in the last 16 KiB of the output: 3"
    )
