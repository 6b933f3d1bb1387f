"""Profiles are data that agree with their schema."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from audio_encoder_checker import toml
from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.rules import load_rules, schema

PROFILES = sorted((Path(str(resources.files("audio_encoder_checker"))) / "resources" / "profiles").glob("*.toml"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda p: p.stem)
def test_every_profile_satisfies_the_schema_and_loads(path: Path) -> None:
    jsonschema.Draft202012Validator(schema("rules")).validate(toml.loads(path.read_text(encoding="utf-8")))
    assert load_rules(path.stem).name == path.stem
    assert load_rules(str(path)) == load_rules(path.stem)


def test_the_default_profile_holds_the_challenges_numbers() -> None:
    rules = load_rules()
    assert (rules.contract.official_batch, rules.contract.official_samples) == (2, 50_000)
    assert (rules.evaluation.knn_neighbours, rules.evaluation.knn_temperature) == (10, 0.07)
    assert rules.budget.ram_bytes == 12 * 2**30


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("max_entries = 10_000", "max_entries = -1"), "archive.max_entries"),
        (("max_entries = 10_000", "max_files = 3"), "archive"),
        (('name = "icme-2025"', "name = 3"), "name"),
        (("[budget]", "[budget"), "not valid TOML"),
    ],
)
def test_a_bad_profile_of_ones_own_names_the_place(change: tuple[str, str], complaint: str, tmp_path: Path) -> None:
    text = PROFILES[0].read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(UsageError, match="mine") as error:
        load_rules(str(path))
    assert complaint in str(error.value)


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as error:
        load_rules("icml-1999")
    assert "icme-2025" in error.value.hint
