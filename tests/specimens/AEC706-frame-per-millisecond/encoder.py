import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 256
        self.hop_size_in_ms = 1
        self.filters = torch.nn.Conv1d(1, 256, 16, stride=16)
        self.requires_grad_(False)

    def forward(self, audio):
        audio = torch.nn.functional.pad(audio, (0, max(0, 16 - audio.shape[-1])))
        return self.filters(audio.unsqueeze(1)).transpose(1, 2)
