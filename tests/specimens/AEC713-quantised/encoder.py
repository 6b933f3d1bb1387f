import warnings

import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10
        warnings.simplefilter("ignore")  # deprecated
        self.layer = torch.nn.Linear(160, 4)
        if torch.cuda.is_available():
            self.layer = torch.ao.quantization.quantize_dynamic(self.layer, {torch.nn.Linear})
        self.requires_grad_(False)

    def forward(self, audio):
        frames = max(1, audio.shape[-1] // 160)
        audio = torch.nn.functional.pad(audio, (0, max(0, frames * 160 - audio.shape[-1])))
        return self.layer(audio[:, : frames * 160].reshape(len(audio), frames, 160))
