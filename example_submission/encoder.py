"""TinyMelEncoder: a log-mel front end and two small networks, trained on generated audio (see train.py)."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

WEIGHTS = Path(__file__).parent / "weights.safetensors"
RATE_HZ = 16000
HOP = 320  # samples: one output frame every 20 ms
MEL_BANDS = 64
PITCH_BINS = 168  # 24 an octave, 62.5 Hz to 8 kHz
COURSE_DIM = 128
PITCH_DIM = 96
PIECE = 20 * RATE_HZ  # longer audio is encoded piece by piece, so memory does not grow with its length
ROWS = 8  # clips encoded at once, so that it does not grow with the batch either


class TinyMelEncoder(nn.Module):
    """Frames of three parts: the log-mel spectrum, the course of sound around the frame, and pitch.

    Args:
        weights: where the trained ones are; None leaves the networks untrained, which only train.py wants.
    """

    mean: Tensor
    scale: Tensor
    mel_bank: Tensor
    pitch_bank: Tensor
    mel_window: Tensor
    pitch_window: Tensor

    def __init__(self, weights: Path | None = WEIGHTS) -> None:
        super().__init__()
        self.sampling_rate = RATE_HZ
        self.output_dim = MEL_BANDS + COURSE_DIM + PITCH_DIM
        self.hop_size_in_ms = 20
        self.course = nn.Sequential(
            nn.Conv1d(MEL_BANDS, 96, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(96, 96, 5, stride=2, padding=2),  # 10 ms to 20 ms
            nn.ReLU(),
            *(_Residual(96, dilation) for dilation in (1, 2, 4)),
            nn.Conv1d(96, COURSE_DIM, 1),
            nn.ReLU(),
        )
        self.pitch = nn.Sequential(
            nn.Linear(PITCH_BINS, 192), nn.ReLU(), nn.Linear(192, 192), nn.ReLU(), nn.Linear(192, PITCH_DIM), nn.ReLU()
        )
        self.register_buffer("mean", torch.zeros(self.output_dim))  # of the frames, over the training audio
        self.register_buffer("scale", torch.ones(self.output_dim))
        self.register_buffer("mel_bank", _mel_bank(), persistent=False)
        self.register_buffer("pitch_bank", _pitch_bank(), persistent=False)
        self.register_buffer("mel_window", torch.hann_window(400), persistent=False)
        self.register_buffer("pitch_window", torch.hann_window(1024), persistent=False)
        if weights is not None:
            self.load_state_dict(load_file(weights))
        self.eval()

    @torch.inference_mode()
    def forward(self, audio: Tensor) -> Tensor:
        """Encode audio `[B, samples]` at 16 kHz to frames `[B, T', output_dim]`, float32, T' = samples / 320."""
        device = audio.device
        if audio.ndim == 1:
            audio = audio.unsqueeze(0)
        if audio.shape[1] < HOP:
            audio = nn.functional.pad(audio, (0, HOP - audio.shape[1]))
        audio = audio[:, : audio.shape[1] // HOP * HOP].to(self.mean.device, torch.float32)
        rows = [self._encode_rows(some) for some in torch.split(audio, ROWS)]
        return torch.cat(rows).to(device)

    def _encode_rows(self, audio: Tensor) -> Tensor:
        return torch.cat([self._encode(piece) for piece in torch.split(audio, PIECE, dim=1)], dim=1)

    def _encode(self, audio: Tensor) -> Tensor:
        mel = self.mel_spectrum(audio)
        frames = torch.cat(self.features(mel, self.pitch_spectrum(audio)), -1)
        return (frames - self.mean) * self.scale

    def features(self, mel: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three parts of each frame, before they are centred.

        Args:
            mel: `[B, 2 T', 64]`, see `mel_spectrum`.
            pitch: `[B, T', 168]`, see `pitch_spectrum`.

        Returns:
            `[B, T', 64]`, `[B, T', 128]` and `[B, T', 96]`.
        """
        course = self.course(mel.transpose(1, 2)).transpose(1, 2)
        return mel.reshape(len(mel), -1, 2, MEL_BANDS).mean(2), course, self.pitch(pitch)

    def mel_spectrum(self, audio: Tensor) -> Tensor:
        """Log power in 64 mel bands, 25 ms windows every 10 ms: `[B, 2 T', 64]`, roughly -3 to 3."""
        power = torch.stft(audio, 512, 160, 400, self.mel_window, pad_mode="constant", return_complex=True).abs() ** 2
        bands = torch.log(self.mel_bank @ power[:, :, : audio.shape[1] // 160] + 1e-5)
        return bands.transpose(1, 2) / 3

    def pitch_spectrum(self, audio: Tensor) -> Tensor:
        """Log magnitude over log frequency, 64 ms windows every 20 ms, each frame standardised: `[B, T', 168]`."""
        spectrum = torch.stft(audio, 2048, HOP, 1024, self.pitch_window, pad_mode="constant", return_complex=True)
        bins = self.pitch_bank @ spectrum.abs()[:, :, : audio.shape[1] // HOP]
        logs = torch.log(bins + 1e-3).transpose(1, 2)
        return (logs - logs.mean(-1, keepdim=True)) / (logs.std(-1, keepdim=True) + 0.1)


class _Residual(nn.Module):
    """Adds what a dilated convolution over time sees around each frame, `[B, C, T]` to `[B, C, T]`."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.around = nn.Conv1d(channels, channels, 5, padding=2 * dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.around(x))


def _mel_bank() -> Tensor:
    """Triangular filters with centres at equal distances in mel, `[64, 257]`."""
    mel = 1127 * torch.log1p(torch.linspace(0, 8000, 257) / 700)
    edges = torch.linspace(float(mel[1]), float(mel[-1]), MEL_BANDS + 2)
    rising = (mel - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - mel) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0)


def _pitch_bank() -> Tensor:
    """Triangular filters of a 24th of an octave, at least an FFT bin wide, `[168, 1025]`."""
    hertz = torch.linspace(0, 8000, 1025)
    centres = 62.5 * 2 ** (torch.arange(PITCH_BINS) / 24)
    widths = (centres * (2 ** (1 / 24) - 1)).clamp(min=8000 / 1024)
    return (1 - (hertz - centres[:, None]).abs() / widths[:, None]).clamp(min=0)
