"""Uploads to a Hub on the loopback: what it holds afterwards, and what is said where it refuses, fails or lies."""

from __future__ import annotations

import ast
import hashlib
import io
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import hf_hub_download
from huggingface_hub.utils import are_progress_bars_disabled  # type: ignore[attr-defined]  # its `utils` list no exports

from audio_encoder_checker.errors import MachineError, UsageError
from audio_encoder_checker.evidence.manifest import PackedFile
from audio_encoder_checker.packing.upload import Uploaded, snippet, upload_files
from tests.builders import write_tree
from tests.packing.upload_hub import CUT, Fault, UploadHub, point_client_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # of the client's own request

NAME = "team/weights"
WRITER = "hf_writer"
LARGE = bytes(range(256)) * 200
SMALL = b'{"sample_rate": 16000}'


@pytest.fixture(scope="module")
def server() -> Iterator[UploadHub]:
    server = UploadHub()
    yield server
    server.close()


@pytest.fixture
def hub(server: UploadHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> UploadHub:
    """The Hub of this test, and a token that may write there."""
    server.reset()
    point_client_at(server, monkeypatch, tmp_path)
    monkeypatch.setenv("HF_TOKEN", WRITER)
    monkeypatch.setattr("audio_encoder_checker.packing.upload.WAITS_S", (0.0, 0.0))
    return server


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """One that goes by LFS, and one that stands in the commit."""
    root = write_tree(tmp_path / "here", {"w.safetensors": LARGE, "config.json": SMALL})
    return [root / "w.safetensors", root / "config.json"]


def upload(files: list[Path], repository: str = NAME, *, private: bool = False, token: str | None = None) -> Uploaded:
    return upload_files(files, repository, private=private, message="weights of the run", token=token)


def commits(hub: UploadHub) -> int:
    """Made by uploads, not with the repository."""
    return len(hub.repositories["model", NAME].commits) - 1


def test_all_files_stand_in_one_commit_by_their_own_names(hub: UploadHub, files: list[Path]) -> None:
    uploaded = upload(files)
    assert hub.held(NAME, uploaded.commit).items() >= {"w.safetensors": LARGE, "config.json": SMALL}.items()
    assert hub.messages == ["weights of the run"]
    assert uploaded == Uploaded(
        repository=NAME,
        commit=hub.repositories["model", NAME].names["main"],
        url=f"{hub.url}/{NAME}/tree/{uploaded.commit}",
        private=False,
        files=(
            PackedFile("w.safetensors", len(LARGE), hashlib.sha256(LARGE).hexdigest()),
            PackedFile("config.json", len(SMALL), hashlib.sha256(SMALL).hexdigest()),
        ),
    )
    assert hub.count("PUT", hashlib.sha256(LARGE).hexdigest()) == 1
    assert hub.count("PUT") == 1


def test_what_was_uploaded_comes_back_at_its_revision(hub: UploadHub, files: list[Path], tmp_path: Path) -> None:
    first = upload(files)
    files[0].write_bytes(LARGE[::-1])
    second = upload(files)
    assert first.commit != second.commit
    for uploaded, content in ((first, LARGE), (second, LARGE[::-1])):
        path = hf_hub_download(
            NAME, "w.safetensors", revision=uploaded.commit, endpoint=hub.url, cache_dir=tmp_path / "cache"
        )
        with open(path, "rb") as file:  # noqa: PTH123 - the client gives text, and links into its cache
            assert file.read() == content


@pytest.mark.parametrize("count", [1, 2])
def test_the_lines_shown_download_it(count: int, hub: UploadHub, files: list[Path], tmp_path: Path) -> None:
    uploaded = upload(files[:count])
    files[0].write_bytes(b"newer")
    upload(files)
    code = snippet(uploaded) + ("print(path)" if count == 1 else "print(folder + '/w.safetensors')")
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    with open(done.stdout.strip(), "rb") as file:  # noqa: PTH123 - same
        assert file.read() == LARGE


@pytest.mark.parametrize(
    "name", ["a.bin", "sub/名字.bin", "it's.bin", 'a"b.bin', "a\\b.bin", "a\nb.bin", "a\u202eb.bin"]
)
def test_the_lines_shown_are_python_whatever_the_name(name: str) -> None:
    lines = snippet(Uploaded(NAME, "a" * 40, "", private=False, files=(PackedFile(name, 1, ""),)))
    (call,) = (node for node in ast.walk(ast.parse(lines)) if isinstance(node, ast.Call))
    assert [ast.literal_eval(one) for one in call.args] == [NAME, name]
    assert [(one.arg, ast.literal_eval(one.value)) for one in call.keywords] == [("revision", "a" * 40)]


def test_a_folder_keeps_its_paths_and_what_is_no_part_of_it_stays_here(hub: UploadHub, tmp_path: Path) -> None:
    tree: dict[str, bytes | str] = {
        "model/w.safetensors": LARGE,
        "README.md": "# weights\n",
        ".env": "HF_TOKEN=x",
        "a/__pycache__/b.pyc": b"x",
    }
    uploaded = upload([write_tree(tmp_path / "here", tree)])
    assert set(hub.held(NAME)) == {".gitattributes", "README.md", "model/w.safetensors"}
    assert [file.name for file in uploaded.files] == ["README.md", "model/w.safetensors"]
    assert [note.partition(": ")[2] for note in uploaded.notes] == [
        "keys and secrets (files: 1)",
        "caches and compiled Python (files: 1)",
    ]


def test_the_second_upload_of_the_same_file_is_the_same_commit(hub: UploadHub, files: list[Path]) -> None:
    first, second = upload(files), upload(files)
    assert first == second
    assert commits(hub) == 1
    assert hub.count("PUT") == 1


def test_what_a_repository_holds_already_stays(hub: UploadHub, files: list[Path]) -> None:
    hub.add(NAME, {"other.txt": b"kept", "config.json": b"old"})
    upload(files)
    assert hub.held(NAME) == {"other.txt": b"kept", "config.json": SMALL, "w.safetensors": LARGE}


def test_a_private_repository_can_be_written_and_says_who_cannot_read_it(hub: UploadHub, files: list[Path]) -> None:
    uploaded = upload(files, private=True)
    assert hub.repositories["model", NAME].wall == "private"
    assert uploaded.private
    assert uploaded.notes == (f"{NAME} is private: the organisers cannot read it until you make it public",)


def test_one_that_was_private_before_says_so_too(hub: UploadHub, files: list[Path]) -> None:
    hub.add(NAME, {}, wall="private")
    hub.wishes.gated = True
    uploaded = upload(files)
    assert uploaded.private
    assert [note.partition(":")[0] for note in uploaded.notes] == [f"{NAME} is private", f"{NAME} is gated"]


def test_nothing_meant_to_be_private_goes_to_a_public_repository(hub: UploadHub, files: list[Path]) -> None:
    hub.add(NAME, {"other.txt": b"kept"})
    with pytest.raises(UsageError, match="is there already, and everybody can read it") as caught:
        upload(files, private=True)
    assert f"{hub.url}/{NAME}/settings" in caught.value.hint
    assert hub.held(NAME) == {"other.txt": b"kept"}
    assert not hub.objects


def test_no_token(hub: UploadHub, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    with pytest.raises(UsageError, match="no token for the Hub") as caught:
        upload(files)
    assert "hf auth login" in caught.value.hint
    assert "HF_TOKEN" in caught.value.hint
    assert not hub.asked


def test_a_token_given_goes_before_that_of_the_environment(
    hub: UploadHub, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_unknown")
    assert upload(files, token=WRITER).files
    asked = [one.headers for one in hub.asked if NAME in one.path]
    said = [value for headers in asked for name, value in headers.items() if name.lower() == "authorization"]
    assert said == ["Bearer hf_writer"] * len(asked)


@pytest.mark.parametrize(
    ("token", "message", "hint"),
    [
        ("hf_unknown", "the Hub does not accept the token", "hf auth login"),
        ("hf_reader", f"the token cannot write to '{NAME}': You don't have the rights", "/settings/tokens"),
    ],
)
@pytest.mark.parametrize("exists", [False, True])
def test_a_token_that_is_bad_or_may_only_read(
    token: str, message: str, hint: str, hub: UploadHub, files: list[Path], *, exists: bool
) -> None:
    if exists:
        hub.add(NAME, {})
    with pytest.raises(UsageError, match=message) as caught:
        upload(files, token=token)
    assert hint in caught.value.hint
    assert token not in str(caught.value)
    assert not hub.objects


def test_a_token_for_one_repository_only_need_not_make_it(hub: UploadHub, files: list[Path]) -> None:
    hub.add(NAME, {})
    assert upload(files).files
    assert hub.count("POST", "/repos/create") == 0


@pytest.mark.parametrize(
    ("part", "status", "message"),
    [
        ("/repos/create", 404, f"the Hub knows no repository '{NAME}'"),
        ("/commit/main", 403, f"the token cannot write to '{NAME}': as the test wishes"),
        ("/commit/main", 409, "was changed at the same time: as the test wishes"),
        ("/commit/main", 413, "the Hub refuses the upload: as the test wishes"),
        ("/objects/batch", 403, f"the token cannot write to '{NAME}'"),
        ("/upload/", 403, f"the token cannot write to '{NAME}'"),
    ],
)
def test_what_the_hub_refuses_is_the_users_to_mend(
    part: str, status: int, message: str, hub: UploadHub, files: list[Path]
) -> None:
    method = "PUT" if part == "/upload/" else "POST"
    hub.wishes.faults = [Fault(method, part, status, times=9)]
    with pytest.raises(UsageError, match=message) as caught:
        upload(files)
    assert caught.value.hint
    assert hub.count(method, part) == 1


def test_metadata_that_the_hub_refuses_is_named(hub: UploadHub, tmp_path: Path) -> None:
    hub.wishes.faults = [Fault("POST", "/validate-yaml", 400)]
    with pytest.raises(UsageError, match=r"the Hub refuses the upload: Invalid metadata in README\.md"):
        upload([write_tree(tmp_path / "here", {"README.md": "---\nlicense: 1\n---\n"}) / "README.md"])
    assert commits(hub) == 0


@pytest.mark.parametrize("fault", [500, CUT])
@pytest.mark.parametrize("part", ["/repos/create", "/commit/main", "/paths-info/"])
def test_a_hub_that_fails_once_is_asked_again(fault: int, part: str, hub: UploadHub, files: list[Path]) -> None:
    hub.wishes.faults = [Fault("POST", part, fault)]
    uploaded = upload(files)
    assert hub.held(NAME, uploaded.commit)["w.safetensors"] == LARGE
    assert commits(hub) == 1
    assert hub.count("POST", part) == 2


def test_an_upload_that_is_cut_off_is_sent_again(hub: UploadHub, files: list[Path]) -> None:
    hub.wishes.faults = [Fault("PUT", "/upload/", CUT)]
    upload(files)
    assert hub.held(NAME)["w.safetensors"] == LARGE
    assert hub.count("PUT") == 2


@pytest.mark.parametrize("status", [500, CUT])
def test_a_commit_whose_answer_is_lost_is_not_made_twice(status: int, hub: UploadHub, files: list[Path]) -> None:
    hub.wishes.faults = [Fault("POST", "/commit/main", status, after=True)]
    uploaded = upload(files)
    assert uploaded.commit == hub.repositories["model", NAME].names["main"]
    assert commits(hub) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [(500, "the Hub answers with status 500: as the test wishes"), (503, "status 503"), (CUT, "does not answer")],
)
def test_a_hub_that_goes_on_failing_is_given_up(status: int, message: str, hub: UploadHub, files: list[Path]) -> None:
    hub.wishes.faults = [Fault("POST", "/commit/main", status, times=9)]
    with pytest.raises(MachineError, match=message):
        upload(files)
    assert hub.count("POST", "/commit/main") == 3
    assert commits(hub) == 0


@pytest.mark.usefixtures("hub")
def test_nobody_there(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}/")
    with pytest.raises(MachineError, match=f"the Hub at http://127.0.0.1:{port} does not answer: ") as caught:
        upload(files)
    assert "HF_ENDPOINT" in caught.value.hint


def test_offline(hub: UploadHub, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="HF_HUB_OFFLINE is set"):
        upload(files, token=WRITER)
    assert not hub.asked


@pytest.mark.parametrize("which", [0, 1], ids=["large", "small"])
@pytest.mark.parametrize(
    "alter", [lambda content: content[::-1], lambda content: content + b"x"], ids=["other", "more"]
)
def test_a_hub_that_stores_other_bytes_is_found_out(
    which: int, alter: object, hub: UploadHub, files: list[Path]
) -> None:
    hub.wishes.alter = alter  # type: ignore[assignment]  # parametrize gives no types
    with pytest.raises(MachineError, match="the Hub holds other bytes of ") as caught:
        upload(files[which : which + 1])
    assert files[which].name in str(caught.value)
    assert hub.repositories["model", NAME].names["main"] in str(caught.value)


@pytest.mark.parametrize("part", ["/preupload/", "/upload/", "/commit/", "/paths-info/"])
@pytest.mark.parametrize("which", [0, 1], ids=["large", "small"])
@pytest.mark.parametrize("gone", [False, True], ids=["changed", "gone"])
def test_a_file_that_changes_meanwhile(part: str, which: int, hub: UploadHub, files: list[Path], *, gone: bool) -> None:
    def change(path: str) -> None:
        if part in path and gone:
            files[which].unlink(missing_ok=True)
        elif part in path:
            files[which].write_bytes(b"?" + files[which].read_bytes()[1:])
            os.utime(files[which], ns=(0, 0))

    hub.wishes.seen = change
    with pytest.raises(UsageError, match=f"'{files[which].name}' changed while it was uploaded"):
        upload(files)


def test_a_file_that_gitignore_keeps_out_is_missed(hub: UploadHub, files: list[Path]) -> None:
    hub.add(NAME, {".gitignore": b"*.safetensors\n"})
    with pytest.raises(UsageError, match=r"the Hub left 'w\.safetensors' out of the commit") as caught:
        upload(files)
    assert ".gitignore" in caught.value.hint


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        ("weights", "'weights' has no owner"),
        ("team/a/b", "must be in the form"),
        ("team/a--b", "Cannot have -- or .."),
        ("https://huggingface.co/team/a", "must be in the form"),
        ("team/\x1b[2J", r"\\x1b"),
        ("", "must use alphanumeric"),
    ],
)
def test_names_that_no_repository_has(repository: str, message: str, hub: UploadHub, files: list[Path]) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        upload(files, repository)
    assert "/" in caught.value.hint
    assert str(caught.value).isprintable()
    assert not hub.asked


def test_what_cannot_be_uploaded(hub: UploadHub, files: list[Path], tmp_path: Path) -> None:
    link = tmp_path / "link.bin"
    link.symlink_to(files[0])
    twin = write_tree(tmp_path / "twin", {"config.json": "{}"}) / "config.json"
    colon = write_tree(tmp_path / "colon", {"a:b.bin": "x"}) / "a:b.bin"
    wrong: list[tuple[list[Path], str]] = [
        ([], "there is no file to upload"),
        ([tmp_path / "none.bin"], "there is no file .*none.bin"),
        ([link], "link.bin' is a symbolic link"),
        ([*files, twin], "2 files would all be 'config.json'"),
        ([colon], "Windows allows no :"),
    ]
    for given, message in wrong:
        with pytest.raises(UsageError, match=message):
            upload(given)
    with pytest.raises(UsageError, match="a commit needs a message"):
        upload_files(files, NAME, private=False, message=" \n")
    assert not hub.asked


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("is_terminal", [False, True])
def test_bars_are_for_terminals(files: list[Path], monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", None)
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    upload(files)
    assert ("w.safetensors" in stream.getvalue()) is is_terminal
    assert not are_progress_bars_disabled()
