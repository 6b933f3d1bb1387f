import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 8
        self.hop_size_in_ms = 10
        self.wide = torch.nn.Conv1d(1, 194, 9, padding=4)  # every sample, 194 times
        self.narrow = torch.nn.Conv1d(194, 8, 160, stride=160)
        self.requires_grad_(False)

    def forward(self, audio):
        audio = torch.nn.functional.pad(audio, (0, max(0, 160 - audio.shape[-1])))
        x = self.wide(audio.unsqueeze(1))
        return self.narrow(torch.tanh(x)).transpose(1, 2)
