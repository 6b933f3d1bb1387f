import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 32
        self.hop_size_in_ms = 10
        self.first = torch.nn.Conv1d(1, 32, 160, stride=160)
        self.layers = torch.nn.Sequential(
            *(layer for _ in range(8) for layer in (torch.nn.Linear(32, 32, bias=False), torch.nn.Tanh()))
        )
        for layer in self.layers[::2]:
            torch.nn.init.orthogonal_(layer.weight)

    def forward(self, audio):
        audio = torch.nn.functional.pad(audio, (0, max(0, 160 - audio.shape[-1])))
        return self.layers(self.first(audio.unsqueeze(1)).transpose(1, 2)).detach()
