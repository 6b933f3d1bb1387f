from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.evaluation.cache import cache_folder, content_key, environment_facts, kept_folder, prune

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AECC_CACHE_DIR", str(tmp_path / "cache"))


def fill(key: str, size: int, age_s: int) -> Path:
    folder = cache_folder() / "embeddings" / key
    folder.mkdir(parents=True)
    (folder / "x.npy").write_bytes(bytes(size))
    (folder / "state.json").write_text("{}")
    os.utime(folder / "state.json", (1_700_000_000 - age_s, 1_700_000_000 - age_s))
    return folder


def test_the_folder_is_the_users_unless_another_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("AECC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "audio-encoder-checker"


def test_embeddings_are_for_the_users_eyes_alone(tmp_path: Path) -> None:
    with kept_folder("k", tmp_path / "one"):
        assert (cache_folder() / "embeddings").stat().st_mode & 0o777 == 0o700


def test_a_key_depends_on_every_fact_and_on_nothing_else() -> None:
    assert content_key("a", {"b": 1, "c": 2}) == content_key("a", {"c": 2, "b": 1})
    assert len({content_key("a", "b"), content_key("ab"), content_key("a", ["b"]), content_key("b", "a")}) == 4


def test_the_environment_names_packages_with_their_versions() -> None:
    facts = environment_facts()
    assert any(one.startswith("torch==") for one in facts["packages"])
    assert facts == environment_facts()


def test_a_folder_belongs_to_one_run_at_a_time(tmp_path: Path) -> None:
    with kept_folder("k", tmp_path / "one") as first, kept_folder("k", tmp_path / "two") as second:
        assert first == cache_folder() / "embeddings" / "k"
        assert second == tmp_path / "two"
    with kept_folder("k", tmp_path / "three") as third:
        assert third == first


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AECC_CACHE_DIR", str(tmp_path / "file"))
    with kept_folder("k", tmp_path / "one") as folder:
        assert folder == tmp_path / "one"


def test_what_was_not_used_for_the_longest_time_goes_first() -> None:
    new, old, oldest = fill("new", 1000, 0), fill("old", 1000, 10), fill("oldest", 1000, 20)
    prune(most_bytes=2 * 1002)  # the others fit
    assert (new.exists(), old.exists(), oldest.exists()) == (True, True, False)
    assert not oldest.with_suffix(".lock").exists()
    prune(most_bytes=100)
    assert not new.exists()


def test_a_folder_was_used_when_its_last_part_was() -> None:
    used, old = fill("used", 1000, 30), fill("old", 1000, 10)
    fill("used/part", 0, 0)
    prune(most_bytes=1500)
    assert (used.exists(), old.exists()) == (True, False)


def test_what_another_run_is_using_stays(tmp_path: Path) -> None:
    busy = fill("busy", 1000, 20)
    with kept_folder("busy", tmp_path):
        prune(most_bytes=10)
    assert busy.exists()


def test_an_empty_cache_has_nothing_to_prune() -> None:
    prune()
