"""Weights whose pickle writes outside."""

import pickle
import zipfile


class Payload:
    def __reduce__(self):
        code = "import pathlib, aim\ntry: pathlib.Path(aim.FOLDER, 'unpickled').write_text('x')\nexcept OSError: pass"
        return exec, (code,)


def make(folder):
    with zipfile.ZipFile(folder / "weights.pt", "w") as archive:
        archive.writestr("weights/data.pkl", pickle.dumps(Payload(), protocol=2))
        archive.writestr("weights/version", "3\n")
        archive.writestr("weights/byteorder", "little")
