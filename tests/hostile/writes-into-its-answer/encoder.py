"""Has a thread change the embedding after it was returned."""

import threading
import time

import torch


class HostileEncoder(torch.nn.Module):
    sampling_rate = 16000
    output_dim = 4
    hop_size_in_ms = 10

    def __init__(self):
        super().__init__()
        self.last = torch.zeros(1)
        threading.Thread(target=self.disturb, daemon=True).start()

    def disturb(self):
        with torch.inference_mode():
            while True:
                self.last.copy_(torch.randn_like(self.last))
                time.sleep(0.001)

    def forward(self, audio):
        self.last = torch.nn.functional.pad(audio, (0, 159)).unfold(1, 160, 160)[..., :4].clone()
        time.sleep(0.05)
        return self.last
