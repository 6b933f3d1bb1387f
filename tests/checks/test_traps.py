"""AEC707 to AEC713, from sources to problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.archive.traps import find_traps
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.traps import TrapFacts
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

TOP = "import torch\nclass AEncoder(torch.nn.Module):\n    def __init__(self):\n"


def findings(tmp_path: Path, body: str, requirements: str = "") -> list[Finding]:
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    files: dict[str, bytes | str] = {"a.py": TOP + lines, "requirements.txt": requirements}
    evidence = Evidence()
    evidence.put(find_traps(read_sources(write_tree(tmp_path / "repo", files), "a.py")))
    return list(judge(evidence, [one for one in all_checks() if one.needs == (TrapFacts,)]).findings)


CASES = [
    ("net = net.bfloat16()", "AEC707", "bf16-on-t4", Severity.WARNING, "is_bf16_supported() is True there"),
    ("import flash_attn", "AEC708", "flash-attention-on-t4", Severity.ERROR, "only supports Ampere GPUs or newer"),
    ("x = load(attn_implementation='flash_attention_2')", "AEC708", "flash-attention-on-t4", Severity.ERROR, "Ampere"),
    ("with sdpa_kernel(SDPBackend.FLASH_ATTENTION): pass", "AEC708", "flash-attention-on-t4", Severity.ERROR, "alone"),
    ("import transformer_engine", "AEC709", "fp8-on-t4", Severity.ERROR, "8.9"),
    ("x = x.to(torch.float8_e4m3fn)", "AEC709", "fp8-on-t4", Severity.WARNING, "float8_e4m3fn"),
    ("torch.set_float32_matmul_precision('high')", "AEC710", "relies-on-tf32", Severity.NOTE, "no effect on a T4"),
    ("torch.backends.cudnn.allow_tf32 = True", "AEC710", "relies-on-tf32", Severity.NOTE, "no effect on a T4"),
    ("import xformers", "AEC712", "wheel-without-sm75", Severity.WARNING, "xformers: its wheels"),
    (
        "x = torch.ao.quantization.quantize_dynamic(x)",
        "AEC713",
        "quantised-for-cpu",
        Severity.WARNING,
        "no CUDA kernels",
    ),
]


@pytest.mark.parametrize(("body", "check", "name", "severity", "words"), CASES)
def test_each_trap_has_its_check(
    tmp_path: Path, body: str, check: str, name: str, severity: Severity, words: str
) -> None:
    (found,) = findings(tmp_path, body)
    assert (found.id, found.name, found.severity, found.at) == (check, name, severity, "a.py:4")
    assert words in found.message
    assert found.hint != next(one.fix for one in all_checks() if one.id == check)


def test_what_a_t4_does_has_no_finding(tmp_path: Path) -> None:
    body = "net = torch.compile(net.half())\nload(attn_implementation='sdpa')"
    assert findings(tmp_path, body, "torch\ntransformers\n") == []


def test_aec711_is_explained_by_aec707(tmp_path: Path) -> None:
    bf16, compiled = findings(tmp_path, "net = torch.compile(net)\nnet.bfloat16()")
    assert (bf16.id, bf16.at) == ("AEC707", "a.py:5")
    assert (compiled.id, compiled.name, compiled.severity) == ("AEC711", "compiles-bf16", Severity.WARNING)
    assert (compiled.at, compiled.because_of) == ("a.py:4", "AEC707")


@pytest.mark.parametrize(
    ("requirement", "check", "words", "hint"),
    [
        ("flash-attn", "AEC708", "flash-attn, which is required: ", "sed -i '2d' requirements.txt"),
        ("mamba-ssm", "AEC712", "mamba-ssm, which is required: ", "--no-binary mamba-ssm mamba-ssm"),
    ],
)
def test_a_mere_requirement_is_a_warning(tmp_path: Path, requirement: str, check: str, words: str, hint: str) -> None:
    (found,) = findings(tmp_path, "pass", f"torch\n{requirement}\n")
    assert (found.id, found.severity, found.at) == (check, Severity.WARNING, "requirements.txt:2")
    assert found.message.startswith(words)
    assert hint in found.hint


def test_a_sure_place_comes_first_and_makes_the_error(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "if fast:\n  import flash_attn\nimport flash_attn", "flash-attn\n")
    assert (found.severity, found.at) == (Severity.ERROR, "a.py:6")
    assert found.message.startswith("flash-attn: ")  # without a doubt
    assert found.message.endswith("; and 2 more places")


def test_what_may_not_be_reached_is_a_warning_that_says_so(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "try:\n  import flash_attn\nexcept ImportError:\n  pass")
    assert (found.severity, found.at) == (Severity.WARNING, "a.py:5")
    assert found.message.startswith("flash-attn, if that is reached: ")


def test_one_more_place_is_one(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "net.bfloat16()\nnet.bfloat16()")
    assert found.message.endswith("; and 1 more place")


def test_of_one_place_none_are_counted(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "net.bfloat16()")
    assert found.message.endswith(" is True there all the same)")


@pytest.mark.parametrize("body", [*dict.fromkeys(one[0] for one in CASES), "net = torch.compile(net.bfloat16())"])
def test_a_hint_is_one_line_that_raises_none_of_these_findings(tmp_path: Path, body: str) -> None:
    for number, found in enumerate(findings(tmp_path, body)):
        if " pip install " not in found.hint:
            again = f"with {found.hint[5:-1]}: pass" if found.hint.startswith("with ") else found.hint
            compile(again, "hint", "exec")
            assert findings(tmp_path / str(number), again) == []


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (
            "net.bfloat16()",
            "dtype = torch.bfloat16 if torch.cuda.is_available() and torch.cuda.get_device_capability() >",
        ),
        ("import flash_attn", "y = torch.nn.functional.scaled_dot_product_attention(q.transpose(1, 2), "),
        ("load(attn_implementation='flash_attention_2')", 'attn_implementation="sdpa"'),
        ("sdpa_kernel(SDPBackend.FLASH_ATTENTION)", "with sdpa_kernel([SDPBackend.EFFICIENT_ATTENTION"),
        ("torch.backends.cudnn.allow_tf32 = True", "torch.backends.cudnn.allow_tf32 = False"),
        ("torch.backends.cuda.matmul.allow_tf32 = True", 'torch.set_float32_matmul_precision("highest")'),
    ],
)
def test_the_hint_fits_what_was_found(tmp_path: Path, body: str, hint: str) -> None:
    (found,) = findings(tmp_path, body)
    assert found.hint.startswith(hint)
