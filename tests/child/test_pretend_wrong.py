"""Mistakes with devices surface on a pretended card as on CUDA, with the name and the place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch

from audio_encoder_checker.child import failure
from tests.pretended import audio, construct, marked, run, source_of

if TYPE_CHECKING:
    from pathlib import Path

# What __init__ adds, the body of forward, and what else the file holds. The line that fails is marked FAILS, and the
# line that made the tensor to blame MADE.
WRONG: dict[str, tuple[tuple[str, str, str], str, str]] = {
    "a window that is no buffer": (
        (
            "self.window = torch.hann_window(400)",
            "return torch.stft(x, 400, 160, window=self.window, return_complex=True).abs()  # FAILS",
            "",
        ),
        "attribute",
        "self.window",
    ),
    "an attribute of a module inside": (
        (
            "self.front = Front()",
            "return self.front(self.frames(x))",
            """
class Front(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = torch.ones(8)
    def forward(self, y):
        half = self.mean / 2
        return y - half  # FAILS
""",
        ),
        "attribute",
        "self.front.mean",
    ),
    "an attribute in a list": (
        ("self.scales = [torch.ones(8), torch.ones(8)]", "return self.frames(x) * self.scales[1]  # FAILS", ""),
        "attribute",
        "self.scales[1]",
    ),
    "an attribute in a dict": (
        ("self.scales = {'mel': torch.ones(8)}", "return self.frames(x) * self.scales['mel']  # FAILS", ""),
        "attribute",
        "self.scales['mel']",
    ),
    "a model in a plain list": (
        (
            "self.model = [nn.Sequential(nn.Linear(8, 8))]",
            "return self.model[0](self.frames(x))  # FAILS",
            "",
        ),
        "attribute",
        "self.model[0][0].bias",
    ),
    "a model in inference_mode": (
        (
            "self.model = [nn.LSTM(8, 8)]",
            """
            with torch.inference_mode():
                return self.model[0](self.frames(x))[0]  # FAILS
            """,
            "",
        ),
        "attribute",
        "self.model[0].weight_ih_l0",
    ),
    "a helper that is no module": (
        (
            "self.front = Front()",
            "return self.front(self.frames(x))",
            """
class Front:
    def __init__(self):
        self.mean = torch.ones(8)
    def __call__(self, y):
        return y - self.mean  # FAILS
""",
        ),
        "attribute",
        "self.front.mean",
    ),
    "a mask without a device": (
        (
            "",
            """
            y = self.frames(x)
            mask = torch.zeros(y.shape[1], dtype=torch.bool)  # MADE
            return y.masked_fill(mask[:, None], 0.0)  # FAILS
            """,
            "",
        ),
        "factory",
        "zeros",
    ),
    "positions without a device": (
        (
            "self.positions = nn.Embedding(500, 8)",
            """
            y = self.frames(x)
            places = torch.arange(y.shape[1])  # MADE
            places = places.unsqueeze(0) + 1
            return y + self.positions(places)  # FAILS
            """,
            "",
        ),
        "factory",
        "arange",
    ),
    "constants without a device": (
        ("", "return self.frames(x) * torch.tensor([0.5] * 8)  # FAILS MADE", ""),
        "factory",
        "tensor",
    ),
    "a device fixed at construction": (
        ("self.device = 'cpu'", "return self.frames(x) * torch.ones(8, device=self.device)  # FAILS MADE", ""),
        "factory",
        "ones",
    ),
    "data without a device": (
        (
            "",
            """
            window = torch.from_numpy(np.ones(8, np.float32))  # MADE
            return self.frames(x) * window  # FAILS
            """,
            "",
        ),
        "factory",
        "from data",
    ),
    "a result left on the CPU": (
        (
            "",
            """
            rows = [self.frames(row).cpu() for row in x]  # MADE
            return torch.stack(rows) + self.linear.bias  # FAILS
            """,
            "",
        ),
        "factory",
        "cpu",
    ),
    "numpy": (("", "return torch.from_numpy(x.numpy()).to(x.device)  # FAILS", ""), "numpy", ""),
    "numpy of a list": (("", "return np.stack([row for row in x])  # FAILS", ""), "numpy", ""),
    "numpy, wrapped": (
        (
            "",
            """
            try:
                return np.asarray(x)
            except TypeError:
                raise ValueError("bad audio") from None  # FAILS
            """,
            "",
        ),
        "numpy",
        "",
    ),
    "a second card": (("", "return self.frames(x.to('cuda:1'))  # FAILS", ""), "ordinal", "cuda:1"),
    "a second card for a factory": (("", "return torch.zeros(8, device=1)  # FAILS", ""), "ordinal", "cuda:1"),
    "a second card set": (("", "torch.cuda.set_device(1)  # FAILS", ""), "ordinal", "cuda:1"),
    "lengths on the card": (
        (
            "",
            """
            y = self.frames(x)
            lengths = torch.full((len(y),), y.shape[1], device=x.device)
            return nn.utils.rnn.pack_padded_sequence(y, lengths, batch_first=True)  # FAILS
            """,
            "",
        ),
        "other",
        "lengths",
    ),
    "indices on the card": (
        (
            "",
            """
            table = torch.ones(9, 8)  # MADE
            return table[torch.zeros(3, dtype=torch.long, device=x.device)]  # FAILS
            """,
            "",
        ),
        "factory",
        "ones",
    ),
    "a generator of the CPU": (
        ("", "return torch.rand(8, device=x.device, generator=torch.Generator())  # FAILS", ""),
        "other",
        "generator",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_name_and_place(tmp_path: Path, name: str) -> None:
    parts, kind, culprit = WRONG[name]
    source = source_of(*parts)
    header = run(tmp_path, source)
    assert header["phase"] == "call"
    assert header["not_covered"] == ""
    assert (header["culprit"]["kind"], header["culprit"]["name"]) == (kind, culprit)
    made = marked(source, "MADE")
    assert (header["culprit"]["file"], header["culprit"]["line"]) == ("encoder.py" if made else "", made)
    assert "MADE" in header["culprit"]["text"] or not made
    frame = header["raised"]["frames"][-1]
    assert (frame["file"], frame["line"]) == ("encoder.py", marked(source, "FAILS"))
    json.dumps(header)


@pytest.mark.skipif(torch.cuda.device_count() != 1, reason="needs one graphics card")
def test_a_real_card_refuses_the_same_lines(tmp_path: Path) -> None:
    places = {}
    for name, (parts, _kind, _culprit) in WRONG.items():
        source = source_of(*parts)
        try:
            construct(tmp_path, source).to("cuda")(audio().to("cuda"))
        except Exception as error:  # noqa: BLE001 - whichever: all that disagree are told at once
            frame = failure.describe(error, str(tmp_path))["frames"][-1]
            places[name] = frame["line"] - marked(source, "FAILS")
        else:
            places[name] = None
    assert places == dict.fromkeys(WRONG, 0)
