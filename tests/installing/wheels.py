"""Wheels and source distributions of a line or two, in a folder that stands for the package index."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NO_UV = shutil.which("uv") is None and not (Path(sys.executable).parent / "uv").exists()
NEEDS_UV = pytest.mark.skipif(NO_UV, reason="uv is not installed")
TOOLS = [pytest.param("uv", marks=NEEDS_UV), "pip"]


def write_wheel(
    index: Path,
    name: str,
    version: str,
    *,
    needs: Iterable[str] = (),
    tag: str = "py3-none-any",
    files: Mapping[str, str] | None = None,
) -> None:
    """A wheel with one module of its own name, or with other files."""
    about = f"{name}-{version}.dist-info"
    required = "".join(f"Requires-Dist: {one}\n" for one in needs)
    contents = {
        **(files if files is not None else {f"{name}.py": f"VERSION = {version!r}\n"}),
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{path},,\n" for path in (*contents, f"{about}/RECORD"))
    with zipfile.ZipFile(index / f"{name}-{version}-{tag}.whl", "w") as wheel:
        for path, text in (*contents.items(), (f"{about}/RECORD", record)):
            wheel.writestr(path, text)


BACKEND = """
import os, pathlib, zipfile
HERE = pathlib.Path(__file__).parent
META = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
pathlib.Path({witness!r}).write_text("built")

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, about = "{name}-{version}-py3-none-any.whl", "{name}-{version}.dist-info"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("{name}.py", "VERSION = 'built'\\n")
        wheel.writestr(about + "/METADATA", META)
        wheel.writestr(about + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(about + "/RECORD", "".join(one + ",,\\n" for one in [*wheel.namelist(), about + "/RECORD"]))
    return name
"""


def write_source(index: Path, name: str, version: str, witness: Path) -> None:
    """A source distribution that builds without any other package, and leaves a witness when its code runs."""
    settings = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": settings,
        "backend.py": BACKEND.replace("{name}", name)
        .replace("{version}", version)
        .replace("{witness!r}", repr(str(witness))),
    }
    with tarfile.open(index / f"{name}-{version}.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


def use_only(index: Path, settings: pytest.MonkeyPatch, home: Path) -> None:
    """Have both installers see this folder alone, and nothing of the network or of earlier runs."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        settings.delenv(name)
    config = home / "uv.toml"
    config.write_text(f'no-index = true\nfind-links = ["{index}"]\n', encoding="utf-8")
    settings.setenv("UV_CONFIG_FILE", str(config))
    settings.setenv("UV_CACHE_DIR", str(home / "uv-cache"))
    settings.setenv("PIP_CONFIG_FILE", os.devnull)
    settings.setenv("PIP_NO_INDEX", "1")
    settings.setenv("PIP_FIND_LINKS", str(index))
    settings.setenv("PIP_CACHE_DIR", str(home / "pip-cache"))
    settings.setenv("AECC_CACHE_DIR", str(home / "cache"))
