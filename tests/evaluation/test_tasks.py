from __future__ import annotations

import dataclasses
import sys
from importlib import resources

import jsonschema
import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evaluation.tasks import Task, load_task, quick_tasks
from audio_encoder_checker.rules import schema

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = resources.files("audio_encoder_checker") / "resources" / "tasks"
FILES = sorted(file.name for file in FOLDER.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_every_task_file_satisfies_the_schema_and_is_named_after_its_id(name: str) -> None:
    data = tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))
    jsonschema.validate(data, schema("task"))
    assert name == f"{data['id']}.toml"


def test_the_schema_and_the_dataclass_name_the_same_fields() -> None:
    fields = {field.name for field in dataclasses.fields(Task)}
    assert fields == set(schema("task")["properties"]) == set(schema("task")["required"])


@pytest.mark.parametrize("wrong", [{"classes": 1}, {"metric": "luck"}, {"unit": "dB"}, {"weight": -1}, {"id": "A b"}])
def test_the_schema_refuses_a_task_that_makes_no_sense(wrong: dict[str, object]) -> None:
    good = dataclasses.asdict(load_task("quick-speech"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good | wrong, schema("task"))


def test_the_quick_set_has_one_task_of_each_domain_and_all_count_for_both_tracks() -> None:
    tasks = quick_tasks()
    assert [task.domain for task in tasks] == ["speech", "sound", "music"]
    assert all(task.track_b and task.weight > 0 for task in tasks)


@pytest.mark.parametrize("task_id", ["quick-smell", "../profiles/icme-2025", ""])
def test_an_unknown_task_is_refused_and_the_known_ones_are_named(task_id: str) -> None:
    with pytest.raises(UsageError, match="there is no task") as caught:
        load_task(task_id)
    assert "quick-speech" in caught.value.hint
