"""Weights whose pickle writes outside, with every bit turned over."""

import io
import pickle
import zipfile


class Payload:
    def __reduce__(self):
        code = "import pathlib, aim\ntry: pathlib.Path(aim.FOLDER, 'unpickled').write_text('x')\nexcept OSError: pass"
        return exec, (code,)


def make(folder):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("weights/data.pkl", pickle.dumps(Payload(), protocol=2))
        archive.writestr("weights/version", "3\n")
        archive.writestr("weights/byteorder", "little")
    (folder / "weights.dat").write_bytes(bytes(255 - byte for byte in file.getvalue()))
