from __future__ import annotations

import subprocess
import sys

import pytest

from audio_encoder_checker.sandbox.launch import user_tasks


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_a_process_whose_name_is_no_text_counts_as_any_other() -> None:
    code = "import ctypes, time; ctypes.CDLL(None).prctl(15, b'\\xff\\xfe'); print('on', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert user_tasks() > 0
        process.kill()
