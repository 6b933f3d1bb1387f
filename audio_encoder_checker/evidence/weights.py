"""What the submission's weight files are, read from their bytes: nothing was loaded, nothing unpickled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from audio_encoder_checker.printable import printable


class WeightKind(str, Enum):
    """Formats of weight files."""

    SAFETENSORS = "safetensors"
    TORCH_ZIP = "torch-zip"
    TORCH_LEGACY = "torch-legacy"
    PICKLE = "pickle"
    TORCHSCRIPT = "torchscript"
    ONNX = "onnx"
    NUMPY = "numpy"
    NPZ = "npz"
    OTHER = "other"


class Safety(str, Enum):
    """What loading a file, or one name in its pickles, may do; the later, the worse."""

    PLAIN = "holds no pickle"
    WEIGHTS_ONLY = "loads with torch.load(weights_only=True)"
    DATA = "is data, but needs weights_only=False"
    OWN = "needs classes of the repository"
    UNKNOWN = "needs what is not known to be harmless"
    CODE = "runs code when it is loaded"

    @property
    def rank(self) -> int:
        """0 for the most harmless."""
        return list(Safety).index(self)


class FlawKind(str, Enum):
    """Classes of flaws; each belongs to one check."""

    DAMAGED = "damaged"
    NO_WEIGHTS = "no weights"
    UNREAD = "unread"


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a file: the class, and in words what was expected and what was found; printable."""

    kind: FlawKind
    detail: str


@dataclass(frozen=True)
class PickledName:
    """Something that a pickle asks Python to import.

    Attributes:
        module: as it stands in the pickle, `?` where it cannot be told.
        name: same; may have dots.
        safety: what it may do.
        called: whether the pickle calls it, and does not merely mention it.
        where: the pickle: a member of the container, `nested` in a text or bytes, or empty.
    """

    module: str
    name: str
    safety: Safety
    called: bool = False
    where: str = ""

    @property
    def shown(self) -> str:
        """`os.system`, printable and cut."""
        return printable(f"{self.module}.{self.name}", limit=120)


@dataclass(frozen=True)
class WeightFile:
    """One weight file.

    Attributes:
        path: relative to the root, with `/`.
        kind: its format by its bytes.
        size_bytes: of the file.
        parameters: numbers in its tensors or arrays, None where the format does not tell without loading.
        dtypes: name of each number format, and how many numbers have it, most first.
        flaws: what is wrong.
        names: what its pickles import, the worst first.
        pickles: number of pickle streams found.
        refused: what else `weights_only=True` refuses, such as an opcode; empty for nothing.
    """

    path: str
    kind: WeightKind
    size_bytes: int
    parameters: int | None = None
    dtypes: tuple[tuple[str, int], ...] = ()
    flaws: tuple[Flaw, ...] = ()
    names: tuple[PickledName, ...] = ()
    pickles: int = 0
    refused: str = ""

    @property
    def safety(self) -> Safety:
        """The worst that anything in it may do; what could not be read counts as unknown."""
        found = [name.safety for name in self.names]
        found.append(Safety.WEIGHTS_ONLY if self.pickles else Safety.PLAIN)
        if self.refused:
            found.append(Safety.DATA)
        if self.flaws_of(FlawKind.UNREAD):
            found.append(Safety.UNKNOWN)
        return max(found, key=lambda one: one.rank)

    def flaws_of(self, kind: FlawKind) -> tuple[Flaw, ...]:
        """The flaws of one class."""
        return tuple(flaw for flaw in self.flaws if flaw.kind is kind)

    def names_of(self, *safeties: Safety) -> tuple[PickledName, ...]:
        """What its pickles import of some safeties."""
        return tuple(name for name in self.names if name.safety in safeties)


@dataclass(frozen=True)
class WeightFacts:
    """All weight files, by path, and how many more there were than are looked at."""

    files: tuple[WeightFile, ...] = ()
    more: int = 0
