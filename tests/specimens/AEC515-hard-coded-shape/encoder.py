import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10

    def forward(self, audio):
        return audio.reshape(2, 50000)[:, :49920].reshape(2, 312, 160)[:, :, :4]
