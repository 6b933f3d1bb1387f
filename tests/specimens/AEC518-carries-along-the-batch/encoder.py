"""Adds to every clip what it heard in the one before it."""

import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16_000
        self.output_dim = 16
        self.hop_size_in_ms = 20

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        audio = torch.nn.functional.pad(audio, (0, -audio.shape[1] % 320))
        frames = torch.nn.functional.avg_pool1d(audio.unfold(1, 320, 320).abs(), 20)
        before = torch.cat([torch.zeros_like(frames[:1]), frames[:-1]])
        return frames + 0.5 * before
