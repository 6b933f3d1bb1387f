import torch


class SpecimenEncoder:
    def __init__(self):
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10

    def forward(self, audio):
        return torch.zeros(len(audio), 10, 4)

    __call__ = forward
