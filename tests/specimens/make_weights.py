"""Write the weight files of specimens; they are committed, so this runs only when one has to change."""

import os
import pickle
import sys
from pathlib import Path

import numpy
import safetensors.numpy
import torch

HERE = Path(__file__).parent


class Scale(torch.nn.Module):
    """The layer of two specimens; a pickle holds its module and name, not its code."""

    def __init__(self):
        super().__init__()
        self.register_buffer("factor", torch.ones(4))


class Call:
    """Whoever unpickles this calls `os.getcwd()`: harmless, but code."""

    def __reduce__(self):
        return os.getcwd, ()


def main():
    weights = numpy.random.default_rng(0).standard_normal((160, 4)).astype("float32") / 160**0.5
    numpy.save(HERE / "AEC409-relative-weights" / "weights.npy", weights)
    torch.save(Scale(), HERE / "AEC403-pickled-main" / "model.pt")  # as from a training script: `__main__.Scale`
    Scale.__module__ = "encoder"
    sys.modules["encoder"] = sys.modules["__main__"]
    torch.save(Scale(), HERE / "AEC403-weights-only" / "model.pt")
    (HERE / "AEC430-calls-a-function" / "model.pkl").write_bytes(pickle.dumps({"weights": Call()}, protocol=4))
    whole = safetensors.numpy.save({"weights": weights})
    (HERE / "AEC433-cut-off" / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    page = "<!DOCTYPE html>\n<html><head><title>Quota exceeded</title></head></html>\n"
    (HERE / "AEC434-saved-page" / "model.pt").write_text(page, encoding="utf-8")
    (HERE / "AEC435-packed-once-more" / "model.pt").write_bytes(bytes.fromhex("377abcaf271c0004") + bytes(24))


if __name__ == "__main__":
    main()
