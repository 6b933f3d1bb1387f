"""Which of the things that an encoder may reach for give power over the machine, its accounts or its controls."""

from __future__ import annotations

import re

from audio_encoder_checker.evidence.run import AttemptKind

KERNEL = re.compile(r"/proc/(sys|sysrq-trigger|kcore|1)(/.*)?|/sys(/.*)?|/dev/(mem|kmem|port|[hsv]d.*|nvme.*|dm-.*)")
ACCOUNTS = re.compile(
    r"/etc/.*|/boot/.*|/var/spool/cron.*|/(home/[^/]+|root)/\.(ssh|bashrc|profile|bash_profile|zshrc)(/.*)?"
    r"|/(usr/)?(s?bin|lib\d*)/.*|/usr/local/s?bin/.*"
)
"""What belongs to the system or to somebody's account: no library writes there by accident."""
PACKAGES = re.compile(r".*/(site-packages|dist-packages|__pycache__|\.pyenv|\.venv|envs)(/.*)?")
"""Libraries do try to write beside themselves: caches, byte code."""
CONTROLS = re.compile(
    r".*/(docker|containerd|crio|podman)[^/]*\.sock|.*/(ssh-[^/]*/)?agent\.\d+|.*/\.X11-unix/.*"
    r"|/run/user/\d+/(bus|systemd/.*)|(/var)?/run/(dbus|systemd)/.*"
)
"""Unix sockets that give power over the machine or the user's session."""
METADATA = ("169.254.169.254:", "[fd00:ec2::254]:", "100.100.100.200:")
"""Where clouds keep a machine's credentials."""


def gives_power(kind: AttemptKind, target: str) -> bool:
    """Whether no encoder, and no library of one, has any business there."""
    if kind is AttemptKind.CALL:
        return True
    if kind is AttemptKind.WRITE:
        named = KERNEL.fullmatch(target) or ACCOUNTS.fullmatch(target)
        return named is not None and (PACKAGES.fullmatch(target) is None or target.startswith("/proc"))
    return target.startswith(METADATA) or CONTROLS.fullmatch(target) is not None
