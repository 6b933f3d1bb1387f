"""data2vec as in the official baseline: the extractor takes the batch for one clip; long audio is cut every 10 s."""

from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import AutoFeatureExtractor, Data2VecAudioModel

MODEL = Path(__file__).parent / "model"


class Data2VecEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.hop_size_in_ms = 20
        self.longest = 10 * self.sampling_rate
        self.feature_extractor = AutoFeatureExtractor.from_pretrained(MODEL)
        self.model = Data2VecAudioModel.from_pretrained(MODEL)
        self.output_dim = self.model.config.hidden_size
        self.model.eval()

    def encode(self, audio):
        inputs = self.feature_extractor(audio.cpu(), sampling_rate=self.sampling_rate, return_tensors="pt")
        values = inputs.input_values.squeeze()
        if values.ndim == 1:
            values = values.unsqueeze(0)
        return self.model(values.to(self.model.device)).last_hidden_state

    @torch.no_grad()
    def forward(self, audio):
        if audio.ndim == 1:
            audio = audio.unsqueeze(0)
        if audio.shape[-1] <= self.longest:
            return self.encode(audio)
        outputs = []
        for piece in audio.split(self.longest, dim=-1):
            missing = max(0, self.sampling_rate - piece.shape[-1])
            outputs.append(self.encode(F.pad(piece, (0, missing))))
        return torch.cat(outputs, dim=1)
