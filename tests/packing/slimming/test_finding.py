"""What could go of a submission: every rule, what speaks against it, and that no byte counts twice."""

from __future__ import annotations

import json
import shlex
import shutil
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from audio_encoder_checker.errors import UsageError
from audio_encoder_checker.packing.selection import select_files
from audio_encoder_checker.packing.slimming.facts import Saving, SavingKind, Sized, Slimming
from audio_encoder_checker.packing.slimming.finding import find_savings
from audio_encoder_checker.packing.slimming.telling import slimming_lines
from tests.builders import make_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Source = Callable[[str], None]

LARGE = 200_000
NUMBERS = torch.arange(50_000.0)
"""As many bytes."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "repo"
    made.mkdir()
    return made


@pytest.fixture
def source(root: Path) -> Source:
    def write(text: str) -> None:
        (root / "encoder.py").write_text(text)

    write('PATH = "best.pt"\n')
    return write


def weights(start: int) -> torch.Tensor:
    return NUMBERS + start


def put(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path)


def found(root: Path, kind: SavingKind, **options: Any) -> list[Saving]:
    return [one for one in find_savings(root, **options).savings if one.kind is kind]


def paths(root: Path, kind: SavingKind, **options: Any) -> list[tuple[str, ...]]:
    return sorted(one.paths for one in found(root, kind, **options))


def run_remedy(one: Saving) -> None:
    """In this process, which has torch already; a shell would split the command the same way."""
    command = one.remedy.removeprefix("keep a copy, then run in the folder: ")
    python, option, code = shlex.split(command)
    assert (python, option) == ("python", "-c")
    exec(code, {})  # noqa: S102 - what users are told to run


def test_files_are_counted_by_what_they_are_for(root: Path, source: Source) -> None:
    source("x = 1\n")
    put(root / "w.safetensors", {"w": NUMBERS})
    for name, size in (("README.md", 10), ("LICENSE", 5), ("a.wav", 50), ("x.unknown", 7), ("c.yaml", 3)):
        put(root / name, b"x" * size)
    slimming = find_savings(root)
    assert {total.kind.value: (total.files, total.size_bytes) for total in slimming.totals} == {
        "weights": (1, (root / "w.safetensors").stat().st_size), "code": (2, 9), "documents": (2, 15), "data": (1, 50),
        "other": (1, 7),
    }  # fmt: skip
    assert slimming.totals[0].kind.value == "weights"
    assert slimming.largest[1] == Sized("a.wav", 50)
    assert slimming.size_bytes == sum(path.stat().st_size for path in root.iterdir())
    assert slimming.savings == ()


def test_of_a_folder_only_what_would_be_packed_counts(root: Path, source: Source) -> None:
    source("x = 1\n")
    put(root / "optimizer.pt", b"x" * LARGE)
    put(root / "trainer_state.json", b"{}")
    assert [one.path for one in find_savings(root).largest] == ["encoder.py"]
    assert paths(root, SavingKind.LEFTOVERS, unpacked=True) == [("optimizer.pt",), ("trainer_state.json",)]


@pytest.mark.parametrize(
    "name",
    [
        "optimizer.bin",
        "x/scheduler.bin",
        "random_states_0.pkl",
        "zero_pp_rank_0_optim_states.pt",
        "x/training_args.bin",
    ],
)
def test_training_leftovers_go_unless_the_sources_name_them(root: Path, source: Source, name: str) -> None:
    put(root / name, b"\0" * 10)
    (one,) = found(root, SavingKind.LEFTOVERS, unpacked=True)
    assert (one.paths, one.size_bytes, one.sure) == ((name,), 10, True)
    source(f"PATH = 'runs/{name.rpartition('/')[2]}'\n")
    assert found(root, SavingKind.LEFTOVERS, unpacked=True) == []


def test_folders_of_trackers_are_leftovers(root: Path, source: Source) -> None:
    source("x = 1\n")
    put(root / "wandb" / "run-1" / "files" / "log.txt", b"x" * 30)
    (one,) = found(root, SavingKind.LEFTOVERS, unpacked=True)
    assert (one.size_bytes, one.remedy) == (
        30,
        "pack the folder with `aecc-package build DIR`, which leaves this out by itself",
    )


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("x = 'runs/checkpoint-200'", [("runs/checkpoint-100/", "runs/checkpoint-3000/")]),
        ("x = 'checkpoint-20'", []),
        ("x = f'runs/checkpoint-{STEP}'", []),
        ("x = 'checkpoint-%d' % STEP", []),
        ("x = root.glob('checkpoint-*')", []),
        ("# checkpoint-200", []),
    ],
)
def test_checkpoints_beside_the_one_that_is_named_go(
    root: Path, source: Source, text: str, gone: list[tuple[str, ...]]
) -> None:
    source(text)
    for place, step in enumerate((100, 200, 3000)):
        put(root / "runs" / f"checkpoint-{step}" / "model.safetensors", {"w": weights(place)})
        put(root / "runs" / f"checkpoint-{step}" / "config.json", b"{}")
    assert paths(root, SavingKind.CHECKPOINTS) == gone


def test_numbered_files_beside_the_one_that_is_named_go(root: Path, source: Source) -> None:
    source("PATH = 'epoch=12.ckpt'")
    for place, number in enumerate((3, 12, 40)):
        put(root / f"epoch={number:02}.ckpt", {"w": weights(place)})
    (one,) = found(root, SavingKind.CHECKPOINTS)
    assert one.paths == ("epoch=03.ckpt", "epoch=40.ckpt")
    assert one.size_bytes == sum((root / name).stat().st_size for name in one.paths)
    assert "the sources name 'epoch=12.ckpt' and not these" in one.why


def test_the_same_bytes_are_found_and_the_named_file_stays(root: Path, source: Source) -> None:
    put(root / "a.pt", {"w": NUMBERS})
    for name in ("best.pt", "deep/er/b.pt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "a.pt", root / name)
    put(root / "other.pt", {"w": weights(1)})
    (one,) = found(root, SavingKind.SAME_FILE)
    assert (one.paths, one.size_bytes, one.sure) == (("a.pt", "deep/er/b.pt"), 2 * (root / "a.pt").stat().st_size, True)
    assert "'best.pt', which stays" in one.why
    assert one.remedy == "add the lines `/a.pt`, `/deep/er/b.pt` to .aeccignore"
    source("x = ['best.pt', 'a.pt']")
    (one,) = found(root, SavingKind.SAME_FILE)
    assert not one.sure
    assert one.remedy.startswith("load 'a.pt' where the sources load 'best.pt', then add the lines")


def test_sources_and_small_files_may_be_there_twice(root: Path, source: Source) -> None:
    source(f"x = {'a' * LARGE!r}\n")
    shutil.copy(root / "encoder.py", root / "again.py")
    put(root / "a.bin", b"x" * 1000)
    put(root / "b.bin", b"x" * 1000)
    assert found(root, SavingKind.SAME_FILE) == []


def test_the_line_of_the_remedy_leaves_out_just_that_file(root: Path, source: Source) -> None:
    source("x = 'kept.pt'")
    put(root / "kept.pt", {"w": NUMBERS})
    for name in ("[odd].pt", "odd.pt", "#.pt"):
        put(root / name, {"w": weights(len(name))})
    before = {one.name for one in select_files(root).files}
    for one in found(root, SavingKind.UNNAMED):
        line = one.remedy.split("`")[1]
        (root / ".aeccignore").write_text(line + "\n")
        after = {chosen.name for chosen in select_files(root).files} - {".aeccignore"}
        assert before - after == set(one.paths)
        (root / ".aeccignore").unlink()
    assert len(found(root, SavingKind.UNNAMED)) == 3


def test_a_gitignore_is_not_lost_by_the_remedy(root: Path, source: Source) -> None:
    source("x = 'kept.pt'")
    put(root / "kept.pt", {"w": NUMBERS})
    put(root / "stray.pt", {"w": weights(1)})
    (root / ".gitignore").write_text("*.log\n")
    (one,) = found(root, SavingKind.UNNAMED)
    assert one.remedy.endswith("to .aeccignore (begin it as a copy of .gitignore, whose place it takes)")


class TestFormats:
    def test_safetensors_stays_and_the_rest_goes(self, root: Path, source: Source) -> None:
        source("x = Model.from_pretrained('hf')\n")
        put(root / "hf" / "model.safetensors", {"w": NUMBERS})
        put(root / "hf" / "pytorch_model.bin", {"w": NUMBERS})
        for name in ("flax_model.msgpack", "tf_model.h5", "rust_model.ot"):
            put(root / "hf" / name, name.encode() * LARGE)
        assert paths(root, SavingKind.SAME_WEIGHTS) == [
            ("hf/flax_model.msgpack",), ("hf/pytorch_model.bin",), ("hf/rust_model.ot",), ("hf/tf_model.h5",)
        ]  # fmt: skip
        assert found(root, SavingKind.UNNAMED) == []

    def test_the_format_that_the_sources_name_stays(self, root: Path, source: Source) -> None:
        source("x = torch.load('best.pt')\n")
        put(root / "best.pt", {"w": NUMBERS})
        put(root / "best.safetensors", {"w": NUMBERS})
        (one,) = found(root, SavingKind.SAME_WEIGHTS)
        assert (one.paths, one.sure) == (("best.safetensors",), True)
        assert one.why == "as many numbers (50,000) as in 'best.pt', which stays"
        source("x = ('best.pt', 'best.safetensors')\n")
        (one,) = found(root, SavingKind.SAME_WEIGHTS)
        assert (one.paths, one.sure) == (("best.pt",), False)

    @pytest.mark.parametrize(
        "other", [{"w": NUMBERS[:-1].clone()}, {"w": NUMBERS, "optimizer": NUMBERS.clone()}], ids=["fewer", "more"]
    )
    def test_other_numbers_are_other_weights(self, root: Path, source: Source, other: object) -> None:
        source("x = 'a'\n")
        put(root / "a.safetensors", {"w": NUMBERS})
        put(root / "a.pt", other)
        assert found(root, SavingKind.SAME_WEIGHTS) == []

    def test_other_number_formats_are_looked_at_first(self, root: Path, source: Source) -> None:
        source("x = 'a.safetensors'\n")
        put(root / "a.safetensors", {"w": NUMBERS.half()})
        put(root / "a.pt", {"w": NUMBERS})
        (one,) = found(root, SavingKind.SAME_WEIGHTS)
        assert (one.paths, one.sure) == (("a.pt",), False)

    def test_shards_count_as_one_model(self, root: Path, source: Source) -> None:
        source("x = Model.from_pretrained('hf')\n")
        shards = [f"pytorch_model-0000{number}-of-00002.bin" for number in (1, 2)]
        for shard, part in zip(shards, NUMBERS.chunk(2), strict=True):
            put(root / "hf" / shard, {shard: part.clone()})
        put(root / "hf" / "model.safetensors", {"w": NUMBERS})
        put(
            root / "hf" / "pytorch_model.bin.index.json",
            json.dumps({"weight_map": dict.fromkeys("ab", "x") | dict(enumerate(shards))}).encode(),
        )
        (one,) = found(root, SavingKind.SAME_WEIGHTS)
        assert one.paths == tuple(f"hf/{shard}" for shard in shards)

    def test_foreign_weights_alone_are_left(self, root: Path, source: Source) -> None:
        source("x = 'other.pt'\n")
        put(root / "tf_model.h5", b"x" * LARGE)
        assert found(root, SavingKind.SAME_WEIGHTS) == []


def test_shards_that_no_index_names_go(root: Path, source: Source) -> None:
    source("x = Model.from_pretrained('hf')\n")
    for place, number in enumerate((1, 2)):
        put(root / "hf" / f"model-0000{number}-of-00002.safetensors", {"w": weights(place)})
        put(root / "hf" / f"model-0000{number}-of-00003.safetensors", {"w": weights(9 + place)})
    index = {"weight_map": {"w": "model-00001-of-00002.safetensors", "v": "model-00002-of-00002.safetensors"}}
    put(root / "hf" / "model.safetensors.index.json", json.dumps(index).encode())
    (one,) = found(root, SavingKind.SHARDS)
    assert one.paths == tuple(f"hf/model-0000{number}-of-00003.safetensors" for number in (1, 2))
    put(root / "hf" / "model.safetensors.index.json", b"[" * 10_000)
    assert len(found(root, SavingKind.SHARDS)) == 2
    source("x = glob('hf/model-*.safetensors')\n")
    assert found(root, SavingKind.SHARDS) == []


def test_a_shard_that_is_the_same_as_the_named_file_does_not_take_it_along(root: Path, source: Source) -> None:
    source("x = 'sub/model.safetensors'\n")
    put(root / "sub" / "model.safetensors", {"w": NUMBERS})
    shutil.copy(root / "sub" / "model.safetensors", root / "model-00001-of-00002.safetensors")
    gone = {path for one in find_savings(root).savings for path in one.paths}
    assert gone == {"model-00001-of-00002.safetensors"}


class TestInside:
    @pytest.mark.usefixtures("source")
    def test_training_state_goes_with_the_bytes_of_its_own(self, root: Path) -> None:
        model = {"w": NUMBERS, "b": weights(1)}
        shared = {"params": NUMBERS}
        state = {"state": {0: {"exp_avg": weights(2), "exp_avg_sq": weights(3)}}, "shared": shared}
        put(root / "best.pt", {"state_dict": model, "optimizer_states": [state], "lr_schedulers": [], "epoch": 2})
        (one,) = found(root, SavingKind.TRAINING_STATE)
        assert (one.size_bytes, one.sure) == (2 * LARGE, True)
        assert one.why.startswith("lr_schedulers, optimizer_states: ")

    @pytest.mark.parametrize("legacy", [False, True])
    def test_the_commands_do_what_they_say(
        self, root: Path, source: Source, legacy: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(root)
        source("x = torch.load('be st.pt')['state_dict']\n")
        tied = NUMBERS[:1000].clone()
        content = {
            "state_dict": {"w": weights(1).double(), "view": weights(5)[:10], "tied": tied, "again": tied},
            "optimizer": {"state": {0: weights(2)}},
            "ema": {"w": weights(3), "view": weights(4)[:10].clone(), "tied": tied.clone(), "again": tied[:5].clone()},
        }
        torch.save(content, root / "be st.pt", _use_new_zipfile_serialization=not legacy)
        before = (root / "be st.pt").stat().st_size
        savings = find_savings(root).savings
        assert {one.kind for one in savings} == {
            SavingKind.TRAINING_STATE, SavingKind.AVERAGE, SavingKind.UNUSED, SavingKind.FLOAT64
        }  # fmt: skip
        for one in savings:
            run_remedy(one)
        after = torch.load(root / "be st.pt", weights_only=True)
        assert after.keys() == {"state_dict"}
        assert after["state_dict"]["w"].dtype == torch.float32
        assert torch.equal(after["state_dict"]["view"], weights(5)[:10])
        assert abs(before - sum(one.size_bytes for one in savings) - (root / "be st.pt").stat().st_size) < 5000
        assert find_savings(root).savings == ()

    @pytest.mark.usefixtures("source")
    def test_a_key_of_the_model_is_no_training_state(self, root: Path) -> None:
        put(root / "best.pt", {"optimizer": NUMBERS, "scheduler.weight": weights(1), "w": weights(2)})
        assert found(root, SavingKind.TRAINING_STATE) == []

    @pytest.mark.usefixtures("source")
    def test_an_optimizers_own_file_goes_whole(self, root: Path) -> None:
        put(root / "best.pt", {"state": {0: {"exp_avg": NUMBERS}}, "param_groups": []})
        (one,) = found(root, SavingKind.TRAINING_STATE)
        assert one.size_bytes == (root / "best.pt").stat().st_size
        assert one.remedy == "add the line `/best.pt` to .aeccignore"

    @pytest.mark.parametrize(
        ("text", "key", "sure"),
        [
            ("torch.load('best.pt')['ema']", "model", True),
            ("torch.load('best.pt')['model']", "ema", True),
            ("torch.load('best.pt')[KEY]", "ema", False),
            ("torch.load('best.pt')['ema' if x else 'model']", "ema", False),
        ],
    )
    def test_of_the_model_and_its_average_the_one_in_use_stays(
        self, root: Path, source: Source, text: str, key: str, sure: bool
    ) -> None:
        source(text)
        put(root / "best.pt", {"model": {"w": NUMBERS}, "ema": {"w": weights(1)}})
        (one,) = found(root, SavingKind.AVERAGE)
        assert one.why.startswith(f"{key} holds as many tensors")
        assert (one.size_bytes, one.sure) == (LARGE, sure)

    def test_float64_could_be_float32_and_nothing_smaller(
        self, root: Path, source: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(root)
        source("x = ['a.safetensors', 'b.npy', 'c.npz', 'best.pt']")
        put(root / "a.safetensors", {"w": NUMBERS.double(), "v": NUMBERS})
        np.save(root / "b.npy", np.arange(50_000.0))
        np.savez(root / "c.npz", x=np.arange(50_000.0), y=np.arange(5))
        put(root / "best.pt", {"w": NUMBERS})
        savings = found(root, SavingKind.FLOAT64)
        assert {one.paths: (one.size_bytes, one.sure) for one in savings} == {
            (name,): (LARGE, False) for name in ("a.safetensors", "b.npy", "c.npz")
        }
        for one in savings:
            run_remedy(one)
        assert found(root, SavingKind.FLOAT64) == []
        assert torch.equal(load_file(root / "a.safetensors")["w"], NUMBERS)
        assert np.load(root / "c.npz")["x"].tolist() == list(range(50_000))
        assert np.load(root / "b.npy").dtype == np.float32

    @pytest.mark.usefixtures("source")
    def test_what_cannot_be_looked_into_is_noted(self, root: Path) -> None:
        put(root / "best.pt", {"w": NUMBERS})
        with ZipFile(root / "best.pt") as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        order = next(name for name in members if name.endswith("byteorder"))
        put(root / "best.pt", make_zip({**members, order: b"big"}, compress=False))
        why = "its numbers are written in the order of another machine"
        assert find_savings(root).notes == (f"best.pt was not looked into: {why}",)


class TestUnnamed:
    @pytest.mark.usefixtures("source")
    def test_weights_that_nothing_names_could_go(self, root: Path) -> None:
        put(root / "best.pt", {"w": NUMBERS})
        put(root / "stray.pt", {"w": weights(1)})
        (one,) = find_savings(root).savings
        assert (one.kind, one.paths, one.sure) == (SavingKind.UNNAMED, ("stray.pt",), False)

    @pytest.mark.parametrize(
        "text",
        [
            "['best.pt', 'stray.pt']",
            "['best.pt', 'x/stray.pt']",
            "['best.pt', 'stray']",
            "['best.pt', f'{name}ay.pt']",
            "['best.pt', 'str*']",
            "['best.pt', '.pt']",
            "['best.pt', '%s.pt' % name]",
            "['best.pt', '{}.pt'.format(name)]",
        ],
    )
    def test_whatever_may_name_them_keeps_them(self, root: Path, source: Source, text: str) -> None:
        source(f"x = {text}\n")
        put(root / "best.pt", {"w": NUMBERS})
        put(root / "stray.pt", {"w": weights(1)})
        assert find_savings(root).savings == ()

    @pytest.mark.usefixtures("source")
    def test_settings_name_files_too(self, root: Path) -> None:
        put(root / "best.pt", {"w": NUMBERS})
        put(root / "stray.pt", {"w": weights(1)})
        put(root / "conf" / "a.yaml", b"checkpoint: stray.pt\n")
        assert find_savings(root).savings == ()

    def test_where_nothing_is_named_nothing_is_said(self, root: Path, source: Source) -> None:
        source("x = next(root.iterdir())\n")
        put(root / "best.pt", {"w": NUMBERS})
        put(root / "stray.pt", {"w": weights(1)})
        assert find_savings(root).savings == ()

    def test_a_source_that_cannot_be_parsed_names_all_that_it_holds(self, root: Path, source: Source) -> None:
        source("this is 'stray.pt' and 'best.pt' but no Python")
        put(root / "best.pt", {"w": NUMBERS})
        put(root / "stray.pt", {"w": weights(1)})
        assert find_savings(root).savings == ()


def crowded(root: Path) -> Slimming:
    """All rules at once, with files that several of them mean."""
    (root / "encoder.py").write_text("x = ['best.pt', 'hf/checkpoint-2'], Model.from_pretrained\n")
    put(root / "best.pt", {"state_dict": {"w": NUMBERS.double(), "v": weights(7)[:9]}, "optimizer": [weights(1)]})
    shutil.copy(root / "best.pt", root / "copy.pt")
    for step in (1, 2):
        put(root / "hf" / f"checkpoint-{step}" / "model.safetensors", {"w": weights(step)})
        put(root / "hf" / f"checkpoint-{step}" / "pytorch_model.bin", {"w": weights(step)})
        put(root / "hf" / f"checkpoint-{step}" / "optimizer.bin", {"w": weights(step)})
        put(root / "hf" / f"checkpoint-{step}" / "tf_model.h5", b"x" * LARGE)
    put(root / "stray.npy.pt", {"w": NUMBERS.double()})
    return find_savings(root, unpacked=True)


def test_no_byte_counts_twice(root: Path) -> None:
    slimming = crowded(root)
    whole = [
        one
        for one in slimming.savings
        if one.kind not in {SavingKind.TRAINING_STATE, SavingKind.UNUSED, SavingKind.FLOAT64}
    ]
    optimizers = {f"hf/checkpoint-{step}/optimizer.bin" for step in (1, 2)}
    gone = [name for one in whole for name in one.paths if not name.endswith("/")]
    below = {path.relative_to(root).as_posix() for path in (root / "hf" / "checkpoint-1").iterdir()}
    assert [one.paths for one in whole if one.kind is SavingKind.CHECKPOINTS] == [("hf/checkpoint-1/",)]
    assert {one.paths for one in whole if one.kind is SavingKind.LEFTOVERS} == {tuple(sorted(optimizers))}
    gone += below - optimizers
    assert len(gone) == len(set(gone))
    assert sum(one.size_bytes for one in whole) == sum((root / name).stat().st_size for name in gone)
    inside = [one for one in slimming.savings if one not in whole]
    assert {one.paths for one in inside} == {("best.pt",)}
    assert sum(one.size_bytes for one in inside) < (root / "best.pt").stat().st_size
    assert sum(one.size_bytes for one in slimming.savings) < slimming.size_bytes


def test_all_is_told_in_words(root: Path) -> None:
    slimming = crowded(root)
    lines = list(slimming_lines(slimming))
    assert lines[0].endswith(" in all")
    assert "largest files" in lines
    assert sum(line.startswith("    -> ") for line in lines) == len(slimming.savings)
    assert any(line.startswith("could go: ") for line in lines)
    assert any(line.startswith("could go, but have a look first: ") for line in lines)


@pytest.mark.usefixtures("source")
def test_names_are_printable(root: Path) -> None:
    put(root / "best.pt", {"w": NUMBERS, "optimizer": {"x\x1b[2J": NUMBERS.double()}})
    put(root / "a\u202eb.pt", {"w": weights(1)})
    lines = list(slimming_lines(find_savings(root, unpacked=True)))
    assert not [line for line in lines if "\x1b" in line or "\u202e" in line]
    assert [line for line in lines if "a\\u202eb.pt" in line]


def test_a_folder_that_is_none_is_refused(root: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        find_savings(root / "gone")
    with pytest.raises(UsageError, match="holds no file"):
        find_savings(root)
