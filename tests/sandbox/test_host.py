from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from audio_encoder_checker.sandbox.host import box_uid, home, own_interpreter, reachable

as_root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user")


def test_the_interpreter_is_shown_with_every_link_on_the_way_to_it() -> None:
    shown = [Path(path) for path in own_interpreter().paths] + [Path("/usr")]
    link = Path(sys.executable)
    while True:
        assert any(link.is_relative_to(path) for path in shown), link
        if not link.is_symlink():
            break
        link = link.parent / link.readlink()
    assert any(Path(os.__file__).is_relative_to(path) for path in shown)


def test_a_user_without_a_home_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 999_999)
    assert not home().exists()


def test_what_others_may_not_enter_is_not_reachable(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    tmp_path.chmod(0o700)
    assert not reachable(inner)
    assert reachable(Path("/usr/bin"))


@as_root
def test_a_repository_that_only_its_owner_may_read_is_not_given_to_another_user(tmp_path: Path) -> None:
    (tmp_path / "encoder.py").write_text("x")
    tmp_path.chmod(0o755)
    (tmp_path / "encoder.py").chmod(0o644)
    assert (box_uid(tmp_path) or 0) > 1000, "a number that nobody has"
    (tmp_path / "encoder.py").chmod(0o600)
    assert box_uid(tmp_path) is None
