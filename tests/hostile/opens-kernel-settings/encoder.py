"""Opens core_pattern and other settings of the kernel for writing; writes nothing."""

import contextlib
import os

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/proc/self/oom_score_adj", "/dev/kmsg"):
            with contextlib.suppress(OSError):
                os.close(os.open(path, os.O_WRONLY))
                print("opened", path)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
