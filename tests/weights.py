"""Weight files to test with, put together byte by byte: nothing is pickled, so nothing can run."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

from tests.builders import make_zip

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTO2, PROTO4, STOP = b"\x80\x02", b"\x80\x04", b"."
MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of torch's old format."""
VERSION = b"\x80\x02M\xe9\x03."


def text(value: str) -> bytes:
    """SHORT_BINUNICODE or BINUNICODE."""
    data = value.encode()
    return b"\x8c" + bytes((len(data),)) + data if len(data) < 256 else b"X" + struct.pack("<I", len(data)) + data


def blob(data: bytes) -> bytes:
    """BINBYTES."""
    return b"B" + struct.pack("<I", len(data)) + data


def named(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def stacked(module: str, name: str) -> bytes:
    """STACK_GLOBAL."""
    return text(module) + text(name) + b"\x93"


def called(function: bytes, *arguments: bytes) -> bytes:
    """REDUCE of something that was pushed."""
    return function + b"(" + b"".join(arguments) + b"tR"


def whole(*body: bytes, proto: bytes = PROTO4) -> bytes:
    return proto + b"".join(body) + STOP


EVIL = whole(called(stacked("os", "system"), text("true")))


def storage(key: str, numbers: int, kind: str = "FloatStorage", *, legacy: bool = False) -> bytes:
    """BINPERSID of a storage, as torch writes it."""
    parts = [text("storage"), named("torch", kind), text(key), text("cpu"), b"J" + struct.pack("<i", numbers)]
    return b"(" + b"".join(parts) + (b"N" if legacy else b"") + b"tQ"


def tensor(key: str, numbers: int, kind: str = "FloatStorage", *, legacy: bool = False) -> bytes:
    arguments = (storage(key, numbers, kind, legacy=legacy), b"K\0", b"J" + struct.pack("<i", numbers) + b"\x85")
    return called(named("torch._utils", "_rebuild_tensor_v2"), *arguments, b"K\1\x85", b"\x89", b"}")


def state_dict(*items: bytes) -> bytes:
    """A pickle of names and tensors, in the opcodes that `weights_only=True` knows."""
    pairs = b"".join(b"X\1\0\0\0" + bytes((97 + place,)) + item for place, item in enumerate(items))
    return PROTO2 + b"}(" + pairs + b"u" + STOP


def plain(data: bytes) -> bytes:
    """The same pickle with BINUNICODE for SHORT_BINUNICODE, as protocol 2 has it."""
    for word in (b"storage", b"cpu", b"0", b"1"):
        data = data.replace(b"\x8c" + bytes((len(word),)) + word, b"X" + struct.pack("<I", len(word)) + word)
    return data


def torch_zip(pickle: bytes, storages: Mapping[str, bytes], **members: bytes) -> bytes:
    """A checkpoint in torch's new format; keywords name more members, with `__` for `/` and `_dot_` for `.`."""
    files: dict[str, bytes | str] = {"m/data.pkl": pickle, "m/byteorder": "little"}
    files |= {f"m/data/{key}": data for key, data in storages.items()}
    files |= {name.replace("__", "/").replace("_dot_", "."): data for name, data in members.items()}
    return make_zip({**files, "m/version": "3\n"}, compress=False)


def torch_legacy(pickle: bytes, keys: bytes, *storages: bytes) -> bytes:
    """A checkpoint in torch's old format."""
    return b"".join((MAGIC, VERSION, PROTO2 + b"}.", pickle, PROTO2 + keys + STOP, *storages))


GOOD_ZIP = torch_zip(plain(state_dict(tensor("0", 3), tensor("1", 2, "HalfStorage"))), {"0": bytes(12), "1": bytes(4)})
GOOD_LEGACY = torch_legacy(
    plain(state_dict(tensor("0", 3, legacy=True))), b"]X\1\0\0\x000a", struct.pack("<q", 3) + bytes(12)
)


def safetensors(header: object, data: bytes = b"", *, length: int | None = None) -> bytes:
    """A safetensors file; a header that is bytes stands as it is."""
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(written) if length is None else length) + written + data


GOOD_SAFETENSORS = safetensors(
    {
        "__metadata__": {"format": "pt"},
        "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "BF16", "shape": [2], "data_offsets": [24, 28]},
        "empty": {"dtype": "I64", "shape": [0], "data_offsets": [28, 28]},
    },
    bytes(28),
)


def npy(descr: str, shape: str, data: bytes) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def protobuf(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def onnx(*tensors: bytes) -> bytes:
    graph = b"".join(protobuf(5, one) for one in tensors)
    return protobuf(1, 8) + protobuf(2, b"pytorch") + protobuf(7, graph)


WEIGHT = protobuf(1, 4) + protobuf(1, 5) + protobuf(2, 1) + protobuf(9, bytes(80))
SPECIMENS = {
    "good.pt": GOOD_ZIP,
    "old.pt": GOOD_LEGACY,
    "good.safetensors": GOOD_SAFETENSORS,
    "evil.pkl": EVIL,
    "nested.pkl": whole(blob(whole(blob(EVIL)))),
    "lines.pkl": b"(S'os'\nS'system'\n\x93V\\u0041\nI5\nL7L\nF1.5\ntp0\ng0\n.",
    "array.npy": npy("'<f4'", "(2, 3)", bytes(24)),
    "objects.npy": npy("'|O'", "(1,)", EVIL),
    "model.onnx": onnx(WEIGHT, protobuf(8, b"x") + protobuf(13, protobuf(1, b"location") + protobuf(2, b"w.bin"))),
    "arrays.npz": make_zip({"a.npy": npy("'<f8'", "(3,)", bytes(24)), "b.npy": npy("'|O'", "()", EVIL)}),
}
"""One file of each kind, to be damaged."""
