"""What lists of requirements and imports say together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.distributions import known, known_versions
from audio_encoder_checker.archive.requirements import find_requirements
from audio_encoder_checker.archive.source import read_sources
from audio_encoder_checker.evidence.requirements import FlawKind, Reach, RequirementFacts, Source, Standing
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

ENCODER = "import torch\nclass AEncoder(torch.nn.Module):\n    def forward(self, x):\n        return x\n"


def facts(tmp_path: Path, files: dict[str, bytes | str], top: str = "") -> RequirementFacts:
    """What is found in a repository of an encoder with these lines at its top, and of some files."""
    return find_requirements(read_sources(write_tree(tmp_path / "repo", {"a.py": f"{top}\n{ENCODER}", **files})))


def kinds(found: RequirementFacts) -> list[FlawKind]:
    return [one.kind for one in found.flaws]


def test_nothing_is_said_of_torch_and_numpy(tmp_path: Path) -> None:
    found = facts(tmp_path, {"requirements.txt": "torch\nnumpy>=1.26\n"}, "import numpy, torch, os, json.decoder")
    assert (found.flaws, found.undeclared) == ((), ())
    assert [one.name for one in found.required] == ["torch", "numpy"]


def test_nested_lists_are_read_beside_the_one_that_names_them(tmp_path: Path) -> None:
    found = facts(
        tmp_path,
        {
            "requirements.txt": "-r lists/a.txt\n",
            "lists/a.txt": "-c b.txt\neinops==0.8.0\n",
            "lists/b.txt": "timm==1.0\n",
        },
    )
    assert found.files == ("requirements.txt", "lists/a.txt", "lists/b.txt")
    assert [(one.name, one.standing) for one in found.required] == [
        ("timm", Standing.CONSTRAINT),
        ("einops", Standing.LISTED),
    ]


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"requirements.txt": "-r absent.txt\n"}, FlawKind.NESTED_MISSING),
        ({"requirements.txt": "-c ../outside.txt\n"}, FlawKind.NESTED_OUTSIDE),
        ({"requirements.txt": "-r https://example.org/a.txt\n"}, FlawKind.NESTED_OUTSIDE),
        ({"requirements.txt": "-r requirements.txt\n"}, FlawKind.REFUSED),
        ({"requirements.txt": "-r b.txt\n", "b.txt": "-r requirements.txt\n"}, FlawKind.REFUSED),
        ({"requirements.txt": b"#" * (1 << 20) + b"#\n"}, FlawKind.TOO_LARGE),
        ({"requirements.txt": "torch\n".encode("utf-16")}, FlawKind.ENCODING),
        ({"requirements.txt": "torch\n", "pyproject.toml": "[project\n"}, FlawKind.REFUSED),
        ({"requirements.txt": "torch\n", "pyproject.toml": f"a = {'1' * 5000}\n"}, FlawKind.REFUSED),
    ],
)
def test_lists_that_cannot_be_read_are_told(tmp_path: Path, files: dict[str, bytes | str], kind: FlawKind) -> None:
    assert kinds(facts(tmp_path, files)) == [kind]


def test_lists_are_nested_ten_deep_at_most(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {f"r{n}.txt": f"-r r{n + 1}.txt\n" for n in range(30)}
    found = facts(tmp_path, {"requirements.txt": "-r r0.txt\n", **files})
    assert kinds(found) == [FlawKind.TOO_LARGE]
    assert len(found.files) == 10


def test_no_link_is_followed_out_and_no_pipe_is_opened(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"a.py": ENCODER, "requirements.txt": "-r link.txt\n-r pipe.txt\n"})
    write_tree(tmp_path, {"secret.txt": "librosa\n"})
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(root / "pipe.txt")
    found = find_requirements(read_sources(root))
    assert kinds(found) == [FlawKind.NESTED_OUTSIDE, FlawKind.NESTED_MISSING]
    assert not found.required


def test_other_lists_are_read_where_there_is_no_requirements_txt(tmp_path: Path) -> None:
    found = facts(
        tmp_path, {"requirements/base.txt": "einops==0.8\n", "requirements/dev.txt": "pytest\n"}, "import einops"
    )
    assert found.files == ("requirements/base.txt",)
    assert not found.undeclared


def test_the_list_beside_the_encoder_is_read(tmp_path: Path) -> None:
    root = write_tree(
        tmp_path / "repo", {"sub/a.py": "import einops\n" + ENCODER, "sub/requirements.txt": "einops==1\n", "b.txt": ""}
    )
    assert not find_requirements(read_sources(root)).undeclared


PROJECTS = {
    "pyproject.toml": '[project]\nname = "a"\ndependencies = ["einops==0.8"]\n',
    "setup.cfg": "[options]\ninstall_requires =\n    einops==0.8\n",
    "setup.py": "from setuptools import setup\nneeds = ['einops==0.8']\nsetup(install_requires=needs)\n",
}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_installed_alone_or_when_it_is_listed(tmp_path: Path, name: str) -> None:
    alone = facts(tmp_path / "1", {name: PROJECTS[name]}, "import einops")
    assert not alone.undeclared
    beside = facts(tmp_path / "2", {name: PROJECTS[name], "requirements.txt": "torch\n"}, "import einops")
    assert [(one.module, one.source) for one in beside.undeclared] == [("einops", Source.ELSEWHERE)]
    listed = facts(
        tmp_path / "3", {"setup.py": "", name: PROJECTS[name], "requirements.txt": "-e .\n"}, "import einops"
    )
    assert not listed.undeclared


def test_extras_and_environments_of_conda_are_not_installed(tmp_path: Path) -> None:
    extra = '[project]\nname = "a"\n[project.optional-dependencies]\nall = ["einops"]\n'
    conda = "name: a\ndependencies:\n  - python=3.12\n  - pip:\n    - timm==1.0\n  - conda-forge::lmdb=1\n"
    files: dict[str, bytes | str] = {"requirements.txt": "torch\n", "pyproject.toml": extra, "environment.yml": conda}
    found = facts(tmp_path, files, "import einops, timm, lmdb")
    assert {(one.module, one.source, one.detail) for one in found.undeclared} == {
        ("einops", Source.ELSEWHERE, "pyproject.toml:4"),
        ("timm", Source.ELSEWHERE, "environment.yml:5"),
        ("lmdb", Source.ELSEWHERE, "environment.yml:6"),
    }


@pytest.mark.parametrize(
    ("top", "reach"),
    [
        ("import lmdb", Reach.SURE),
        ("from lmdb import x", Reach.SURE),
        ("import lmdb.sub as x", Reach.SURE),
        ("with open('x') as f:\n    import lmdb", Reach.SURE),
        ("try:\n    import lmdb\nexcept ImportError:\n    raise RuntimeError('install it')", Reach.SURE),
        ("try:\n    import lmdb\nexcept ValueError:\n    pass", Reach.SURE),
        ("class BEncoder:\n    import lmdb", Reach.SURE),
        ("def f():\n    import lmdb", Reach.LATER),
        ("try:\n    import lmdb\nexcept ImportError:\n    lmdb = None", Reach.GUARDED),
        ("try:\n    import lmdb\nexcept:\n    pass", Reach.GUARDED),
        ("try:\n    import os\nexcept Exception:\n    import lmdb", Reach.GUARDED),
        ("if x:\n    import lmdb", Reach.GUARDED),
        ("import contextlib\nwith contextlib.suppress(ImportError):\n    import lmdb", Reach.GUARDED),
        ("if x:\n    import lmdb\nimport lmdb", Reach.SURE),
    ],
)
def test_how_surely_an_import_is_run(tmp_path: Path, top: str, reach: Reach) -> None:
    found = facts(tmp_path, {"requirements.txt": "torch\n"}, top)
    assert [(one.module, one.reach) for one in found.undeclared] == [("lmdb", reach)]


def test_what_x_ares_calls_is_surely_run(tmp_path: Path) -> None:
    source = (
        "import torch\nclass AEncoder(torch.nn.Module):\n    def __init__(self):\n        import lmdb\n"
        "    def forward(self, x):\n        if x is None:\n            import timm\n        import einops\n"
        "    def other(self):\n        import librosa\n"
    )
    root = write_tree(tmp_path / "repo", {"a.py": source, "requirements.txt": "torch\n"})
    found = {one.module: one.reach for one in find_requirements(read_sources(root)).undeclared}
    assert found == {"lmdb": Reach.SURE, "einops": Reach.SURE, "timm": Reach.GUARDED, "librosa": Reach.LATER}


@pytest.mark.parametrize(
    "top",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lmdb",
        "if __name__ == '__main__':\n    import lmdb",
        "import b",
        "import folder.inner",
        "import elsewhere",
        "import _thread, tomllib, cgi, audioop",
        "try:\n    from distutils.version import LooseVersion\nexcept ImportError:\n    pass",
    ],
)
def test_what_needs_no_requirement(tmp_path: Path, top: str) -> None:
    files: dict[str, bytes | str] = {
        "b.py": "", "folder/inner.py": "", "src/elsewhere/x.py": "", "requirements.txt": "torch\n",
    }  # fmt: skip
    assert not facts(tmp_path, files, top).undeclared


def test_local_modules_are_followed(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "net/__init__.py": "from .deep import x\n",
        "net/deep.py": "import lmdb\ndef f():\n    from . import lazy\n",
        "net/lazy.py": "import timm\n",
        "train.py": "import wandb\n",
        "requirements.txt": "torch\n",
    }
    found = facts(tmp_path, files, "import net")
    assert [(one.module, one.file, one.reach) for one in found.undeclared] == [
        ("lmdb", "net/deep.py", Reach.SURE),
        ("timm", "net/lazy.py", Reach.LATER),
    ]


@pytest.mark.parametrize(
    ("top", "requirements", "source", "better"),
    [
        ("import lmdb", "torch", Source.NOWHERE, "lmdb"),
        ("import cv2", "torch", Source.IMAGE, "opencv-python-headless>=4.13"),
        ("import sklearn", "torch", Source.XARES, "scikit-learn>=1.6"),
        ("import soundfile", "torch", Source.XARES, "soundfile>=0.13"),
        ("import foo_of_mine", "torch", Source.UNKNOWN, ""),
        ("import lmdb", "torch\nsomething==1", Source.PERHAPS, "lmdb"),
        ("import requests", "transformers==5", Source.PERHAPS, "requests>=2.32"),
        ("import imp", "torch", Source.REMOVED, "zombie-imp"),
        ("import distutils", "torch", Source.REMOVED, "setuptools>=75.2"),
        ("import google.protobuf", "torch", Source.IMAGE, "protobuf>=5.29"),
    ],
)
def test_where_a_module_might_come_from(
    tmp_path: Path, top: str, requirements: str, source: Source, better: str
) -> None:
    (found,) = facts(tmp_path, {"requirements.txt": requirements}, top).undeclared
    assert (found.source, found.better) == (source, better)


@pytest.mark.parametrize(
    ("top", "requirements"),
    [
        ("import cv2", "opencv-python==4.13.0.92"),
        ("import cv2", "opencv_contrib_python==4.13.0.92"),
        ("import huggingface_hub, safetensors, yaml", "transformers==5.0"),
        ("import soundfile, scipy, sklearn", "librosa==0.11.0"),
        ("import foo_of_mine", "foo-of-mine==1.0"),
        ("import mine", "git+https://github.com/me/mine@v1.0"),
        ("import mine", "mine-toolkit==1.0"),
        ("import distutils.util", "setuptools==75"),
        ("import google.colab", "torch"),
        ("import yaml", "PyYAML==6.0.3"),
        ("import flash_attn", "torch"),
        ("import librosa", "librosa=0.10"),
    ],
)
def test_what_a_requirement_provides(tmp_path: Path, top: str, requirements: str) -> None:
    assert not facts(tmp_path, {"requirements.txt": requirements}, top).undeclared


def test_a_requirement_for_other_systems_is_no_requirement(tmp_path: Path) -> None:
    lines = "lmdb==1; python_version < '3.12'\nlmdb==2; sys_platform == 'win32'\n"
    found = facts(tmp_path / "1", {"requirements.txt": lines}, "import lmdb")
    assert (kinds(found), found.undeclared) == ([FlawKind.WRONG_PYTHON], ())
    unused = facts(tmp_path / "2", {"requirements.txt": "tomli==2; python_version < '3.11'\n"}, "import tomllib")
    assert (unused.flaws, unused.undeclared) == ((), ())


def test_unused_requirements_are_told_by_name(tmp_path: Path) -> None:
    lines = "torch\nlmdb==1.0\nhf-transfer==0.1\nscikit-image==0.25\nkaldiio==2.18\n"
    found = facts(tmp_path, {"requirements.txt": lines, "other.py": "import skimage\n"}, "x = 'kaldiio'")
    assert [(one.kind, one.what, one.line) for one in found.flaws] == [(FlawKind.UNUSED, "lmdb", 2)]
    assert not facts(tmp_path, {"requirements.txt": lines, "broken.py": "def\n"}).flaws
    frozen = "".join(f"package-{n}==1.0\n" for n in range(25))
    assert not facts(tmp_path / "3", {"requirements.txt": frozen}).flaws


def test_strange_names_are_printable(tmp_path: Path) -> None:
    found = facts(tmp_path, {"requirements.txt": "a\u202eb==1\n\x1b[31mred\n"}, "import \u00e9t\u00e9")
    texts = [text for one in found.flaws for text in (one.what, one.detail, one.better)]
    assert all(text.isprintable() for text in texts)
    assert [one.module for one in found.undeclared if not one.module.isprintable()] == []


def test_the_tables_fit_together() -> None:
    tables = known()
    brought = {name for names in tables.brings.values() for name in names}
    assert all(name == name.lower() and "_" not in name for name in brought | tables.names)
    assert tables.xares <= tables.names
    assert not set(known_versions().wrong) & set(tables.brings)
    assert not set(known_versions().wheels) & set(known_versions().built)
