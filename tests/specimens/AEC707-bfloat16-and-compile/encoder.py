import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10
        self.layer = torch.nn.Linear(160, 4)
        self.requires_grad_(False)
        if torch.cuda.is_available():
            self.layer = torch.compile(self.layer.to(torch.bfloat16))

    def forward(self, audio):
        frames = max(1, audio.shape[-1] // 160)
        audio = torch.nn.functional.pad(audio, (0, max(0, frames * 160 - audio.shape[-1])))
        frames = audio[:, : frames * 160].reshape(len(audio), frames, 160)
        return self.layer(frames.to(self.layer.weight.dtype)).float()
