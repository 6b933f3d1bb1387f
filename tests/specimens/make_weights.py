"""Write the files that three specimens load; they are committed, so this runs only when one has to change."""

import sys
from pathlib import Path

import numpy
import torch

HERE = Path(__file__).parent


class Scale(torch.nn.Module):
    """The layer of two specimens; a pickle holds its module and name, not its code."""

    def __init__(self):
        super().__init__()
        self.register_buffer("factor", torch.ones(4))


def main():
    weights = numpy.random.default_rng(0).standard_normal((160, 4)).astype("float32") / 160**0.5
    numpy.save(HERE / "AEC409-relative-weights" / "weights.npy", weights)
    torch.save(Scale(), HERE / "AEC403-pickled-main" / "model.pt")  # as from a training script: `__main__.Scale`
    Scale.__module__ = "encoder"
    sys.modules["encoder"] = sys.modules["__main__"]
    torch.save(Scale(), HERE / "AEC403-weights-only" / "model.pt")


if __name__ == "__main__":
    main()
