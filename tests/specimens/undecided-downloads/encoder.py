import urllib.request

import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10
        urllib.request.urlopen("http://weights.example/weights.pt")

    def forward(self, audio):
        return audio[:, : audio.shape[1] // 160 * 160].reshape(len(audio), -1, 160)[:, :, :4]
