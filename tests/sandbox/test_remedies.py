from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.sandbox.remedies import PROFILE, Facts, gather, remedy

if TYPE_CHECKING:
    from pathlib import Path

UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'


@pytest.mark.parametrize(
    ("tier", "why", "facts", "words"),
    [
        (
            "strong",
            "bubblewrap is not installed",
            Facts(distributions=("ubuntu", "debian")),
            "apt-get install bubblewrap",
        ),
        ("strong", "bubblewrap is not installed", Facts(distributions=("rocky", "rhel")), "dnf install bubblewrap"),
        ("strong", "does not start: no permissions", Facts(container=True), "seccomp=unconfined"),
        ("strong", "does not start: uid map", Facts(refusing=("sudo sysctl a=0",)), "sudo sysctl a=0"),
        ("strong", "does not start", Facts(notebook="Colab", container=True), "--trust"),
        ("strong", "this is Darwin", Facts(system="darwin"), "docker run"),
        ("strong", "this is Windows", Facts(system="win32"), "wsl --install"),
    ],
)
def test_the_command_fits_the_cause(tier: str, why: str, facts: Facts, words: str) -> None:
    assert words in remedy(tier, why, facts)


@pytest.mark.parametrize(
    ("tier", "why", "facts"),
    [
        ("medium", "the kernel has no Landlock", Facts(container=True, refusing=("sudo sysctl a=0",))),
        ("strong", "does not start", Facts()),
    ],
)
def test_where_nothing_helps_nothing_is_promised(tier: str, why: str, facts: Facts) -> None:
    assert remedy(tier, why, facts) == ""


def test_facts_are_read_from_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file, text in (
        ("etc/os-release", UBUNTU),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"),
        ("proc/sys/user/max_user_namespaces", "1000\n"),
        (".dockerenv", ""),
    ):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    assert gather("linux", tmp_path) == Facts(
        distributions=("ubuntu", "debian"),
        container=True,
        notebook="Colab",
        refusing=(f"printf '{PROFILE}' | sudo tee /etc/apparmor.d/bwrap && sudo systemctl reload apparmor",),
    )


def test_a_system_that_tells_nothing_gives_no_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(variable, raising=False)
    assert gather("linux", tmp_path) == Facts()
