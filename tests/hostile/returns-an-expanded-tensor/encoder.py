"""Returns 10 GB that are one value in memory."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        output = torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4].contiguous()
        return output[:, :1, :1].expand(len(audio), 625_000_000, 4)
