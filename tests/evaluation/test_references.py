from __future__ import annotations

from audio_encoder_checker.evaluation.references import ON_MINI_DATA, baselines, quick_references
from audio_encoder_checker.evaluation.tasks import choose_tasks, quick_tasks


def test_every_known_encoder_was_measured_on_every_quick_task() -> None:
    references = quick_references()
    names = {one.name for one in references.scores}
    assert {"noise", "randomconv", "log-mel", "mfcc", "silero", "resemblyzer", "openwakeword", "crepe"} <= names
    for task in quick_tasks():
        assert {one.name for one in references.of(task.id)} == names
        assert all((one.track_b is not None) == task.track_b for one in references.of(task.id))


def test_baselines_are_those_of_the_challenge_page() -> None:
    known = baselines(choose_tasks(["esc50", "fsdkaggle2018", "voxceleb1", "maestro"]), mini=False)
    dasheng = known.find("dasheng", "esc50")
    assert dasheng is not None
    assert (dasheng.metric, dasheng.track_a, dasheng.track_b) == ("accuracy", 0.869, 0.621)
    data2vec = known.find("data2vec", "fsdkaggle2018")
    assert data2vec is not None
    assert (data2vec.track_a, data2vec.track_b) == (0.196, None)
    assert known.of("maestro") == ()
    assert known.notes == {"voxceleb1": ON_MINI_DATA}


def test_mini_data_may_be_compared_as_it_is() -> None:
    assert baselines(choose_tasks(["voxceleb1"]), mini=True).notes == {}
