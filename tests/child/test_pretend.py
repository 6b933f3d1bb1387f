"""A run on a pretended card leaves no trace, and says what it cannot judge."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import torch

from tests.pretended import run, run_made, source_of

if TYPE_CHECKING:
    from pathlib import Path


def test_output_on_the_cpu_is_fine(tmp_path: Path) -> None:
    header = run(tmp_path, source_of("", "return self.frames(x).cpu()"))
    assert header == {"phase": "done", "output_device": "cpu", "not_covered": "", "culprit": None}


def test_what_is_no_tensor_is_left_to_others(tmp_path: Path) -> None:
    header = run(tmp_path, source_of("", "return (self.frames(x), None)"))
    assert (header["phase"], header["output_device"], header["culprit"]) == ("done", "", None)


def test_an_encoder_that_is_no_module_moves_itself(tmp_path: Path) -> None:
    more = """
class Encoder:
    def __init__(self):
        self.model = nn.Linear(160, 8)
    def __call__(self, x):
        return self.model.to(x.device)(x.unfold(-1, 160, 160))
"""
    assert run(tmp_path, source_of("", "", more))["output_device"] == "cuda:0"


def test_a_weight_that_to_does_not_reach(tmp_path: Path) -> None:
    source = source_of("", "return self.frames(x)", "Encoder.to = lambda self, device: self")
    header = run(tmp_path, source)
    assert header["culprit"]["kind"] == "attribute"
    assert header["culprit"]["name"].startswith("self.linear.")


def test_a_mistake_of_a_helper_file_has_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = "import torch\nSCALE = torch.ones(8)\ndef scaled(y):\n    return y * SCALE\n"
    (tmp_path / "pretend_helper.py").write_text(helper, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    source = source_of("", "return pretend_helper.scaled(self.frames(x))", "import pretend_helper")
    header = run(tmp_path, source)
    sys.modules.pop("pretend_helper")
    assert (header["culprit"]["kind"], header["culprit"]["name"]) == ("attribute", "pretend_helper.SCALE")
    frame = header["raised"]["frames"][-1]
    assert (frame["file"], frame["line"]) == ("pretend_helper.py", 4)


def test_a_moved_weight_is_held_once(tmp_path: Path) -> None:
    init = "self.old = weakref.ref(self.linear.weight.untyped_storage())"
    header = run(tmp_path, source_of(init, "assert self.old() is None; return self.frames(x)", "import weakref"))
    assert header["phase"] == "done"


@pytest.mark.filterwarnings("ignore")  # torch.jit is going away
@pytest.mark.parametrize(
    ("init", "forward"),
    [
        ("self.front = torch.jit.script(Front())", "return self.frames(x) + self.front(x)"),
        ("self.front = torch.jit.script(places)", "return self.frames(x) + self.front(x)"),
        ("self.front = torch.jit.trace(Front(), torch.ones(2, 3200))", "return self.frames(x) + self.front(x)"),
        ("", "return self.frames(x) + SCRIPTED(x)"),  # nothing the encoder holds
    ],
)
def test_torchscript_is_said_and_not_accused(tmp_path: Path, init: str, forward: str) -> None:
    more = """
def places(x):
    return torch.arange(8, device=x.device) * 2.0

class Front(nn.Module):
    def forward(self, x):
        return torch.arange(8, device=x.device) + torch.zeros(8)

SCRIPTED = torch.jit.script(places)
"""
    header = run(tmp_path, source_of(init, forward, more))
    assert (header["phase"], header["culprit"]) == ("done", None)
    assert header["not_covered"].startswith("TorchScript")


@pytest.mark.filterwarnings("ignore")  # torch.jit is going away
def test_beside_torchscript_a_mistake_is_still_told(tmp_path: Path) -> None:
    init = "self.front, self.scale = torch.jit.script(nn.Linear(8, 8)), torch.ones(8)"
    header = run(tmp_path, source_of(init, "return self.front(self.frames(x)) * self.scale"))
    assert header["culprit"]["name"] == "self.scale"
    assert "TorchScript" in header["not_covered"]


@pytest.mark.filterwarnings("ignore")  # torch.ao is going away
def test_quantised_layers_are_said(tmp_path: Path) -> None:
    init = "self.linear = torch.ao.quantization.quantize_dynamic(nn.Sequential(self.linear), {nn.Linear})"
    header = run(tmp_path, source_of(init, "return self.frames(x)"))
    assert header["culprit"] is None
    assert "quantised layers: self.linear[0]" in header["not_covered"]


@pytest.mark.parametrize(
    ("init", "forward", "reason"),
    [
        ("", "return torch.vmap(lambda r: self.frames(r) + torch.zeros(8, device=r.device))(x)", "torch.func"),
        ("", "return torch.zeros(8, generator=torch.Generator(x.device), device=x.device)", "RuntimeError"),
        ("", "raise NotImplementedError('not yet')", "NotImplementedError: not yet"),
        ("", "import sys; sys.exit(3)", "SystemExit"),
    ],
)
def test_what_cannot_be_judged_is_said_and_not_accused(tmp_path: Path, init: str, forward: str, reason: str) -> None:
    header = run(tmp_path, source_of(init, forward))
    assert header["culprit"] is None
    assert reason in header["not_covered"]


def test_what_a_thread_made_is_not_accused(tmp_path: Path) -> None:
    forward = """
    made = []
    thread = threading.Thread(target=lambda: made.append(self.linear.bias.detach() * 2))
    thread.start(); thread.join()
    return self.frames(x) + made[0]
    """
    header = run(tmp_path, source_of("", forward))
    assert (header["phase"], header["culprit"]) == ("done", None)
    assert header["not_covered"].startswith("threads")


def test_what_threads_return_has_no_known_device(tmp_path: Path) -> None:
    forward = """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(2) as pool:
        return torch.stack(list(pool.map(self.frames, x)))
    """
    header = run(tmp_path, source_of("", forward))
    assert (header["phase"], header["output_device"], header["culprit"]) == ("done", "", None)
    assert header["not_covered"].startswith("threads")


def test_what_left_torch_is_not_accused(tmp_path: Path) -> None:
    forward = "return torch.from_dlpack(self.frames(x).detach()) + self.linear.bias"
    header = run(tmp_path, source_of("", forward))
    assert (header["phase"], header["culprit"]) == ("done", None)
    assert "DLPack" in header["not_covered"]


def test_a_mistake_at_construction(tmp_path: Path) -> None:
    source = source_of("self.scale = torch.ones(8, device='cuda') * torch.ones(8)", "")
    header = run(tmp_path, source)
    assert (header["phase"], header["culprit"]["name"]) == ("construct", "ones")
    assert header["culprit"]["text"].startswith("self.scale =")


@pytest.mark.parametrize(
    ("settings", "device"),
    [
        ("import torch\ndevice = 'cuda' if torch.cuda.is_available() else 'cpu'", "pretend_settings.device"),
        ("from torch.cuda import is_available", "'cuda' if pretend_settings.is_available() else 'cpu'"),
    ],
)
def test_an_import_sees_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, device: str) -> None:
    (tmp_path / "pretend_settings.py").write_text(settings, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    header = run(tmp_path, source_of("", f"return self.frames(x.to({device}))", "import pretend_settings"))
    sys.modules.pop("pretend_settings")
    assert header == {"phase": "done", "output_device": "cuda:0", "not_covered": "", "culprit": None}


def test_an_exception_that_answers_badly_is_data(tmp_path: Path) -> None:
    more = """
class Sly(Exception):
    __cause__ = property(lambda self: 1 / 0)
    __context__ = property(lambda self: 1 / 0)
    def __str__(self):
        raise Sly
"""
    header = run(tmp_path, source_of("", "raise Sly", more))
    assert header["culprit"] is None
    assert header["raised"]["type"] == "Sly"


def test_a_real_model_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, conv_dim=(8, 8),
        conv_kernel=(10, 8), conv_stride=(5, 4), num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
    )  # fmt: skip

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = transformers.Wav2Vec2Model(config)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.model(x).last_hidden_state
            return output

    header = run_made(Encoder, tmp_path)
    assert header == {"phase": "done", "output_device": "cuda:0", "not_covered": "", "culprit": None}
