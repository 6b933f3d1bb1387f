import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10
        self.register_buffer("kernels", torch.eye(4, 8)[:, None])

    def forward(self, audio):
        chunks = audio.split(160000, dim=1)
        outputs = [torch.nn.functional.conv1d(chunk[:, None], self.kernels, stride=160) for chunk in chunks]
        return torch.cat(outputs, dim=2).transpose(1, 2)
