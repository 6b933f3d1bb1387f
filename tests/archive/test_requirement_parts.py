"""What single requirements mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio_encoder_checker.archive.requirement_parts import Place, mended, understand
from audio_encoder_checker.evidence.requirements import FlawKind
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "name", "specifier", "applies"),
    [
        ("torch", "torch", "", True),
        ("Scikit_Learn[all]>=1.4, <2", "scikit-learn", "<2,>=1.4", True),
        ("a==1; python_version < '3.11'", "a", "==1", False),
        ("a==1; python_version >= '3.11'", "a", "==1", True),
        ("a; sys_platform == 'win32'", "a", "", False),
        ("a;", "a", "", True),
        ("a @ https://github.com/me/a/tarball/main", "a", "", True),
        ("a; platform_machine == 'x86_64' and os_name == 'posix'", "a", "", True),
        ("a @ https://example.org/a-1.0-py3-none-any.whl", "a", "", True),
        ("https://example.org/a-1.0-py3-none-any.whl ; python_version < '3'", "a", "", False),
        ("wheels/b_c-1.0-py3-none-any.whl", "b-c", "", True),
        ("./wheels/b_c-1.0-py3-none-any.whl", "b-c", "", True),
        ("file:wheels/b_c-1.0-py3-none-any.whl", "b-c", "", True),
    ],
)
def test_requirements_are_understood(tmp_path: Path, text: str, name: str, specifier: str, *, applies: bool) -> None:
    root = write_tree(tmp_path.resolve(), {"wheels/b_c-1.0-py3-none-any.whl": b""})
    meaning = understand(text, Place(root, "requirements.txt", 3))
    assert meaning.flaw is None
    assert meaning.required
    found = meaning.required
    assert (found.name, found.specifier, found.applies) == (name, specifier, applies)
    assert found.at == "requirements.txt:3"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("git+https://github.com/a/b", FlawKind.VCS_OPEN),
        ("b @ git+https://github.com/a/b.git@main", FlawKind.VCS_OPEN),
        (f"git+https://github.com/a/b@{COMMIT}#egg=b", FlawKind.VCS_COMMIT),
        ("git+https://github.com/a/b@v1.2.3", FlawKind.VCS_COMMIT),
        ("git+ssh://git@github.com/a/b.git", FlawKind.VCS_PRIVATE),
        ("git@github.com:a/b.git", FlawKind.VCS_PRIVATE),
        ("git+https://${TOKEN}@github.com/a/b", FlawKind.VCS_PRIVATE),
        ("git+file:///home/me/b", FlawKind.LOCAL_OUTSIDE),
        ("/home/me/b", FlawKind.LOCAL_OUTSIDE),
        ("../b", FlawKind.LOCAL_OUTSIDE),
        ("numpy @ file:///croot/numpy_1234/work", FlawKind.LOCAL_OUTSIDE),
        ("./absent.whl", FlawKind.LOCAL_ABSENT),
        ("./folder", FlawKind.LOCAL_ABSENT),
        (".", FlawKind.LOCAL_PROJECT),
        ("./sub[all]", FlawKind.LOCAL_PROJECT),
        ("https://github.com/a/b", FlawKind.REFUSED),
        ("b @ https://example.org/b.git", FlawKind.REFUSED),
        ("torch=2.1", FlawKind.REFUSED),
        ("torch>=2.*", FlawKind.REFUSED),
        ("a" * 3_000, FlawKind.REFUSED),
        ("a;" + "(" * 900 + "os_name=='x'" + ")" * 900, FlawKind.REFUSED),
    ],
)
def test_flaws_are_told(tmp_path: Path, text: str, kind: FlawKind) -> None:
    root = write_tree(tmp_path.resolve(), {"pyproject.toml": "", "sub/setup.py": "", "folder/a.txt": ""})
    meaning = understand(text, Place(root, "requirements.txt", 1))
    assert meaning.flaw
    assert meaning.flaw.kind is kind


def test_an_editable_repository_needs_a_name(tmp_path: Path) -> None:
    place = Place(tmp_path.resolve(), "requirements.txt", 1)
    nameless = understand("git+https://github.com/a/b", place, editable=True)
    assert nameless.flaw
    assert nameless.flaw.kind is FlawKind.VCS_NAMELESS
    assert nameless.flaw.better == "-e git+https://github.com/a/b#egg=b"
    named = understand(f"git+https://github.com/a/b@{COMMIT}#egg=b", place, editable=True)
    assert named.flaw
    assert named.flaw.kind is FlawKind.VCS_COMMIT


def test_the_root_is_told_from_other_projects(tmp_path: Path) -> None:
    root = write_tree(tmp_path.resolve(), {"pyproject.toml": "", "sub/setup.py": ""})
    assert understand(".", Place(root, "requirements.txt", 1), editable=True).is_root
    assert not understand("./sub", Place(root, "requirements.txt", 1), editable=True).is_root


def test_a_link_does_not_lead_out(tmp_path: Path) -> None:
    root = write_tree(tmp_path.resolve() / "repo", {"a.txt": ""})
    write_tree(tmp_path / "outside", {"setup.py": ""})
    (root / "link").symlink_to(tmp_path / "outside")
    meaning = understand("./link", Place(root, "requirements.txt", 1))
    assert meaning.flaw
    assert meaning.flaw.kind is FlawKind.LOCAL_OUTSIDE


def test_a_public_address_is_offered_for_a_private_one(tmp_path: Path) -> None:
    for text in ("git+ssh://git@github.com/a/b.git", "git@github.com:a/b.git"):
        meaning = understand(text, Place(tmp_path.resolve(), "requirements.txt", 1))
        assert meaning.flaw
        assert meaning.flaw.better == "b @ git+https://github.com/a/b.git@COMMIT"


def test_passwords_are_masked(tmp_path: Path) -> None:
    meaning = understand("https://me:secret@example.org/a-1.zip", Place(tmp_path.resolve(), "requirements.txt", 1))
    assert meaning.required
    assert "secret" not in meaning.required.text
    assert "***@example.org" in meaning.required.text


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("torch=2.1", "torch==2.1"),
        ("numpy=1.21.5=py39_0", "numpy==1.21.5"),
        ("librosa 0.10.1", "librosa==0.10.1"),
        ("pip install einops>=0.8", "einops>=0.8"),
        ("!pip install einops", "einops"),
        ("torch>=2.*", "torch>=2"),
        ("torch=>2", "torch>=2"),
        ("torch,", "torch"),
        ("what is this", ""),
    ],
)
def test_what_was_meant_is_guessed(text: str, better: str) -> None:
    assert mended(text) == better


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="ab.=<>~!@:/;[]()'\" git+#1-*\0\n", max_size=60), editable=st.booleans())
def test_any_text_means_something(tmp_path: Path, text: str, *, editable: bool) -> None:
    meaning = understand(text, Place(tmp_path.resolve(), "requirements.txt", 1), editable=editable)
    assert meaning.required or meaning.flaw or meaning.is_root
