import numpy as np
import torch


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 10
        time = np.arange(1024) / 16000
        decay = np.exp(-60 * time)
        self.filters = [decay * np.cos(2 * np.pi * pitch * time) for pitch in (600,)]

    def forward(self, audio):
        audio = torch.nn.functional.pad(audio, (0, max(0, 160 - audio.shape[-1])))
        clips = []
        for clip in audio.cpu().numpy():
            bands = [np.convolve(clip, one)[: len(clip)] for one in self.filters]
            clips.append(np.sum(bands, 0)[: len(clip) // 160 * 160].reshape(-1, 160)[:, :4])
        return torch.tensor(np.stack(clips), dtype=torch.float32, device=audio.device)
