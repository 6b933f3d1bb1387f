"""Returns complex numbers."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        output = torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4].contiguous()
        return output.to(torch.complex64)
