"""Changes mode, times, owner, length, name and links of a file that is not its own."""

import contextlib
import os

import torch
from aim import FOLDER


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        secret = os.path.join(FOLDER, "secret")
        for change in (
            lambda: os.chmod(secret, 0o4777),
            lambda: os.utime(secret, (0, 0)),
            lambda: os.chown(secret, 12345, 12345),
            lambda: os.setxattr(secret, "user.hostile", b"was here"),
            lambda: os.truncate(secret, 0),
            lambda: os.rename(secret, secret + "-taken"),
            lambda: os.link(secret, os.path.join(os.environ["TMPDIR"], "hard-link")),
            lambda: os.unlink(secret),
        ):
            with contextlib.suppress(OSError):
                change()

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
