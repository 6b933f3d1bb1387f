"""A user's own machine: each number arrives in its place, and each that is wrong or missing is named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.machines import AllocatorRules, Gpu, Machine, Rates
from audio_encoder_checker.rules import load_machine, load_rules

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
name = "mine"
title = "My own"
[gpu]
name = "Some card"
capability = [9, 1]
total_bytes = 1002
context_bytes = [31, 41]
workspace_bytes = [5, 6]
convolution_bytes = 7
convolution_share = 0.25
[gpu.allocator]
round_bytes = 11
small_bytes = 12
small_segment_bytes = 13
middle_bytes = 14
large_segment_bytes = 15
large_round_bytes = 16
large_rest_bytes = 17
[gpu.rates]
float32 = 21.5
float16 = 22
bfloat16 = 23.5
float64 = 24.5
memory = 25.5
launch_s = 26.5
factor = 27.5
[ram]
total_bytes = 1003
system_bytes = [51, 52]
cuda_bytes = [53, 54]
[disk]
free_bytes = 1004
[session]
cores = 3
hours = 9.5
download_rate = [61, 62]
"""
MINE = Machine(
    name="mine",
    title="My own",
    gpu=Gpu(
        name="Some card",
        capability=(9, 1),
        total_bytes=1002,
        context_bytes=(31, 41),
        workspace_bytes=(5, 6),
        convolution_bytes=7,
        convolution_share=0.25,
        allocator=AllocatorRules(11, 12, 13, 14, 15, 16, 17),
        rates=Rates(21.5, 22, 23.5, 24.5, 25.5, 26.5, 27.5),
    ),
    ram_bytes=1003,
    system_bytes=(51, 52),
    cuda_bytes=(53, 54),
    disk_bytes=1004,
    cores=3,
    session_hours=9.5,
    download_rate=(61, 62),
)


def places() -> list[tuple[str, str]]:
    """Section and line of every entry."""
    found, section = [], ""
    for line in TEXT.strip().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        else:
            found.append((section, line))
    return found


PLACES = places()
IDS = [f"{section}.{line.split()[0]}".strip(".") for section, line in PLACES]


def without(section: str, line: str, instead: str) -> str:
    head, bracket, rest = TEXT.partition(f"[{section}]\n") if section else ("", "", TEXT)
    return head + bracket + rest.replace(f"{line}\n", instead, 1)


def load(tmp_path: Path, text: str) -> Machine:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_machine(str(path))


def test_each_number_arrives_in_its_place(tmp_path: Path) -> None:
    assert load(tmp_path, TEXT) == MINE
    assert MINE.gpu.cap_bytes == 1002 - 41


def test_the_rule_book_takes_it_in_place_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, encoding="utf-8")
    assert load_rules(machine=str(path)).budget.machine == MINE


@pytest.mark.parametrize(("section", "line"), PLACES, ids=IDS)
def test_what_is_missing_is_named(section: str, line: str, tmp_path: Path) -> None:
    key = line.split(maxsplit=1)[0]
    with pytest.raises(UsageError, match=f"mine.toml: {section or 'top level'}: '{key}' is a required") as caught:
        load(tmp_path, without(section, line, ""))
    assert "--print-schema budget" in caught.value.hint


@pytest.mark.parametrize(("section", "line"), PLACES, ids=IDS)
def test_what_is_of_another_kind_is_named(section: str, line: str, tmp_path: Path) -> None:
    key = line.split(maxsplit=1)[0]
    place = re.escape(f"{section}.{key}".strip("."))
    for value in ("true", "[]", "{a = 1}"):
        with pytest.raises(UsageError, match=f"mine.toml: {place}: "):
            load(tmp_path, without(section, line, f"{key} = {value}\n"))


@pytest.mark.parametrize(("section", "line"), PLACES, ids=IDS)
def test_what_nobody_knows_is_named(section: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"mine.toml: {section or 'top level'}: .*'surprise' was unexpected"):
        load(tmp_path, without(section, line, f"{line}\nsurprise = 1\n"))


@pytest.mark.parametrize(
    ("line", "instead", "place"),
    [
        ("total_bytes = 1002", "total_bytes = 0", "gpu.total_bytes"),
        ("round_bytes = 11", "round_bytes = 0", "gpu.allocator.round_bytes"),
        ("float32 = 21.5", "float32 = 0", "gpu.rates.float32"),
        ("factor = 27.5", "factor = 0.5", "gpu.rates.factor"),
        ("convolution_share = 0.25", "convolution_share = 1.5", "gpu.convolution_share"),
        ("context_bytes = [31, 41]", "context_bytes = [31]", "gpu.context_bytes"),
        ("context_bytes = [31, 41]", "context_bytes = [31, -41]", "gpu.context_bytes.1"),
        ("capability = [9, 1]", "capability = [9, 1, 0]", "gpu.capability"),
        ("hours = 9.5", "hours = 0", "session.hours"),
        ('name = "mine"', 'name = "My Machine"', "name"),
    ],
)
def test_what_is_out_of_range_is_named(line: str, instead: str, place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"mine.toml: {re.escape(place)}: "):
        load(tmp_path, TEXT.replace(line, instead, 1))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(UsageError, match="cannot read the budget"):
        load_machine(str(path))
    with pytest.raises(UsageError, match="cannot read the budget"):
        load_machine(str(tmp_path / "nowhere.toml"))


@pytest.mark.parametrize("name", ["", "colab", "COLAB-T4", "../profiles/icme-2025", "mine.tml"])
def test_only_known_names_are_names(name: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"there is no budget {name!r}")) as caught:
        load_machine(name)
    assert "colab-t4" in caught.value.hint
