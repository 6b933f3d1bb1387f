"""Silero VAD v6, a voice activity detector: its recurrent state, 128 dimensions every 32 ms.

Weights: PyPI silero-vad==6.2.3, MIT. They are read from silero_vad.jit (the safetensors file of that wheel holds
others), and the 16 kHz branch is built again in plain torch, so that a whole batch runs at once.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - its name in every torch program
from torch import Tensor

CHUNK, CONTEXT = 512, 64
CONVS = ((129, 128, 1), (128, 64, 2), (64, 64, 2), (64, 128, 1))  # inputs, outputs, stride


class SileroVadEncoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 128
        self.hop_size_in_ms = 32
        state = torch.jit.load(str(_weights()), map_location="cpu").state_dict()  # type: ignore[no-untyped-call]  # torch ships it without types
        self.stft = torch.nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.stft.weight.data = state["_model.stft.forward_basis_buffer"]
        self.convs = torch.nn.ModuleList(torch.nn.Conv1d(i, o, 3, stride=s, padding=1) for i, o, s in CONVS)
        for k, conv in enumerate(self.convs):
            conv.load_state_dict(
                {name: state[f"_model.encoder.{k}.reparam_conv.{name}"] for name in ("weight", "bias")}
            )
        self.lstm = torch.nn.LSTM(128, 128, batch_first=True)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self.lstm.load_state_dict({f"{name}_l0": state[f"_model.decoder.rnn.{name}"] for name in names})
        self.eval()

    @torch.inference_mode()
    def forward(self, audio: Tensor) -> Tensor:
        audio = audio.reshape(-1, audio.shape[-1])
        chunks = max(1, -(-audio.shape[1] // CHUNK))
        padded = F.pad(audio, (CONTEXT, chunks * CHUNK - audio.shape[1]))
        x = padded.unfold(1, CHUNK + CONTEXT, CHUNK).flatten(0, 1)[:, None]  # [B T, 1, 576]
        x = self.stft(F.pad(x, (0, 64), mode="reflect"))
        x = torch.sqrt(x[:, :129].square() + x[:, 129:].square())
        for conv in self.convs:
            x = torch.relu(conv(x))
        states: Tensor = self.lstm(x.reshape(len(audio), chunks, 128))[0]
        return states


def _weights() -> Path:
    spec = find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("pip install --no-deps silero-vad==6.2.3")
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad.jit"
