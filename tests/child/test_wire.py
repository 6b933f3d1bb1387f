"""Frames on a socket, and everything that is none."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from audio_encoder_checker.child import wire


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair()


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def test_header_and_payload_arrive_as_they_were_sent() -> None:
    near, far = pair()
    with near, far:
        payload = bytes(range(256)) * 10_000
        sender = threading.Thread(target=wire.send, args=(near, {"ask": "encode", "ä": [1, 2]}, payload))
        sender.start()
        header, received = wire.receive(far, len(payload), soon())
        sender.join()
    assert header == {"ask": "encode", "ä": [1, 2], "payload_bytes": len(payload)}
    assert received == payload


def test_several_frames_keep_their_borders() -> None:
    near, far = pair()
    with near, far:
        for number in range(3):
            wire.send(near, {"n": number}, b"x" * number)
        assert [wire.receive(far, 10, soon())[0]["n"] for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"\xff\xff\xff\xff", "a header of 4294967295 bytes"),
        (b"\x00\x00\x00\x03abc", "no JSON object"),
        (b"\x00\x00\x00\x02[]", "no JSON object"),
        (b"\x00\x00\x00\x02{}", "no JSON object"),
        (len(b'{"payload_bytes": -1}').to_bytes(4, "big") + b'{"payload_bytes": -1}', "payload of -1"),
        (len(b'{"payload_bytes": 1e9}').to_bytes(4, "big") + b'{"payload_bytes": 1e9}', "payload of"),
        (len(b'{"payload_bytes": "9"}').to_bytes(4, "big") + b'{"payload_bytes": "9"}', "no such number of"),
        (len(b'{"payload_bytes": 101}').to_bytes(4, "big") + b'{"payload_bytes": 101}', "payload of 101"),
        (
            len(b'{"payload_bytes": 1%030d}' % 0).to_bytes(4, "big") + b'{"payload_bytes": 1%030d}' % 0,
            "no such number of",
        ),
        ((60_000).to_bytes(4, "big") + b"[" * 60_000, "no JSON object"),
    ],
)
def test_what_is_no_frame_is_garbled(raw: bytes, complaint: str) -> None:
    near, far = pair()
    with near, far:
        near.sendall(raw)
        with pytest.raises(wire.GarbledError, match=complaint):
            wire.receive(far, 100, soon())


def test_a_header_may_have_64_KiB_and_no_more() -> None:
    largest = b'{"payload_bytes": 0}'.ljust(64 * 1024)
    near, far = pair()
    with near, far:
        sender = threading.Thread(target=near.sendall, args=(len(largest).to_bytes(4, "big") + largest,))
        sender.start()
        assert wire.receive(far, 0, soon())[0] == {"payload_bytes": 0}
        sender.join()
        near.sendall((len(largest) + 1).to_bytes(4, "big"))
        with pytest.raises(wire.GarbledError, match="a header of 65537 bytes"):
            wire.receive(far, 0, soon())


def test_an_end_in_the_middle_of_a_frame_is_an_end() -> None:
    near, far = pair()
    with far:
        text = json.dumps({"payload_bytes": 10}).encode()
        near.sendall(len(text).to_bytes(4, "big") + text + b"12345")
        near.close()
        with pytest.raises(wire.ClosedError):
            wire.receive(far, 100, soon())


def test_an_end_that_leaves_something_unread_is_an_end() -> None:
    for act in (lambda near: wire.receive(near, 100, soon()), lambda near: wire.send(near, {}, b"x", soon())):
        near, far = pair()
        with near:
            near.sendall(b"never read")
            far.close()
            with pytest.raises(wire.ClosedError):
                act(near)


def test_a_deadline_that_has_passed_is_one_that_passes() -> None:
    near, far = pair()
    with near, far:
        with pytest.raises(TimeoutError):
            wire.send(near, {"n": 1}, deadline=soon(-1))
        wire.send(near, {"n": 1})
        with pytest.raises(TimeoutError):
            wire.receive(far, 0, soon(-1))


def test_the_deadline_holds_for_the_whole_frame_however_busily_bytes_trickle() -> None:
    near, far = pair()
    stop = threading.Event()

    def trickle() -> None:
        near.sendall((1000).to_bytes(4, "big"))
        while not stop.wait(0.02):
            near.sendall(b"{")

    with near, far:
        sender = threading.Thread(target=trickle)
        sender.start()
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            wire.receive(far, 100, soon(0.3))
        assert time.monotonic() - start < 2
        stop.set()
        sender.join()


def test_what_is_there_before_a_near_deadline_is_taken() -> None:
    near, far = pair()
    with near, far:
        wire.send(near, {"n": 1}, b"x", soon(0.9))
        assert bytes(wire.receive(far, 1, soon(0.9))[1]) == b"x"


def test_a_deadline_does_not_hold_for_the_next_frame() -> None:
    near, far = pair()
    with near, far:
        with pytest.raises(TimeoutError):
            wire.receive(far, 1, soon(0.05))
        sender = threading.Timer(0.2, wire.send, (near, {"n": 1}))
        sender.start()
        assert wire.receive(far, 1)[0]["n"] == 1
        sender.join()


def test_sending_to_nobody_is_an_end() -> None:
    near, far = pair()
    far.close()
    with near, pytest.raises(wire.ClosedError):
        wire.send(near, {}, b"x" * 1_000_000, soon())


def test_sending_to_somebody_who_does_not_listen_times_out() -> None:
    near, far = pair()
    with near, far, pytest.raises(TimeoutError):
        wire.send(near, {}, b"x" * 50_000_000, soon(0.2))


def test_a_header_alone_has_a_deadline_too() -> None:
    near, far = pair()
    with near, far:
        near.settimeout(0)
        with pytest.raises(BlockingIOError):
            near.sendall(b"x" * 50_000_000)
        near.settimeout(None)
        with pytest.raises(TimeoutError):
            wire.send(near, {"ask": "encode"}, deadline=soon(0.1))
