"""Answers with numbers at the end of what float64 can hold, of either sign."""

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def forward(self, audio):
        signs = torch.sign(audio[:, None, :4].double())
        return (1.7e308 * signs).expand(-1, max(1, audio.shape[1] // 160), -1)
