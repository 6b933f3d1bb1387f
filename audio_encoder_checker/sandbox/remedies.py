"""The one command that would make a tier work, from what was seen on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

INSTALL = {
    **dict.fromkeys(("debian", "ubuntu"), "sudo apt-get install bubblewrap"),
    **dict.fromkeys(("fedora", "rhel", "centos"), "sudo dnf install bubblewrap"),
    "arch": "sudo pacman -S bubblewrap",
    "alpine": "apk add bubblewrap",
    "suse": "sudo zypper install bubblewrap",
}
"""By ID or ID_LIKE of /etc/os-release."""
PROFILE = r"abi <abi/4.0>,\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n}\n"
"""Of AppArmor: bubblewrap may make user namespaces, all other programs still may not."""
SWITCHES = (
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        f"printf '{PROFILE}' | sudo tee /etc/apparmor.d/bwrap && sudo systemctl reload apparmor",
    ),
    ("kernel/unprivileged_userns_clone", "0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=15000"),
)
"""Kernel settings that refuse namespaces to ordinary users: name, the value that refuses, the command that helps.

The first is Ubuntu's since 23.10, the second old Debian's, the third Red Hat's hardening.
"""
ELSEWHERE = "check it on a Linux machine of your own; code of your own may run here: aecc-check --trust SUBMISSION"
NOTEBOOKS = {"COLAB_RELEASE_TAG": "Colab", "KAGGLE_KERNEL_RUN_TYPE": "Kaggle"}


@dataclass(frozen=True)
class Facts:
    """What decides which command helps.

    Attributes:
        system: `linux`, `darwin` or `win32`.
        distributions: ID and ID_LIKE of /etc/os-release.
        container: whether we run in Docker, Podman or Kubernetes.
        notebook: `Colab` or `Kaggle`, may be empty.
        refusing: the command that helps against each refusing kernel setting.
    """

    system: str = "linux"
    distributions: tuple[str, ...] = ()
    container: bool = False
    notebook: str = ""
    refusing: tuple[str, ...] = ()


def gather(system: str, root: Path = Path("/")) -> Facts:
    """Read the facts of this machine.

    Args:
        system: `sys.platform`.
        root: where its files are.
    """
    return Facts(
        system=system,
        distributions=_distributions(_read(root / "etc/os-release")),
        container=(root / ".dockerenv").exists()
        or (root / "run/.containerenv").exists()
        or "KUBERNETES_SERVICE_HOST" in os.environ,
        notebook=next((name for variable, name in NOTEBOOKS.items() if variable in os.environ), ""),
        refusing=tuple(command for name, no, command in SWITCHES if _read(root / "proc/sys" / name) == no),
    )


def remedy(tier: str, why: str, facts: Facts) -> str:
    """The command that would make a tier work; empty where nothing helps.

    Args:
        tier: `strong` or `medium`.
        why: why it does not work, as `choose.py` found.
        facts: of this machine.
    """
    if facts.system != "linux":
        return "wsl --install" if facts.system == "win32" else "docker run -it --privileged -v .:/work python:3.11 bash"
    if facts.notebook:
        return ELSEWHERE  # namespaces are refused on purpose there, and nobody inside can change it
    if why.startswith("bubblewrap is not installed"):
        return next((INSTALL[name] for name in facts.distributions if name in INSTALL), "install bubblewrap")
    if tier == "strong" and facts.container:
        options = "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        return f"docker run {options} --security-opt systempaths=unconfined ..."
    return facts.refusing[0] if tier == "strong" and facts.refusing else ""


def _distributions(text: str) -> tuple[str, ...]:
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return tuple(f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
