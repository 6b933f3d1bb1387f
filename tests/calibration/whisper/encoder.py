"""Whisper as in the official baseline: each piece of 10 s is padded to 30 s, and the hop is the spectrogram's."""

from pathlib import Path

import torch
from transformers import WhisperFeatureExtractor, WhisperModel

MODEL = Path(__file__).parent / "model"


class WhisperEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.feature_extractor = WhisperFeatureExtractor.from_pretrained(MODEL)
        self.model = WhisperModel.from_pretrained(MODEL).get_encoder()
        self.sampling_rate = self.feature_extractor.sampling_rate
        self.output_dim = self.model.config.d_model
        self.hop_size_in_ms = self.feature_extractor.hop_length / self.sampling_rate * 1000
        self.longest = 10 * self.sampling_rate
        self.eval()

    @torch.no_grad()
    def forward(self, audio):
        if audio.ndim == 1:
            audio = audio.unsqueeze(0)
        outputs = []
        for piece in audio.split(self.longest, dim=-1):
            clips = piece.cpu().numpy()
            inputs = self.feature_extractor(clips, sampling_rate=self.sampling_rate, return_tensors="pt")
            outputs.append(self.model(inputs.input_features.to(self.model.device)).last_hidden_state)
        return torch.cat(outputs, dim=1)
