"""The official template before anybody has worked on it: random numbers, and a hop in ms taken for seconds."""

import torch


class RandomModel(torch.nn.Module):
    def __init__(self, sampling_rate, output_dim, hop_size_in_ms):
        super().__init__()
        self.sampling_rate = sampling_rate
        self.output_dim = output_dim
        self.hop_size_in_ms = hop_size_in_ms

    def forward(self, audio):
        frames = int(audio.shape[1] / self.sampling_rate / self.hop_size_in_ms)
        return torch.randn(audio.shape[0], frames, self.output_dim)


class MyEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 128
        self.hop_size_in_ms = 40
        self.model = RandomModel(self.sampling_rate, self.output_dim, self.hop_size_in_ms)

    def forward(self, audio):
        if audio.ndim == 1:
            audio = audio.unsqueeze(0)
        self.model.eval()
        with torch.inference_mode():
            return self.model(audio)
