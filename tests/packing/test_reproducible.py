"""The same files give the same ZIP: in another folder, under another Python, umask, time zone, clock and language."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
BUILD = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
if sys.version_info < (3, 11):
    from pip._vendor import tomli
    sys.modules["tomli"] = tomli
os.umask(int(sys.argv[3], 8))
from audio_encoder_checker.packing.build import build_zip
print(build_zip(Path(sys.argv[4]), Path(sys.argv[5])).sha256)
"""


def interpreter(version: str) -> str | None:
    """A Python of this version: on the path, or one of pyenv's."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for name in filter(None, names):
        done = subprocess.run(
            [str(name), "-c", "import pip, sys; print(sys.version)"], capture_output=True, text=True, check=False
        )
        if done.returncode == 0 and done.stdout.startswith(f"{version}."):
            return str(name)
    return None


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libraries that packing needs, which are plain Python, without those built for this version."""
    folder = tmp_path_factory.mktemp("libraries")
    for name in ("pathspec", "packaging"):
        found = util.find_spec(name)
        assert found
        assert found.origin
        (folder / name).symlink_to(Path(found.origin).parent)
    return folder


def build(python: str, libraries: Path, folder: Path, *, umask: str, **settings: str) -> str:
    shutil.copytree(ROOT / "example_submission", folder / "team")
    for file in (folder / "team").rglob("*"):
        os.utime(file, (int(umask, 8) + 1e9, 1e9))
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **settings}
    command = [python, "-c", BUILD, str(ROOT), str(libraries), umask, str(folder / "team"), str(folder / "team.zip")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python_gives_the_same_bytes(version: str, libraries: Path, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    for name in ("here", "elsewhere"):
        (tmp_path / name).mkdir()
    here = build(sys.executable, libraries, tmp_path / "here", umask="022", TZ="UTC", LANG="C.UTF-8")
    there = build(
        python, libraries, tmp_path / "elsewhere", umask="077", TZ="Pacific/Kiritimati", LANG="C", PYTHONHASHSEED="7"
    )
    assert here == there
    assert (tmp_path / "here" / "team.zip").read_bytes() == (tmp_path / "elsewhere" / "team.zip").read_bytes()
