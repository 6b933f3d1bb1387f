"""Works once, and downloads when it is called again; goes on without what did not come."""

import contextlib
import urllib.request

import torch
from aim import TCP_PORT


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10
    calls = 0

    def forward(self, audio):
        self.calls += 1
        with contextlib.suppress(OSError):
            if self.calls == 2:
                urllib.request.urlopen(f"http://127.0.0.1:{TCP_PORT}/", timeout=2).read()
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
