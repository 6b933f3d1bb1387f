"""What a T4 cannot do, found in sources and requirements."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import traps as module
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.archive.traps import find_traps
from audio_encoder_checker.evidence.traps import Trap, TrapFacts, TrapKind
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

BF16, FLASH, FP8, TF32 = TrapKind.BF16, TrapKind.FLASH, TrapKind.FP8, TrapKind.TF32
COMPILE, QUANTISED, WHEEL = TrapKind.COMPILE_BF16, TrapKind.QUANTISED, TrapKind.WHEEL
CAPABILITY = "torch.cuda.get_device_capability()"


def facts(tmp_path: Path, files: dict[str, bytes | str], encoder: str | None = "a.py") -> TrapFacts:
    return find_traps(read_sources(write_tree(tmp_path / "repo", files), encoder))


def found(tmp_path: Path, body: str, top: str = "import torch") -> tuple[Trap, ...]:
    """The traps of an encoder with a constructor of these lines, below these lines at its top."""
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    source = f"{top}\nclass AEncoder(torch.nn.Module):\n    def __init__(self):\n{lines}"
    return facts(tmp_path, {"a.py": source}).traps


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("self.net = net.to(torch.bfloat16)", BF16),
        ("self.net = net.to(dtype=torch.bfloat16)", BF16),
        ("self.size = torch.bfloat16.itemsize", BF16),
        ("self.net.bfloat16()", BF16),
        ("self.net = Net().eval().bfloat16().cuda()", BF16),
        ("self.net = load(torch_dtype='bfloat16')", BF16),
        ("self.net = load(dtype=None or 'bf16')", BF16),
        ("self.net = load(dtype='torch.bfloat16' if self.training else None)", BF16),
        ("kwargs['torch_dtype'] = 'bfloat16'", BF16),
        ("self.net = load(**{'dtype': 'bfloat16'})", BF16),
        ("def load(dtype='bf16'): pass", BF16),
        ("self.dtype = getattr(torch, 'bfloat16')", BF16),
        ("self.net = Accelerator(mixed_precision='bf16')", BF16),
        ("self.context = torch.autocast('cuda', dtype=torch.bfloat16)", BF16),
        ("self.dtype = {'dtype': torch.bfloat16, 'device': 'cuda'}", BF16),
        ("if x.to(torch.bfloat16) == y: pass", BF16),
        ("self.x = {'audio_dtype': torch.float32, 'dtype': torch.bfloat16}", BF16),
        ("self.x = {'a': torch.float16, 'b': torch.float32, 'c': net.bfloat16()}", BF16),
        ("self.net = load(attn_implementation='flash_attention_2')", FLASH),
        ("self.net = load(attn_implementation='flash_attention_3')", FLASH),
        ("self.net = load(attn_implementation='kernels-community/flash-attn3')", FLASH),
        ("config._attn_implementation = 'flash_attention_2'", FLASH),
        ("kwargs['attn_implementation'] = 'flash_attention_2'", FLASH),
        ("self.net.set_attn_implementation('flash_attention_2')", FLASH),
        ("with sdpa_kernel(SDPBackend.FLASH_ATTENTION): pass", FLASH),
        ("with sdpa_kernel([SDPBackend.FLASH_ATTENTION, torch.nn.attention.SDPBackend.CUDNN_ATTENTION]): pass", FLASH),
        ("self.x = x.to(torch.float8_e4m3fn)", FP8),
        ("self.net = load(dtype='float8_e5m2')", FP8),
        ("y = torch._scaled_mm(x, x)", FP8),
        ("torch.backends.cuda.matmul.allow_tf32 = True", TF32),
        ("torch.backends.cuda.matmul.fp32_precision = 'tf32'", TF32),
        ("torch.set_float32_matmul_precision('high')", TF32),
        ("torch.set_float32_matmul_precision('medium')", TF32),
        ("self.net = torch.ao.quantization.quantize_dynamic(net)", QUANTISED),
        ("self.net = torch.quantization.convert(torch.nn.Module())", QUANTISED),
        ("self.net = torch.ao.quantization.quantize_fx.prepare_fx(net)", QUANTISED),
        ("torch.backends.quantized.engine = 'qnnpack'", QUANTISED),
    ],
)
def test_a_pattern_is_found_where_it_stands(tmp_path: Path, body: str, kind: TrapKind) -> None:
    (trap,) = found(tmp_path, body)
    assert (trap.kind, trap.at, trap.text) == (kind, "a.py:4", body)


@pytest.mark.parametrize(
    "body",
    [
        "self.net = net.to(torch.float16)  # not torch.bfloat16",
        "'torch.bfloat16, flash_attention_2 and flash_attn'",
        "self.words = ['bfloat16', 'flash_attention_2']",
        "self.name = 'bf16'",
        "self.use = config.bfloat16",
        "self.x = numpy.bfloat16",
        "self.net = load(dtype='float16')",
        "self.fast = x.dtype == torch.bfloat16",
        "self.fast = x.dtype in (torch.float16, torch.bfloat16)",
        "self.dtype = {'bf16': torch.bfloat16, 'fp16': torch.float16}[name]",
        "self.context = torch.autocast('cpu', dtype=torch.bfloat16)",
        "self.context = torch.autocast('cuda', dtype=torch.bfloat16, enabled=False)",
        "self.x = getattr(config, 'bfloat16'), hasattr(torch, 'bfloat16')",
        "self.x = {'a': torch.bfloat16, 'b': torch.float32}",
        "def half(x: torch.bfloat16) -> torch.bfloat16: pass",
        "self.net = load(attn_implementation='sdpa')",
        "self.name = load(flavour='flash_attention_2')",
        "with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]): pass",
        "self.backend = SDPBackend.FLASH_ATTENTION",
        "self.x = x.to(torch.float64)",
        "torch.backends.cuda.matmul.allow_tf32 = False",
        "allow_tf32 = True",
        "torch.set_float32_matmul_precision('highest')",
        "self.net = torch.compile(net)",
        "self.net = quantize_dynamic(net)",
        "self.net = onnxruntime.quantization.quantize_dynamic(net)",
        "self.net = torch.ao.quantization.QuantStub()",
        "self.engine = torch.backends.quantized.engine",
        f"self.size = {'f' * 9}[0x{'f' * 9000}]; kwargs[0x{'f' * 9000}] = load(dtype=0x{'f' * 9000})",
    ],
)
def test_its_harmless_neighbour_is_not(tmp_path: Path, body: str) -> None:
    assert found(tmp_path, body) == ()


@pytest.mark.parametrize(
    ("top", "body", "kind"),
    [
        ("import torch as t", "self.x = x.to(t.bfloat16)", BF16),
        ("from torch import bfloat16 as b", "self.x = x.to(b)", BF16),
        ("from torch import ao", "self.x = ao.quantization.convert(x)", QUANTISED),
        ("from torch.ao.quantization import quantize_dynamic", "self.x = quantize_dynamic(x)", QUANTISED),
        ("import torch.ao.quantization as q", "self.x = q.prepare(x)", QUANTISED),
        ("import torch.ao.quantization", "self.x = torch.ao.quantization.prepare(x)", QUANTISED),
        ("from torch import set_float32_matmul_precision", "set_float32_matmul_precision('high')", TF32),
    ],
)
def test_what_is_imported_under_another_name_is_found(tmp_path: Path, top: str, body: str, kind: TrapKind) -> None:
    (trap,) = found(tmp_path, body, top)
    assert (trap.kind, trap.line) == (kind, 4)


@pytest.mark.parametrize(
    ("top", "body"),
    [
        ("import jax.numpy as torch", "self.x = torch.bfloat16"),
        ("from .parts import bfloat16", "self.x = x.to(bfloat16)"),
        ("from .torch import ao", "self.x = ao.quantization.convert(x)"),
        ("from onnxruntime.quantization import quantize_dynamic", "self.x = quantize_dynamic(x)"),
    ],
)
def test_what_another_module_calls_so_is_not(tmp_path: Path, top: str, body: str) -> None:
    assert found(tmp_path, body, top) == ()


@pytest.mark.parametrize(
    ("line", "kind", "sure"),
    [
        ("import flash_attn", FLASH, True),
        ("from flash_attn.flash_attn_interface import flash_attn_func", FLASH, True),
        ("import flash_attn_interface", FLASH, True),
        ("from flash_attn.bert_padding import unpad_input", FLASH, False),
        ("from flash_attn import bert_padding", FLASH, False),
        ("import transformer_engine.pytorch as te", FP8, True),
        ("from torchao.float8 import convert_to_float8_training", FP8, True),
        ("from torchao import float8", FP8, True),
        ("import xformers.ops", WHEEL, True),
        ("from mamba_ssm import Mamba", WHEEL, True),
        ("import causal_conv1d", WHEEL, True),
        ("def late():\n    import flash_attn", FLASH, False),
        ("class Net:\n    def forward(self):\n        import flash_attn", FLASH, True),
        ("try:\n    import flash_attn\nexcept ImportError:\n    flash_attn = None", FLASH, False),
        ("try:\n    import flash_attn\nexcept (KeyError, builtins.ModuleNotFoundError):\n    pass", FLASH, False),
        ("try:\n    import flash_attn\nexcept:\n    pass", FLASH, False),
        ("try:\n    import flash_attn\nexcept KeyError:\n    pass", FLASH, True),
        ("try:\n    import far\nexcept ImportError:\n    import flash_attn", FLASH, False),
        ("if is_flash_attn_2_available():\n    import flash_attn", FLASH, False),
        ("if torch.cuda.is_available():\n    import flash_attn", FLASH, True),
    ],
)
def test_imports_are_found_and_those_that_may_not_run_are_not_sure(
    tmp_path: Path, line: str, kind: TrapKind, sure: bool
) -> None:
    (trap,) = facts(tmp_path, {"a.py": f"{line}\n"}).traps
    assert (trap.kind, trap.sure) == (kind, sure)


OTHERS = [
    "import flash_attention_free, natten_free, xformer, torchao",
    "from .flash_attn import flash_attn_func",
    "from torchao.quantization import quantize_",
    "if TYPE_CHECKING:\n    import flash_attn",
    "if __name__ == '__main__':\n    import flash_attn",
]


@pytest.mark.parametrize("line", OTHERS)
def test_imports_of_other_modules_are_not(tmp_path: Path, line: str) -> None:
    assert facts(tmp_path, {"a.py": f"{line}\n"}).traps == ()


def test_a_module_of_the_repository_of_such_a_name_is_its_own(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"a.py": "import flash_attn.core\n", "flash_attn/core.py": "import xformers\n"}
    assert [(one.kind, one.at) for one in facts(tmp_path, files).traps] == [(WHEEL, "flash_attn/core.py:1")]


@pytest.mark.parametrize(
    ("body", "sure"),
    [
        ("if torch.cuda.is_bf16_supported():\n  net.bfloat16()", True),
        ("if torch.cuda.is_available():\n  net.bfloat16()", True),
        ("if not x.is_cuda:\n  pass\nelse:\n  net.bfloat16()", True),
        ("if torch.cuda.is_available() and torch.cuda.is_bf16_supported():\n  net.bfloat16()", True),
        ("if torch.cuda.is_available() or fast:\n  net.bfloat16()", True),
        ("if device == 'cuda':\n  net.bfloat16()", True),
        ("if device.type != 'cpu':\n  net.bfloat16()", True),
        ("x = torch.bfloat16 if torch.cuda.is_bf16_supported() else None", True),
        ("if not torch.cuda.is_available():\n  return\nnet.bfloat16()", True),
        ("if torch.cuda.is_available():\n  x = 1\nnet.bfloat16()", True),
        ("if fast:\n  return\nnet.bfloat16()", True),
        ("if fast:\n  net.bfloat16()", False),
        ("if slow:\n  pass\nelse:\n  net.bfloat16()", False),
        ("if torch.cuda.is_available() and fast:\n  net.bfloat16()", False),
        ("if device == 'mps':\n  net.bfloat16()", False),
        ("x = torch.bfloat16 if fast else None", False),
        ("def load(dtype=torch.bfloat16): pass", False),
    ],
)
def test_what_may_run_on_a_t4_counts(tmp_path: Path, body: str, sure: bool) -> None:
    (trap,) = found(tmp_path, body)
    assert (trap.kind, trap.sure) == (BF16, sure)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("if fast:\n  sdpa_kernel(backends=SDPBackend.FLASH_ATTENTION)", FLASH),
        ("if fast:\n  torch._scaled_mm(x, x)", FP8),
        ("def late():\n  torch._scaled_mm(x, x)", FP8),
        ("x = load(\n  dtype='float8_e5m2')", FP8),
        ("if fast:\n  torch.ao.quantization.convert(x)", QUANTISED),
        ("if fast:\n  torch.set_float32_matmul_precision('high')", TF32),
        ("x = (net\n  .bfloat16())", BF16),
        ("x = (torch.nn\n  .Conv1d(1, 1, 1).to(fast and torch\n  .bfloat16))", BF16),
    ],
)
def test_every_kind_has_its_line_and_its_doubt(tmp_path: Path, body: str, kind: TrapKind) -> None:
    (trap,) = found(tmp_path, body)
    assert (trap.kind, trap.sure) == (kind, kind is BF16)
    assert trap.line == 4 + body.count("\n")


@pytest.mark.parametrize(
    "body",
    [
        "if torch.cuda.is_available():\n  pass\nelse:\n  net.bfloat16()",
        "if not torch.cuda.is_available():\n  net.bfloat16()",
        "if device.type == 'cpu':\n  net.bfloat16()",
        "if device != 'cuda':\n  net.bfloat16()",
        "if fast and not x.is_cuda:\n  net.bfloat16()",
        "if x.is_cuda:\n  return\nnet.bfloat16()",
        f"if {CAPABILITY}[0] >= 8:\n  net.bfloat16()",
        f"if {CAPABILITY} < (8, 0):\n  net.half()\nelse:\n  net.bfloat16()",
        f"if fast and {CAPABILITY} >= (8, 0):\n  net.bfloat16()",
        f"if {CAPABILITY} < (8, 0):\n  return\nnet.bfloat16()",
        f"x = torch.bfloat16 if {CAPABILITY} >= (8, 0) else torch.float16",
        f"major, minor = {CAPABILITY}\nif major >= 8:\n  net.bfloat16()",
        f"self.new = {CAPABILITY} >= (8, 0)\nif self.new:\n  net.bfloat16()",
        f"def new():\n  return {CAPABILITY} >= (8, 0)\nif new():\n  net.bfloat16()",
        f"cap = {CAPABILITY}\nnew = cap >= (8, 0)\nx = torch.bfloat16 if new else None",
        "if torch.cuda.is_bf16_supported(including_emulation=False):\n  net.bfloat16()",
    ],
)
def test_what_does_not_run_on_a_t4_or_asks_for_the_card_does_not(tmp_path: Path, body: str) -> None:
    assert found(tmp_path, body) == ()


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("self.net = torch.compile(net)", {BF16, COMPILE}),
        ("self.net = torch.compile(net, backend='inductor')", {BF16, COMPILE}),
        ("self.net = torch.compile(net, backend='eager')", {BF16}),
        ("self.net = torch.compile(net, disable=True)", {BF16}),
        ("@torch.compile\ndef late(): pass", {BF16, COMPILE}),
        ("pattern = re.compile('x')", {BF16}),
        (f"if {CAPABILITY} >= (8, 0):\n  self.net = torch.compile(net)", {BF16}),
    ],
)
def test_compiling_counts_beside_bf16(tmp_path: Path, line: str, kinds: set[TrapKind]) -> None:
    traps = found(tmp_path, f"{line}\nself.net.bfloat16()")
    assert {one.kind for one in traps} == kinds


@pytest.mark.parametrize(
    ("line", "kind", "name"),
    [
        ("flash-attn", FLASH, "flash-attn"),
        ("Flash_Attn>=2.5 --no-build-isolation", FLASH, "flash-attn"),
        ("flash-attn @ https://example.org/flash_attn-2.8-cp312.whl", FLASH, "flash-attn"),
        ("https://example.org/flash_attn-2.8.3+cu12torch2.8-cp312-cp312-linux_x86_64.whl", FLASH, "flash-attn"),
        ("./wheels/flash_attn-2.8.3-cp312.whl", FLASH, "flash-attn"),
        ("git+https://github.com/Dao-AILab/flash-attention.git@v2.8#egg=x", FLASH, "flash-attn"),
        ("git+ssh://git@github.com/state-spaces/mamba", WHEEL, "mamba-ssm"),
        ("git+https://github.com/NVIDIA/TransformerEngine.git@stable", WHEEL, "transformer-engine"),
        ("xformers==0.0.30  # fast", WHEEL, "xformers"),
        ("transformer-engine[pytorch]", WHEEL, "transformer-engine"),
        ("mamba-ssm;python_version>'3.9'", WHEEL, "mamba-ssm"),
        ("causal_conv1d>=1.4", WHEEL, "causal-conv1d"),
        ("natten==0.17 \\", WHEEL, "natten"),
        ("xformers; sys_platform == 'linux'", WHEEL, "xformers"),
        ("-e git+https://github.com/Dao-AILab/causal-conv1d", WHEEL, "causal-conv1d"),
    ],
)
def test_requirements_are_found(tmp_path: Path, line: str, kind: TrapKind, name: str) -> None:
    (trap,) = facts(tmp_path, {"a.py": "", "requirements.txt": f"torch\n  {line}\n"}).traps
    assert (trap.kind, trap.at, trap.text, trap.what) == (kind, "requirements.txt:2", line, name)
    assert not trap.sure


@pytest.mark.parametrize(
    "line",
    [
        "# flash-attn",
        "torch  # not flash-attn",
        "flash-attn-free",
        "flash-linear-attention",
        "mamba",
        "-r flash-attn.txt",
        "--extra-index-url https://example.org/xformers",
        "xformers; sys_platform == 'win32'",
        "transformers[flash-attn]",
        "https://example.org/flash-attn/torch-2.8-cp312.whl",
    ],
)
def test_other_requirements_are_not(tmp_path: Path, line: str) -> None:
    assert facts(tmp_path, {"a.py": "", "requirements.txt": f"{line}\n"}).traps == ()


def test_files_that_the_encoder_reaches_are_read_and_no_other(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "a.py": "import broken\nfrom net.parts import x\nclass AEncoder:\n def forward(self, x): pass\n",
        "net/parts.py": "import torch\nx = torch.bfloat16\n",
        "train.py": "import torch\nx = torch.bfloat16\n",
        "broken.py": "import torch\nx = torch.bfloat16\n(",
        "sub/requirements.txt": "xformers\n",
    }
    assert [one.at for one in facts(tmp_path, files, None).traps] == ["net/parts.py:2"]


def test_without_an_encoder_every_file_is_read(tmp_path: Path) -> None:
    line = "import flash_attn, xformers\n"
    traps = facts(tmp_path, {"b.py": line, "a.py": line, "requirements.txt": "natten"}, None).traps
    assert [one.at for one in traps] == ["a.py:1", "a.py:1", "b.py:1", "b.py:1", "requirements.txt:1"]


def test_a_kind_counts_once_a_line_and_lines_are_in_order(tmp_path: Path) -> None:
    traps = found(tmp_path, "x = torch.bfloat16, torch.bfloat16\nif fast: pass\ny = torch.bfloat16")
    assert [one.line for one in traps] == [4, 6]


def test_the_surer_of_two_on_a_line_stands_and_sure_ones_come_first(tmp_path: Path) -> None:
    line = "x = load(attn_implementation='flash_attention_2')"
    traps = found(tmp_path, f"if fast: {line}\n{line[:-1]}, use_cache=True); y = {line[4:]} if fast else {line[4:]}")
    assert [(one.line, one.sure) for one in traps] == [(4, False), (5, True)]
    assert [one.line for one in TrapFacts(traps).of(FLASH)] == [5, 4]
    assert TrapFacts(traps).of(BF16) == ()


def test_so_many_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    traps = found(tmp_path, "\n".join(["net.bfloat16()"] * 5 + ["import natten"]))
    assert [(one.kind, one.line) for one in traps] == [(BF16, 4), (BF16, 5), (BF16, 6), (WHEEL, 9)]


@pytest.mark.skipif(sys.platform == "win32", reason="no links")
def test_requirements_outside_the_repository_and_pipes_are_not_read(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"a.py": "", "b.py": ""})
    (tmp_path / "far.txt").write_text("xformers\n")
    (root / "requirements.txt").symlink_to(tmp_path / "far.txt")
    assert find_traps(read_sources(root, "a.py")).traps == ()
    (root / "requirements.txt").unlink()
    os.mkfifo(root / "requirements.txt")
    assert find_traps(read_sources(root, "a.py")).traps == ()


@pytest.mark.parametrize(
    "source",
    [
        "x = torch" + ".bfloat16" * 900,
        "x = " + "+".join(["torch.bfloat16"] * 900),
        "if " + "not " * 900 + "y:\n  x = torch.bfloat16",
        "x = " + "torch.bfloat16 if y else " * 90 + "0",
    ],
    ids=["attributes", "sums", "negations", "conditions"],
)
def test_deep_code_is_read_without_recursion(tmp_path: Path, source: str) -> None:
    assert [one.kind for one in facts(tmp_path, {"a.py": source}).traps] == [BF16]


def test_a_hidden_character_is_shown_as_such(tmp_path: Path) -> None:
    (trap,) = facts(tmp_path, {"a.py": "import torch\nx = torch.bfloat16  # \u202e\n"}).traps
    assert trap.text == r"x = torch.bfloat16  # \u202e"
    assert Trap(BF16, "a\u202e.py", 1, "").at == r"a\u202e.py:1"
