"""A thread bomb."""

import contextlib
import threading
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        with contextlib.suppress(RuntimeError):
            for _ in range(3000):
                threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
        time.sleep(2)

    def forward(self, audio):
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
