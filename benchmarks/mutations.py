"""Archives and weight files to be damaged, and the damage: what `mutants.py` and a test of its kind share.

Everything comes from a seeded `random.Random`, so a run can be repeated. Nothing here is unpickled.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle  # only written: nothing is unpickled
import re
import struct
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.builders import Member, descriptor, end_record, make_zip, raw_zip, unicode_path, zip64_end
from tests.weights import SPECIMENS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from random import Random

MAX_SEED_BYTES = 256 << 10
"""Larger samples of a corpus are left out: most of their bytes are data."""
LENGTHS = {
    b"PK\x01\x02": (20, 24, 28, 30, 32, 34, 42),
    b"PK\x03\x04": (14, 18, 22, 26, 28),
    b"PK\x05\x06": (8, 10, 12, 16, 20),
    b"PK\x06\x06": (4, 24, 32, 40, 48),
    b"PK\x06\x07": (4, 8, 16),
    b"PK\x07\x08": (4, 8, 12),
    b"\x93NUMPY": (6, 8),
    b"\x8a": (1,),
    b"\x8c": (1,),
    b"\x8d": (1,),
    b"\x8e": (1,),
    b"\x95": (1,),
    b"B": (1,),
    b"X": (1,),
    b"T": (1,),
}
"""Where lengths, counts and offsets stand behind what they belong to."""
SIGNATURE = re.compile(b"|".join(re.escape(one) for one in LENGTHS))
NUMBERS: tuple[int, ...] = (
    *(0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFE, 0xFFFF, 1 << 16, 1 << 24, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE),
    *(0xFFFFFFFF, 1 << 32, (1 << 40) - 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1),
)
WORDS = (
    *(b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08", b"\x01\x00\x10\x00"),
    *(b"../", b"/", b"\\", b"\0", b"\xff\xff\xff\xff", b"up\x09\x00\x01", b"__MACOSX/", b"con.py", b"a/b/c/"),
    *(b"\x80\x02", b"\x80\x04\x95", b"cos\nsystem\n", b"\x8c\x02os", b"\x93", b"(", b"t", b"R", b"b", b"\x81", b"Q"),
    *(b"h\0", b"j\xff\xff\xff\x7f", b"\x94", b".", b"0", b"2", b"]", b"}", b"I9999999999\n", b"L1L\n", b"S'\\x41'\n"),
    *(b"\x93NUMPY\x01\x00", b"'descr': '|O'", b"(1,) * 9", b'{"a":' * 9, b"[" * 99, b"\x1f\x8b\x08", b"\xfd7zXZ\x00"),
)


@dataclass(frozen=True)
class Seed:
    """A file to be damaged: its name, which tells readers what it may be, and its bytes."""

    name: str
    data: bytes

    @property
    def is_archive(self) -> bool:
        """Whether it is a submission, and no weight file."""
        return self.name.endswith(".zip")


def _zips() -> dict[str, bytes]:
    plain = Member()
    deflated = Member(name=b"lib/model.py", method=8, data=b"y = 2\n" * 50)
    streamed = replace(deflated, flags=8)
    legacy = "größe.py".encode("cp437")
    wide = struct.pack("<HH2Q", 1, 16, 6, 6)
    files: dict[str, bytes | str] = {"repo/encoder.py": "x = 1\n" * 40, "repo/lib/": "", "__MACOSX/._encoder.py": "x"}
    files["repo/w.bin"] = bytes(range(256))
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    body, directory = plain.local(), plain.central(0)
    forms = [descriptor(streamed, signature=one, wide=two) for one in (True, False) for two in (True, False)]
    return {
        "stored": make_zip(files, compress=False),
        "deflated": make_zip(files),
        "pointer": make_zip({"w.pt": pointer}),
        "streamed": raw_zip(*(replace(streamed, name=b"%d.py" % at, descriptor=one) for at, one in enumerate(forms))),
        "zip64-end": body + directory + zip64_end(1, len(directory), len(body), len(body) + len(directory)),
        "zip64-sizes": raw_zip(Member(local_extra=wide), deflated),
        "prefixed": b"#!/bin/sh\n" + raw_zip(plain, deflated),
        "commented": raw_zip(plain, end=end_record(1, len(directory), len(body), comment=b"made by hand")),
        "names": raw_zip(
            Member(name="副本.py".encode(), flags=0x0800),
            Member(name="数据.py".encode("gbk")),
            Member(name=legacy, extra=unicode_path(legacy, "größe.py")),
        ),
        "nested": make_zip({"a.zip": make_zip({"b.py": "x"}), "c/d/e.py": "y"}, compress=False),
        "empty": end_record(0, 0, 0),
    }


def _weights() -> dict[str, bytes]:
    value = {"w": [1.5, 2, None, True], "n": (3, 1 << 40, -(1 << 70)), "b": b"x" * 300, "s": {7}, "t": ["é", "x" * 300]}
    pickles = {f"protocol{one}.pkl": pickle.dumps(value, one) for one in range(6)}
    packed = pickles["protocol4.pkl"] + SPECIMENS["evil.pkl"]
    return {
        **SPECIMENS,
        **pickles,
        "gzip.pkl": gzip.compress(packed, mtime=0),
        "zlib.pkl": zlib.compress(packed),
        "bz2.pkl": bz2.compress(packed),
        "xz.pkl": lzma.compress(packed),
    }


def built_seeds() -> list[Seed]:
    """Valid files of every kind and flavour that is read."""
    archives = [Seed(f"{name}.zip", data) for name, data in _zips().items()]
    return archives + [Seed(name, data) for name, data in _weights().items()]


def corpus_seeds(corpus: Path) -> list[Seed]:
    """The files of a corpus in `zip/` and `pickle/`, but for large ones."""
    seeds = []
    for path in sorted(corpus.glob("*/**/*")):
        if path.is_file() and path.stat().st_size <= MAX_SEED_BYTES:
            archive = path.relative_to(corpus).parts[0] == "zip"
            seeds.append(Seed("sample.zip" if archive else f"sample{path.suffix}", path.read_bytes()))
    return seeds


def mutate(seed: Seed, others: Sequence[Seed], random: Random) -> Seed:
    """Damage a file in one to five places."""
    data = bytearray(seed.data)
    for _ in range(min(random.randint(1, 5), random.randint(1, 5))):
        random.choice(OPERATIONS)(data, random, random.choice(others).data)
    name = seed.name if random.random() < 0.9 else random.choice(others).name
    return Seed(name, bytes(data[: 2 * MAX_SEED_BYTES]))


def _place(data: bytearray, random: Random) -> int:
    """Somewhere in the file, more often near its ends, where most records are."""
    reach = len(data) if random.random() < 0.5 else min(len(data), 100)
    at = random.randint(0, reach)
    return at if random.random() < 0.5 else len(data) - at


def _flip(data: bytearray, random: Random, _: bytes) -> None:
    at = _place(data, random)
    if at < len(data):
        data[at] ^= 1 << random.randrange(8)


def _byte(data: bytearray, random: Random, _: bytes) -> None:
    data[(at := _place(data, random)) : at + 1] = bytes((random.randrange(256),))


def _number(data: bytearray, random: Random, _: bytes) -> None:
    width = random.choice((1, 2, 4, 8))
    data[(at := _place(data, random)) : at + width] = _written(random.choice(NUMBERS), width)


def _length(data: bytearray, random: Random, _: bytes) -> None:
    """Change a length: to a number that matters, or by a little."""
    found = [match.span() for match in SIGNATURE.finditer(data)]
    if not found:
        return
    start, end = random.choice(found)
    at = start + random.choice(LENGTHS[bytes(data[start:end])])
    width = random.choice((1, 2, 4, 8))
    before = int.from_bytes(data[at : at + width], "little")
    value = random.choice(NUMBERS) if random.random() < 0.5 else before + random.randint(-3, 3)
    data[at : at + width] = _written(value, width)


def _written(value: int, width: int) -> bytes:
    return (value % (1 << 8 * width)).to_bytes(width, "little")


def _truncate(data: bytearray, random: Random, _: bytes) -> None:
    del data[_place(data, random) :]


def _cut(data: bytearray, random: Random, _: bytes) -> None:
    at = _place(data, random)
    del data[at : at + random.randint(1, 40)]


def _repeat(data: bytearray, random: Random, _: bytes) -> None:
    at, length = _place(data, random), random.choice((1, 8, 46, 200))
    data[at:at] = data[at : at + length] * random.choice((1, 1, 2, 50, 2000))


def _splice(data: bytearray, random: Random, other: bytes) -> None:
    start, at = random.randint(0, len(other)), _place(data, random)
    data[at : at + random.choice((0, 40, len(data)))] = other[start : start + random.choice((40, 400, len(other)))]


def _word(data: bytearray, random: Random, _: bytes) -> None:
    word = random.choice(WORDS)
    data[(at := _place(data, random)) : at + random.choice((0, len(word)))] = word


OPERATIONS: tuple[Callable[[bytearray, Random, bytes], None], ...] = (
    *(_flip, _byte, _number, _length, _length, _length, _truncate, _cut, _repeat, _splice, _word, _word),
)
