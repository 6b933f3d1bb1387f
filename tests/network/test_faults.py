"""Faults on purpose, and what a real client makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.network.faults import FaultKind, Faults
from audio_encoder_checker.network.policy import Policy
from tests.network.hub import Hub
from tests.network.rig import Rig, header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE = bytes(range(256)) * 2_000
PATH = "/who/what/resolve/main/model.bin"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        hub.add("who/what", {"model.bin": LARGE})
        yield hub


def get(rig: Rig, method: str = "GET") -> bytes:
    return rig.speak(f"{method} {PATH} HTTP/1.1\r\nConnection: close\r\n\r\n".encode(), port=rig.relay_port)


@pytest.mark.parametrize(("kind", "status"), [(FaultKind.TOO_MANY, b"429"), (FaultKind.SERVER_ERROR, b"500")])
def test_the_first_requests_are_turned_away(hub: Hub, tmp_path: Path, kind: FaultKind, status: bytes) -> None:
    with Rig(tmp_path, Policy((), hub.url), faults=Faults(kind, 2)) as rig:
        answers = [get(rig) for _ in range(3)]
    assert [answer[9:12] for answer in answers] == [status, status, b"200"]
    assert header(answers[0]).get("retry-after", "") == ("1" if kind is FaultKind.TOO_MANY else "")
    assert [one.fault for one in rig.facts.transfers] == [kind.value, kind.value, ""]


def test_a_download_is_cut_once(hub: Hub, tmp_path: Path) -> None:
    with Rig(tmp_path, Policy((), hub.url), faults=Faults(FaultKind.CUT, 1)) as rig:
        fetching = f"import requests\ndef get(): return len(requests.get('{rig.relay + PATH}').content)\n"
        once = "try:\n    get()\nexcept requests.RequestException:\n    print('cut')\n"
        assert rig.python(fetching + once + "print(get())") == f"cut\n{len(LARGE)}\n"
    first, second = rig.facts.transfers
    assert (first.fault, first.whole, first.received_bytes) == (FaultKind.CUT.value, False, len(LARGE) // 2)
    assert (second.fault, second.whole) == ("", True)


def test_the_hubs_own_client_asks_again_after_429(hub: Hub, tmp_path: Path) -> None:
    with Rig(tmp_path, Policy((), hub.url), faults=Faults(FaultKind.TOO_MANY, 1)) as rig:
        code = "import huggingface_hub.file_download as d, io; d.http_get('{0}', io.BytesIO()); print('borne')"
        assert rig.python(code.format(rig.relay + PATH)).strip() == "borne"
    assert [one.status for one in rig.files] == [429, 200]


def test_wrong_bytes_are_as_many(hub: Hub, tmp_path: Path) -> None:
    with Rig(tmp_path, Policy((), hub.url), faults=Faults(FaultKind.WRONG_BYTES)) as rig:
        got = get(rig).partition(b"\r\n\r\n")[2]
    assert len(got) == len(LARGE)
    changed = [at for at, (left, right) in enumerate(zip(got, LARGE, strict=True)) if left != right]
    assert changed == list(range(len(LARGE) // 2, len(LARGE) // 2 + 64))
    assert rig.facts.transfers[0].fault == FaultKind.WRONG_BYTES.value


def test_a_slow_answer_pauses_and_goes_on(hub: Hub, tmp_path: Path) -> None:
    with Rig(tmp_path, Policy((), hub.url), faults=Faults(FaultKind.SLOW, 1, pause_s=0.3)) as rig:
        assert get(rig).endswith(LARGE)
        assert get(rig).endswith(LARGE)
    first, second = rig.facts.transfers
    assert first.seconds >= 0.3
    assert (first.fault, second.fault) == (FaultKind.SLOW.value, "")


def test_closing_the_channel_ends_a_pause(hub: Hub, tmp_path: Path) -> None:
    with Rig(tmp_path, Policy((), hub.url), faults=Faults(FaultKind.SLOW, 1, pause_s=3600.0)) as rig:
        assert rig.run("curl", "-sS", "-m", "1", "-o", "got", rig.relay + PATH).returncode == 28


def test_a_head_meets_no_fault_of_bodies(hub: Hub, tmp_path: Path) -> None:
    with Rig(tmp_path, Policy((), hub.url), faults=Faults(FaultKind.CUT, 1)) as rig:
        assert get(rig, "HEAD").startswith(b"HTTP/1.1 200 ")
    assert rig.facts.transfers[0].fault == ""
