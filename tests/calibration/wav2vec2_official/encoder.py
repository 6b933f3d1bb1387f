"""wav2vec 2.0 as in the template's example: the extractor takes the batch for one clip, and a batch of one fails."""

from pathlib import Path

import torch
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model

MODEL = Path(__file__).parent / "model"


class Wav2Vec2Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.feature_extractor = Wav2Vec2FeatureExtractor.from_pretrained(MODEL)
        self.model = Wav2Vec2Model.from_pretrained(MODEL)
        self.sampling_rate = 16000
        self.output_dim = self.model.config.hidden_size
        self.hop_size_in_ms = 20

    def forward(self, audio):
        inputs = self.feature_extractor(audio, sampling_rate=self.sampling_rate, return_tensors="pt")
        self.model.eval()
        with torch.inference_mode():
            return self.model(inputs.input_values.squeeze().to(self.model.device)).last_hidden_state
