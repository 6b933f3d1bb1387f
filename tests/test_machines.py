"""Machines are data that agree with their schema; a user's own is read by the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from audio_encoder_checker import toml
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.machines import AllocatorRules, machine_of
from audio_encoder_checker.rules import RESOURCES, load_machine, load_rules, schema

if TYPE_CHECKING:
    from pathlib import Path

MACHINES = sorted((RESOURCES / "budgets").glob("*.toml"))


def data(path: Path = RESOURCES / "budgets" / "colab-t4.toml") -> dict[str, Any]:
    found: dict[str, Any] = toml.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", MACHINES, ids=lambda p: p.stem)
def test_every_machine_satisfies_the_schema_and_loads(path: Path) -> None:
    jsonschema.Draft202012Validator(schema("budget")).validate(data(path))
    machine = load_machine(path.stem)
    assert machine.name == path.stem
    assert load_machine(str(path)) == machine
    assert machine.gpu.capability == (7, 5)
    assert 0 < machine.gpu.context_bytes[0] <= machine.gpu.context_bytes[1]
    assert machine.gpu.cap_bytes == machine.gpu.total_bytes - machine.gpu.context_bytes[1]


def test_the_rule_book_names_a_t4_and_an_option_another_machine() -> None:
    assert load_rules().budget.machine.name == "colab-t4"
    assert load_rules(machine="kaggle-t4x2").budget.machine.name == "kaggle-t4x2"


def test_the_allocator_is_torch_s() -> None:
    assert load_machine("colab-t4").gpu.allocator == AllocatorRules()


def test_ranges_may_be_given_from_either_end() -> None:
    turned = data()
    turned["gpu"]["context_bytes"].reverse()
    assert machine_of(turned) == load_machine("colab-t4")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("total_bytes = 15_637_086_208", "total_bytes = -1"), "gpu.total_bytes"),
        (("launch_s = 12.0e-6", ""), "gpu.rates"),
        (("[disk]", "[disc]"), "top level"),
        (("capability = [7, 5]", "capability = [7]"), "gpu.capability"),
        (("[session]", "[session"), "not valid TOML"),
    ],
)
def test_a_wrong_machine_is_refused_by_the_name_of_the_place(
    change: tuple[str, str], complaint: str, tmp_path: Path
) -> None:
    text = (RESOURCES / "budgets" / "colab-t4.toml").read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=complaint):
        load_machine(str(path))


def test_a_name_that_nobody_knows_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no budget 'a100'") as caught:
        load_machine("a100")
    assert "colab-t4, kaggle-t4x2" in caught.value.hint
    with pytest.raises(UsageError, match="cannot read"):
        load_machine("nowhere.toml")
