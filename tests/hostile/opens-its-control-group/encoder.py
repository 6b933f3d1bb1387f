"""Opens the files with which it would leave its control group; writes nothing."""

import contextlib
import os

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for folder in ("", "memory", "pids", "unified"):
            for name in ("cgroup.procs", "release_agent", "memory.limit_in_bytes", "memory.max"):
                with contextlib.suppress(OSError):
                    os.close(os.open(os.path.join("/sys/fs/cgroup", folder, name), os.O_WRONLY))
                    print("opened", folder, name)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
