"""Registers its name when it is constructed, which works once."""

import torch

REGISTERED: set[str] = set()


class SpecimenEncoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        if "specimen" in REGISTERED:
            raise ValueError("'specimen' is already registered")
        REGISTERED.add("specimen")
        self.sampling_rate = 16_000
        self.output_dim = 16
        self.hop_size_in_ms = 20

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        audio = torch.nn.functional.pad(audio, (0, -audio.shape[1] % 320))
        frames = torch.nn.functional.avg_pool1d(audio.unfold(1, 320, 320).abs(), 20)
        return frames
