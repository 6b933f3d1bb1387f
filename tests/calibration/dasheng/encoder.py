"""Dasheng, a transformer over patches of 40 ms of a mel spectrogram, in plain torch: its package needs torchaudio."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

WEIGHTS = Path(__file__).parent / "model" / "model.safetensors"
RATE, FFT, HOP, BANDS = 16000, 512, 160, 64
PATCH = 4  # spectra
LONGEST = 252  # patches that have a position: 10.08 s


class LogMel(nn.Module):
    """Decibels of 64 mel bands every 10 ms, no more than 120 dB below the loudest of the batch."""

    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(FFT), persistent=False)
        self.register_buffer("bank", mel_bank(), persistent=False)

    def forward(self, audio):
        spectrum = torch.stft(audio, FFT, HOP, window=self.window, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        decibels = 10 * (self.bank @ power).clamp(min=1e-10).log10()
        return torch.maximum(decibels, decibels.amax() - 120)


def mel_bank():
    """Triangles `[bands, bins]` at equal steps of the HTK mel scale."""
    top = 2595 * math.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, BANDS + 2) / 2595) - 1)
    bins = torch.linspace(0, RATE / 2, FFT // 2 + 1)
    widths = edges.diff()
    rising = (bins - edges[:-2, None]) / widths[:-1, None]
    falling = (edges[2:, None] - bins) / widths[1:, None]
    return torch.minimum(rising, falling).clamp(min=0)


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        batch, length, dim = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, dim // self.heads)
        attended = F.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4))
        x = x + self.proj(attended.transpose(1, 2).reshape(batch, length, dim))
        return x + self.mlp(self.norm2(x))


class Dasheng(nn.Module):
    def __init__(self, dim=64, depth=2, heads=2):
        super().__init__()
        self.front_end = LogMel()
        self.init_bn = nn.BatchNorm1d(BANDS)
        self.patch_embed = nn.Conv1d(BANDS, dim, PATCH, stride=PATCH)
        self.time_pos_embed = nn.Parameter(torch.randn(1, LONGEST, dim) * 0.02)
        self.freq_pos_embed = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.blocks = nn.Sequential(*(Block(dim, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, audio):
        patches = self.patch_embed(self.init_bn(self.front_end(audio))).transpose(1, 2)
        pieces = [
            self.norm(self.blocks(piece + self.time_pos_embed[:, : piece.shape[1]] + self.freq_pos_embed))
            for piece in patches.split(LONGEST, dim=1)
        ]
        return torch.cat(pieces, dim=1)


class DashengEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = RATE
        self.hop_size_in_ms = 40
        self.model = Dasheng()
        self.model.load_state_dict(load_file(WEIGHTS))
        self.output_dim = self.model.norm.normalized_shape[0]
        self.eval()

    @torch.no_grad()
    def forward(self, audio):
        if audio.ndim == 1:
            audio = audio.unsqueeze(0)
        audio = F.pad(audio, (0, max(0, HOP * PATCH - audio.shape[-1])))
        return self.model(audio)
