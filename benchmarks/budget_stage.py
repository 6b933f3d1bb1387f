"""Seconds that the budget stage takes, child, box and all.

Run it as `python benchmarks/budget_stage.py [NAME ...]`, with names of `architectures.py`. Target: 60 s for an encoder
of 100 million parameters on two cores.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from audio_encoder_checker.evidence.budget import GpuForecast
from audio_encoder_checker.pipeline import Options, check_submission

SOURCE = (Path(__file__).parent / "architectures.py").read_text(encoding="utf-8")
NAMES = ("wav2vec2-base", "whisper-small", "ast", "cnn14")
ATTRIBUTES = {
    "wav2vec2-base": (768, 20),
    "wav2vec2-large": (1024, 20),
    "hubert-base": (768, 20),
    "data2vec-base": (768, 20),
    "whisper-base": (512, 20),
    "whisper-small": (768, 20),
    "whisper-medium": (1024, 20),
    "ast": (768, 10),
    "cnn14": (2048, 640),
    "conv-gru": (1024, 20),
    "vit-by-hand": (768, 40),
}
"""Width, and hop in ms."""
ENCODER = """

class BenchmarkEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.sampling_rate, self.output_dim, self.hop_size_in_ms = 16000, {width}, {hop}
        self.inner = ARCHITECTURES["{name}"]()

    @torch.inference_mode()
    def forward(self, audio):
        return self.inner(functional.pad(audio, (0, max(0, 16000 - audio.shape[-1]))))
"""


def main() -> None:
    """One after the other."""
    for name in sys.argv[1:] or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            width, hop = ATTRIBUTES[name]
            text = SOURCE + ENCODER.format(name=name, width=width, hop=hop)
            Path(folder, "encoder.py").write_text(text, encoding="utf-8")
            start = time.monotonic()
            report = check_submission(Path(folder), Options(stages=("budget",), device="cpu", trust=True))
            took = {stage: round(seconds, 1) for stage, seconds in report.timings.items()}
            gpu = report.evidence.get(GpuForecast)
            found = [f"{one.id} {one.message}" for one in report.findings]
            print(name, gpu.fit.value if gpu else "no forecast", took, f"{time.monotonic() - start:.1f} s", found)


if __name__ == "__main__":
    main()
