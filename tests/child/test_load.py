"""How the encoder class is found and what is said of the object."""

from __future__ import annotations

import importlib.machinery
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from audio_encoder_checker.child import load

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    path, finders, modules = list(sys.path), list(sys.meta_path), set(sys.modules)
    arguments = sys.argv
    load.prepare(str(tmp_path), "encoder")
    yield tmp_path
    sys.path[:], sys.meta_path[:], sys.argv = path, finders, arguments
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.mark.usefixtures("repository")
def test_the_command_line_is_that_of_x_ares() -> None:
    assert sys.argv[1:] == ["encoder.py", "src/tasks/esc50_task.py"]


@pytest.mark.parametrize("suffix", [".py", ".pyc"])
def test_what_a_repository_brings_hides_nothing(suffix: str, repository: Path) -> None:
    for name in ("json", "numpy", "socket", "torch"):
        (repository / f"{name}{suffix}").touch()
        found = importlib.machinery.PathFinder.find_spec(name)
        assert found
        assert found.origin
        assert not Path(found.origin).is_relative_to(repository)


def test_a_module_whose_to_returns_nothing_is_told() -> None:
    class LostEncoder(torch.nn.Module):
        def to(self, *_args: object, **_kwargs: object) -> None:  # type: ignore[override]  # that is the mistake
            return None

    with pytest.raises(TypeError, match=r"LostEncoder.to\(device\) returned NoneType"):
        load.moved(LostEncoder(), "cpu")
    kept = torch.nn.Linear(1, 1)
    assert load.moved(kept, "cpu") is kept


def test_the_only_name_that_ends_so_is_taken(repository: Path) -> None:
    (repository / "aecc_t1.py").write_text("from json import JSONDecoder\nclass TinyEncoder: pass\n")
    found, names = load.find_class("aecc_t1", "Encoder", "")
    assert found.__name__ == "TinyEncoder"
    assert names == ["TinyEncoder"]


def test_imported_names_count_as_x_ares_counts_them(repository: Path) -> None:
    (repository / "aecc_t2.py").write_text("from json import JSONEncoder\nclass TinyEncoder: pass\n")
    with pytest.raises(load.EncoderNotFoundError) as error:
        load.find_class("aecc_t2", "Encoder", "")
    assert error.value.names == ["JSONEncoder", "TinyEncoder"]
    assert load.find_class("aecc_t2", "Encoder", "TinyEncoder")[0].__name__ == "TinyEncoder"


def test_the_module_is_imported_from_the_root(repository: Path) -> None:
    (repository / "aecc_pkg").mkdir()
    (repository / "aecc_sibling.py").write_text("X = 1\n")
    (repository / "aecc_pkg" / "enc.py").write_text("import aecc_sibling\nclass TinyEncoder: pass\n")
    assert load.find_class("aecc_pkg.enc", "Encoder", "")[0].__name__ == "TinyEncoder"


def test_the_submission_hides_neither_torch_nor_the_standard_library(repository: Path) -> None:
    (repository / "torch.py").write_text("raise RuntimeError('hidden')\n")
    (repository / "colorsys.py").write_text("raise RuntimeError('hidden')\n")
    (repository / "aecc_t3.py").write_text("import colorsys, torch\nclass TinyEncoder(torch.nn.Module): pass\n")
    assert load.find_class("aecc_t3", "Encoder", "")[0].__name__ == "TinyEncoder"


def test_the_submissions_own_checker_is_found_although_a_package_of_that_name_is_installed(repository: Path) -> None:
    (repository / "audio_encoder_checker.py").write_text("MARK = 1\n")
    spec = load.OwnCheckerFinder(str(repository)).find_spec("audio_encoder_checker")
    assert spec.origin == str(repository / "audio_encoder_checker.py")
    assert load.OwnCheckerFinder(str(repository)).find_spec("torch") is None


class Odd:
    sampling_rate: Any = True
    output_dim: Any = "768"
    hop_size_in_ms: Any = 11.61


def test_only_numbers_are_numbers() -> None:
    told = {a["name"]: a for a in load.describe(Odd())["attributes"]}
    assert told["sampling_rate"]["value"] is None
    assert told["output_dim"] == {
        "name": "output_dim",
        "present": True,
        "type": "str",
        "value": None,
        "text": "'768'",
    }
    assert told["hop_size_in_ms"]["value"] == 11.61


def test_layers_in_training_mode_are_named() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout(), torch.nn.BatchNorm1d(3))
    told = load.describe(module)
    assert told["parameters"] == 2 * 3 + 3 + 3 + 3
    assert told["training"] == ["1", "2"]
    assert load.describe(module.eval())["training"] == []
