from __future__ import annotations

import dataclasses
import sys
from importlib import resources

import jsonschema
import pytest

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.evaluation.averages import weighted_average
from audio_encoder_checker.evaluation.tasks import Task, challenge_tasks, choose_tasks, quick_tasks
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
    assert {field.name for field in dataclasses.fields(Task)} == set(schema("task")["properties"])


@pytest.mark.parametrize(
    "wrong", [{"classes": -1}, {"metric": "luck"}, {"unit": "dB"}, {"weight": -1}, {"id": "A b"}, {"kind": "clip"}]
)
def test_the_schema_refuses_a_task_that_makes_no_sense(wrong: dict[str, object]) -> None:
    good = tomllib.loads((FOLDER / "quick-words.toml").read_text(encoding="utf-8"))
    jsonschema.validate(good, schema("task"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good | wrong, schema("task"))


def test_the_quick_set_has_every_domain_and_every_kind_but_asr() -> None:
    tasks = quick_tasks()
    assert {task.domain for task in tasks} == {"speech", "sound", "music"}
    kinds = set(schema("task")["properties"]["kind"]["enum"])
    assert {task.kind for task in tasks} == kinds - {"asr"}
    assert {"EER", "mAP", "MSE", "recall@1", "segment-F1-macro", "segment-F1-micro"} <= {task.metric for task in tasks}


FACTS = {  # weight, epochs, batch, encode batch, crop, track B: what X-ARES is configured with
    "asvspoof2015": (2000, 5, 64, 16, None, True),
    "clotho": (1045, 20, 128, 16, 30, False),
    "cremad": (1116, 10, 32, 16, None, True),
    "desed": (1153, 10, 32, 16, None, True),
    "esc50": (400, 10, 32, 16, None, True),
    "finger_snap": (5000, 20, 32, 16, None, True),
    "fluentspeechcommands": (2000, 10, 32, 1, None, True),
    "freemusicarchive": (800, 3, 32, 16, 10, True),
    "fsd50k": (2000, 10, 64, 16, 10, False),
    "fsdkaggle2018": (1600, 3, 64, 16, None, False),
    "gtzan_genre": (100, 10, 32, 16, None, True),
    "inside_outside_car": (5000, 20, 32, 16, None, True),
    "key_scratching": (5000, 20, 32, 16, None, True),
    "libricount": (1144, 10, 64, 16, None, True),
    "librispeech": (10000, 10, 4, 16, None, False),
    "librispeechmalefemale": (2620, 10, 32, 16, 5, True),
    "librispeechphoneme": (2620, 10, 32, 16, None, True),
    "liveenv": (5000, 50, 32, 16, None, False),
    "maestro": (65, 50, 1, 1, None, True),
    "nsynthinstument": (2000, 10, 32, 16, None, True),
    "nsynthpitch": (2000, 10, 32, 16, None, True),
    "ravdess": (360, 10, 32, 16, None, True),
    "speechcommandsv1": (2000, 10, 64, 16, None, True),
    "speechocean762": (2500, 10, 32, 16, None, False),
    "subway_broadcast": (5000, 20, 32, 16, None, True),
    "urbansound8k": (873, 10, 32, 16, None, True),
    "vocalimitations": (1867, 20, 32, 1, None, True),
    "vocalsound": (2000, 10, 32, 16, None, True),
    "voxceleb1": (2000, 10, 32, 16, 6, True),
    "voxlingua33": (1609, 10, 64, 16, 10, True),
}


def test_the_thirty_tasks_are_what_x_ares_runs() -> None:
    found = {
        task.id: (
            task.weight, task.training.epochs, task.training.batch_size, task.encoding.batch, task.encoding.crop_s,
            task.track_b,
        )
        for task in challenge_tasks()
    }  # fmt: skip
    assert found == FACTS
    assert {task.training.learning_rate for task in challenge_tasks()} == {1e-3}
    assert sum(task.hidden for task in challenge_tasks()) == 5


def test_an_average_over_the_published_baselines_is_that_of_the_challenge_page() -> None:
    listed = [task for task in challenge_tasks() if task.baselines]
    for name, track_a, track_b in (
        ("dasheng", 0.728, 0.384), ("wav2vec2", 0.500, 0.271), ("whisper", 0.629, 0.251), ("data2vec", 0.541, 0.350),
    ):  # fmt: skip
        found = weighted_average((task.baselines[name][0], task.weight) for task in listed)
        assert found == pytest.approx(track_a, abs=0.06)  # the page weighs by other sizes of the mini sets
        both = [task for task in listed if task.track_b]
        assert weighted_average((task.baselines[name][1], task.weight) for task in both) == pytest.approx(
            track_b, abs=0.06
        )


@pytest.mark.parametrize("task_id", ["quick-smell", "../profiles/icme-2025", ""])
def test_an_unknown_task_is_refused_and_the_known_ones_are_named(task_id: str) -> None:
    with pytest.raises(UsageError, match="there is no task") as caught:
        choose_tasks([task_id])
    assert "quick-words" in caught.value.hint
