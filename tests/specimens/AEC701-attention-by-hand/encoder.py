import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 64
        self.hop_size_in_ms = 40
        self.patches = torch.nn.Conv1d(1, 64, 640, stride=640)
        self.projections = torch.nn.Linear(64, 192)
        self.requires_grad_(False)

    def forward(self, audio):
        audio = torch.nn.functional.pad(audio, (0, max(0, 640 - audio.shape[-1])))
        x = self.patches(audio.unsqueeze(1)).transpose(1, 2)
        query, key, value = (
            part.unflatten(-1, (16, 4)).transpose(1, 2) for part in self.projections(x).chunk(3, dim=-1)
        )
        scores = query @ key.transpose(-2, -1)  # [B, heads, frames, frames]
        return x + (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
