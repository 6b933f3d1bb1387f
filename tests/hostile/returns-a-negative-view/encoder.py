"""Returns views that numpy cannot show: conjugated, negated and zero-dimensional strides."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        output = torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4].contiguous()
        return torch.complex(-output, output).conj().imag.mul(-1).neg()
