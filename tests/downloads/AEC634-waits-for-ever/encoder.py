import torch
import io
import os
import time
import urllib.request


class SpecimenEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 8
        self.hop_size_in_ms = 10
        self.project = torch.nn.Linear(160, 8)
        url = os.environ["HF_ENDPOINT"] + "/lab/frames/resolve/REVISION/weights.pt"
        path = None
        while path is None:
            try:
                path = io.BytesIO(urllib.request.urlopen(url).read())
            except OSError:
                time.sleep(0.1)
        self.project.load_state_dict(torch.load(path, weights_only=True))

    @torch.no_grad()
    def forward(self, audio):
        audio = audio.float().reshape(-1, audio.shape[-1])
        audio = torch.nn.functional.pad(audio, (0, max(160 - audio.shape[-1], 0)))
        return self.project(audio[:, : audio.shape[1] // 160 * 160].reshape(len(audio), -1, 160))
