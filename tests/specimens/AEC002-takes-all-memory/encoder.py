import time

import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10

    def forward(self, audio):
        held = []
        while True:
            held.append(torch.ones(1_000_000))
            time.sleep(0.001)
