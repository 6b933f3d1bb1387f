"""Weighs the audio by a gradient, which inference mode does not allow."""

import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16_000
        self.output_dim = 16
        self.hop_size_in_ms = 20

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            heard = audio.detach().clone().requires_grad_()
            (weight,) = torch.autograd.grad(heard.square().sum(), heard)
        audio = audio * (1 + weight.abs())
        audio = torch.nn.functional.pad(audio, (0, -audio.shape[1] % 320))
        frames = torch.nn.functional.avg_pool1d(audio.unfold(1, 320, 320).abs(), 20)
        return frames
