"""Google's speech_embedding, as wake words use it: 96 dimensions for 775 ms every 80 ms, run by onnxruntime.

Weights: two ONNX files of PyPI openwakeword==0.4.0, Apache-2.0; later versions download theirs.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped,import-not-found,unused-ignore]  # no stubs, or not there
import torch
from torch import Tensor

HOP = 1280  # samples
WINDOW = 76  # mel frames of 10 ms, 8 a hop
LEFT = 4 * HOP  # centres the window by whole hops


class SpeechEmbeddingEncoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 96
        self.hop_size_in_ms = 80
        self._mel = _session("melspectrogram.onnx")
        self._embedding = _session("embedding_model.onnx")
        self.eval()

    @torch.inference_mode()
    def forward(self, audio: Tensor) -> Tensor:
        x = audio.reshape(-1, audio.shape[-1]).cpu().float().numpy()
        count = max(1, -(-x.shape[1] // HOP))
        x = np.pad(x, ((0, 0), (LEFT, WINDOW * 160 + 480 + count * HOP - LEFT - x.shape[1])))
        pcm = np.clip(np.round(x * 32767), -32768, 32767).astype(np.float32)
        embedded = []
        for row in pcm:
            mel = self._mel.run(None, {"input": row[None]})[0].reshape(-1, 32) / 10 + 2
            windows = np.stack([mel[8 * i : 8 * i + WINDOW] for i in range(count)])[..., None].astype(np.float32)
            embedded.append(self._embedding.run(None, {"input_1": windows})[0].reshape(count, 96))
        return torch.from_numpy(np.stack(embedded)).to(audio.device)


def _session(name: str) -> onnxruntime.InferenceSession:
    spec = find_spec("openwakeword")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("pip install --no-deps openwakeword==0.4.0")
    path = Path(spec.submodule_search_locations[0]) / "resources" / "models" / name
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
