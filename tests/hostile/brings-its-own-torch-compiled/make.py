"""Modules without a source."""

import py_compile


def make(folder):
    for name in ("json", "numpy", "socket", "torch"):
        source = folder / f"{name}.py"
        source.write_text(f"raise SystemExit('the wrong {name} was imported')\n")
        py_compile.compile(str(source), cfile=str(folder / f"{name}.pyc"), doraise=True)
        source.unlink()
