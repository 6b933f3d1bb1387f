"""Data at an address, which is a folder of this machine here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from audio_encoder_checker.cli.check import _data
from audio_encoder_checker.datasets.remote import SUMS, content_sha256, is_address, local_copy
from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evaluation import cache
from audio_encoder_checker.pipeline import Options, check_submission
from audio_encoder_checker.render import to_json
from audio_encoder_checker.stages.plan import Wishes
from tests import shards
from tests.profiles import BRIEF, changed_profile

GOOD = Path(__file__).parents[1] / "specimens" / "good-frames"


def served(folder: Path, files: dict[str, bytes]) -> str:
    """An address that holds files and their hashes."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in files.items()]
    (folder / SUMS).write_text("\n".join(lines) + "\n")
    return folder.as_uri()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("s3://bucket/x", True), ("file:///x", True), ("data", False), ("/x//y", False), ("C:\\\\x", False)],
)
def test_an_address_is_told_from_a_path(text: str, *, expected: bool) -> None:
    assert is_address(text) is expected


def test_files_are_copied_once_and_again_where_they_changed(tmp_path: Path) -> None:
    address = served(tmp_path / "far", {"a/1.tar": b"one", "b.tar": b"two"})
    folder = local_copy(address)
    assert (folder / "a" / "1.tar").read_bytes() == b"one"
    (tmp_path / "far" / "b.tar").unlink()  # whoever has it does not need it
    assert local_copy(address) == folder
    (folder / "a" / "1.tar").write_bytes(b"damaged")
    local_copy(address)
    assert (folder / "a" / "1.tar").read_bytes() == b"one"


def test_what_is_not_what_its_list_says_gets_no_name(tmp_path: Path) -> None:
    address = served(tmp_path / "far", {"a.tar": b"one"})
    (tmp_path / "far" / "a.tar").write_bytes(b"other")
    with pytest.raises(MachineError, match="SHA256SUMS says"):
        local_copy(address)
    assert [path for path in (tmp_path / "cache" / "data").rglob("*") if path.is_file()] == [
        *(tmp_path / "cache" / "data").glob("*.lock")
    ]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil"])
def test_no_name_leads_out_of_the_copy(name: str, tmp_path: Path) -> None:
    address = served(tmp_path / "far", {"a.tar": b"one"})
    (tmp_path / "far" / SUMS).write_text(f"{'0' * 64}  {name}\n")
    with pytest.raises(UsageError, match="cannot read"):
        local_copy(address)


@pytest.mark.parametrize("last", [SUMS, "a.tar"], ids=["list", "file"])
def test_an_error_that_only_the_client_of_an_address_knows_is_no_bug_of_ours(
    last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class RefusedError(Exception):
        """As aiohttp's for a status of 500: no OSError."""

    def refused(_self: object, path: str, *_words: object, **_wishes: object) -> None:
        raise RefusedError(f"500, url={path}")

    address = served(tmp_path / "far", {"a.tar": b"one"})
    monkeypatch.setattr(LocalFileSystem, "cat_file" if last == SUMS else "open", refused)
    if last != SUMS:
        monkeypatch.setattr(LocalFileSystem, "cat_file", lambda *_, **__: (tmp_path / "far" / SUMS).read_bytes())
    with pytest.raises(MachineError, match=f"500, url=.*/{last}"):
        local_copy(address)


def test_without_hashes_or_a_way_there_the_remedy_is_named(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    with pytest.raises(UsageError, match=f"holds no {SUMS}") as told:
        local_copy((tmp_path / "far").as_uri())
    assert "sha256sum" in told.value.hint
    with pytest.raises(UsageError, match="cannot open"):
        local_copy("nothing-like-it://x")


def test_the_hash_of_all_depends_on_names_and_contents(tmp_path: Path) -> None:
    one, two = served(tmp_path / "1", {"a": b"1"}), served(tmp_path / "2", {"a": b"1"})
    assert content_sha256(one) == content_sha256(two)
    assert content_sha256(served(tmp_path / "3", {"a": b"2"})) != content_sha256(one)


@pytest.mark.box
def test_scores_on_data_at_an_address_are_those_on_the_folder(tmp_path: Path) -> None:
    shards.write_task(tmp_path / "near", "vocalsound", 12)
    names = [path.relative_to(tmp_path / "near") for path in (tmp_path / "near").rglob("*") if path.is_file()]
    address = served(tmp_path / "far", {str(name): (tmp_path / "near" / name).read_bytes() for name in names})
    found, profile = [], changed_profile(tmp_path, **BRIEF)
    for data in (_data(str(tmp_path / "near")), _data(address)):
        evaluation = Wishes(data=data, tasks=("vocalsound",), keep=False)
        options = Options(stages=("evaluate",), trust=True, profile=profile, evaluation=evaluation)
        found.append(to_json.as_data(check_submission(GOOD, options))["scores"])
    assert json.dumps(found[0]) == json.dumps(found[1])
    assert found[0]["track_a"]["tasks"]
