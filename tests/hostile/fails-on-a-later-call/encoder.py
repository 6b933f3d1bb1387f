"""Works for a few calls and then no more."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10
    calls = 0

    def forward(self, audio):
        self.calls += 1
        if self.calls > 6:
            raise RuntimeError("trial period is over")
        return torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4]
