"""Work at the top level of a file, and what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive import import_work
from audio_encoder_checker.archive.import_work import find_import_work
from audio_encoder_checker.archive.syntax import parse_source

if TYPE_CHECKING:
    from pathlib import Path

    from audio_encoder_checker.evidence.source import ImportWork

ENCODER = """\
class Net(nn.Module):
    def forward(self, x): return x
class AcmeEncoder(nn.Module):
    output_dim = 4
    def forward(self, x): return x
class LabelEncoder:
    pass
def main(): pass
def train(): loss.backward()
def get_args(): return parser.parse_args()
def options():
    args = get_args()
    return args
def build(): return AcmeEncoder().eval()
def setup(): logging.basicConfig()
def batches():
    yield parser.parse_args()
def maybe(args=None):
    if args is None:
        args = parser.parse_args()
    return args
"""
LINE = ENCODER.count("\n") + 1


def work(tmp_path: Path, source: str, *imported: str) -> tuple[ImportWork, ...]:
    path = tmp_path / "encoder.py"
    path.write_text(source, encoding="utf-8")
    return find_import_work(parse_source(path, "encoder.py"), imported)


@pytest.mark.parametrize(
    ("code", "calls", "kind"),
    [
        ("main()", "main", "PROGRAM"),
        ("args = parser.parse_args()", "parser.parse_args", "ARGUMENTS"),
        ("RATE = argparse.ArgumentParser().parse_args().rate", "parse_args", "ARGUMENTS"),
        ("ARGS = get_args()", "get_args", "ARGUMENTS"),
        ("ARGS = vars(options())", "options", "ARGUMENTS"),
        ("encoder = AcmeEncoder()", "AcmeEncoder", "ENCODER"),
        ("encoder: object = build()", "build", "ENCODER"),
        ("print(AcmeEncoder()(torch.randn(2, 50000)).shape)", "AcmeEncoder", "ENCODER"),
        ("assert AcmeEncoder().output_dim == 4", "AcmeEncoder", "ENCODER"),
        ("with torch.no_grad():\n    x = AcmeEncoder()", "AcmeEncoder", "ENCODER"),
        ("try:\n    main()\nexcept ValueError: pass", "main", "PROGRAM"),
        ("for _ in range(10):\n    loss.backward()", "loss.backward", "TRAINING"),
        ("while True:\n    train()", "train", "TRAINING"),
    ],
)
def test_work_is_found(tmp_path: Path, code: str, calls: str, kind: str) -> None:
    (found,) = work(tmp_path, ENCODER + code)
    assert (found.calls, found.kind.name) == (calls, kind)
    assert found.line == LINE + code[: code.index("\n") if "\n" in code else 0].count("x") + ("\n" in code)
    assert found.text


@pytest.mark.parametrize(
    "code",
    [
        'if __name__ == "__main__":\n    main()',
        'if "__main__" == __name__ and x:\n    main()',
        "if TYPE_CHECKING:\n    main()",
        "if DEBUG:\n    main()",
        "try:\n    import x\nexcept ImportError:\n    x = None",
        "try:\n    main()\nexcept (KeyError, SystemExit):\n    pass",
        "try:\n    args = parser.parse_args()\nexcept:\n    args = None",
        "NET = Net()",
        "LABELS = LabelEncoder()",
        "WINDOW = torch.hann_window(400)",
        "setup()",
        "logging.basicConfig(level=logging.INFO)",
        "registry.register(AcmeEncoder)",
        "@register('acme')\ndef f(): main()",
        "@dataclass(frozen=True)\nclass Config:\n    rate: int = field(default=1)",
        "CONFIG = Config()",
        "parser = argparse.ArgumentParser()\nparser.add_argument('x')",
        "args, _ = parser.parse_known_args()",
        "args = parser.parse_args([])",
        "ARGS = maybe()",
        "make = lambda: AcmeEncoder()",
        "encoders = (AcmeEncoder() for _ in range(2))",
        "x = None if True else build()",
        "x = cached or build()",
        "made = batches()",
        "for i in range(88):\n    NOTES.append(note(i))",
        "async def run(): main()",
        "def late():\n    main()",
        "class Late:\n    def f(self): main()",
        "x = self.main()",
        "result = main()",
    ],
)
def test_what_honest_files_do_is_none(tmp_path: Path, code: str) -> None:
    assert work(tmp_path, ENCODER + code) == ()


def test_a_program_may_come_from_another_file(tmp_path: Path) -> None:
    assert [one.calls for one in work(tmp_path, "from lib import main\nmain()\n", "main")] == ["main"]
    assert work(tmp_path, "from library import main\nmain()\n") == ()


def test_a_file_that_cannot_be_parsed_does_nothing(tmp_path: Path) -> None:
    assert work(tmp_path, "main(") == ()


def test_a_line_is_told_once_and_so_many_are_enough(tmp_path: Path) -> None:
    assert len(work(tmp_path, ENCODER + "print(AcmeEncoder(), AcmeEncoder())")) == 1
    assert len(work(tmp_path, ENCODER + "main()\n" * 10_000)) == import_work.MOST


def test_functions_that_call_each_other_take_no_more_than_linear_time(tmp_path: Path) -> None:
    chain = "".join(f"def f{n}(): f{n + 1}(); f{n // 2}()\n" for n in range(4_000))
    assert work(tmp_path, chain + "f0()\n") == ()
    assert len(work(tmp_path, chain + "def f4000(): p.parse_args()\nf0()\n")) == 1
