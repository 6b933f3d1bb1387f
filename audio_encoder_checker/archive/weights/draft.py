"""What is known of a weight file while it is being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio_encoder_checker.archive.weights.pickles import PickleLog
from audio_encoder_checker.evidence.weights import Flaw, FlawKind, WeightFile, WeightKind
from audio_encoder_checker.printable import printable

if TYPE_CHECKING:
    from audio_encoder_checker.archive.weights.walks import Storage

MAX_FLAWS = 20
MAX_NAMES = 1000
"""The worst of a file's names are told, and no more."""
STORAGES = {
    "Float": ("float32", 4),
    "Double": ("float64", 8),
    "Half": ("float16", 2),
    "BFloat16": ("bfloat16", 2),
    "Long": ("int64", 8),
    "Int": ("int32", 4),
    "Short": ("int16", 2),
    "Char": ("int8", 1),
    "Byte": ("uint8", 1),
    "Bool": ("bool", 1),
    "ComplexFloat": ("complex64", 8),
    "ComplexDouble": ("complex128", 16),
    "QInt8": ("qint8", 1),
    "QUInt8": ("quint8", 1),
    "QInt32": ("qint32", 4),
    "Untyped": ("bytes", 1),
}
"""Number format and bytes of a number, by the name of torch's storage type."""


def format_of(storage: Storage) -> tuple[str, int]:
    """The number format of a storage, and the bytes of a number; 0 where they are not known."""
    return STORAGES.get(storage.type.removesuffix("Storage"), ("other", 0))


class Draft:
    """A weight file being read.

    Attributes:
        path: relative to the root.
        size: in bytes.
        kind: as far as it is known.
        log: what its pickles do.
        numbers: how many there are of each format, None where the file does not tell.
    """

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.size = size
        self.kind = WeightKind.OTHER
        self.log = PickleLog()
        self.numbers: dict[str, int] | None = None
        self._flaws: dict[Flaw, None] = {}

    def flaw(self, kind: FlawKind, detail: str) -> None:
        """Note what is wrong; more than a few are as good as all."""
        if len(self._flaws) < MAX_FLAWS:
            self._flaws.setdefault(Flaw(kind, printable(detail, limit=300)))

    def add(self, dtype: str, count: int) -> None:
        """Note numbers of a format."""
        self.numbers = self.numbers or {}
        self.numbers[dtype] = self.numbers.get(dtype, 0) + count

    def add_storages(self) -> None:
        """Note the numbers of all storages that the pickles refer to."""
        for storage in self.log.storages.values():
            self.add(format_of(storage)[0], max(0, storage.numbers))

    def done(self) -> WeightFile:
        """The facts."""
        for detail in self.log.unread:
            self.flaw(FlawKind.UNREAD, detail)
        numbers = self.numbers
        names = sorted(self.log.names.values(), key=lambda one: (-one.safety.rank, not one.called))
        return WeightFile(
            path=self.path,
            kind=self.kind,
            size_bytes=self.size,
            parameters=None if numbers is None else sum(numbers.values()),
            dtypes=tuple(sorted((numbers or {}).items(), key=lambda one: (-one[1], one[0]))),
            flaws=tuple(self._flaws),
            names=tuple(names[:MAX_NAMES]),
            pickles=self.log.pickles,
            refused=self.log.refused,
        )
