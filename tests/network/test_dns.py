"""The name server's answers, byte by byte and as this machine's own tools read them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from audio_encoder_checker.network.policy import Policy
from tests.network.queries import AAAA, HTTPS, address_in, query, status_of
from tests.network.rig import Rig

if TYPE_CHECKING:
    from pathlib import Path


def test_every_declared_name_has_an_address_of_its_own(tmp_path: Path) -> None:
    with Rig(tmp_path, Policy(("one.example", "*.two.example"))) as rig:
        names = ("one.example", "a.two.example", "b.two.example", "ONE.example")
        addresses = [address_in(rig.ask(query(name))) for name in names]
    assert addresses == ["127.64.0.1", "127.64.0.2", "127.64.0.3", "127.64.0.1"]


def test_other_names_do_not_exist(tmp_path: Path) -> None:
    with Rig(tmp_path, Policy(("one.example", ".two.example"))) as rig:
        for name in ("a.one.example", "two.example", "xtwo.example", "localhost"):
            answer = rig.ask(query(name))
            assert (status_of(answer), address_in(answer)) == (3, "")
    assert [one.known for one in rig.facts.look_ups] == [False] * 4


def test_other_records_of_a_declared_name_are_empty(tmp_path: Path) -> None:
    with Rig(tmp_path, Policy(("one.example",))) as rig:
        for kind in (AAAA, HTTPS):
            answer = rig.ask(query("one.example", kind))
            assert (status_of(answer), address_in(answer)) == (0, "")
    assert [(one.name, one.known, one.count) for one in rig.facts.look_ups] == [("one.example", True, 2)]


def test_the_head_is_what_resolvers_look_at(tmp_path: Path) -> None:
    with Rig(tmp_path, Policy(("one.example",))) as rig:
        plain, extended = rig.ask(query("one.example")), rig.ask(query("one.example", edns=True))
    identity, flags, *counts = struct.unpack_from("!6H", plain)
    assert (identity, flags, counts) == (0x1234, 0x8580, [1, 1, 0, 0])
    assert plain[12 : 12 + len(query("one.example")) - 12] == query("one.example")[12:]
    assert struct.unpack_from("!6H", extended)[5] == 1
    assert extended[-11:] == b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)


def test_other_operations_are_not_implemented(tmp_path: Path) -> None:
    with Rig(tmp_path, Policy(("one.example",))) as rig:
        asked = bytearray(query("one.example"))
        asked[2] |= 0x28
        assert status_of(rig.ask(bytes(asked))) == 4
