"""AEC21x: what importing the encoder's file would do in X-ARES's run."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few
from audio_encoder_checker.evidence.source import SourceFacts, TopModule, WorkKind
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import place, printable

_NEVER_HIDDEN = "abc builtins codecs encodings genericpath io ntpath os posixpath site stat sys time"
NEVER_HIDDEN = frozenset(_NEVER_HIDDEN.split())
"""What every Python has inside itself, or has loaded before it looks into a repository."""
_UNUSED = """
aifc antigravity asynchat asyncore audioop cgi cgitb chunk crypt curses dbm ensurepip idlelib imaplib imghdr lib2to3
mailbox mailcap modulefinder msilib nis nntplib nturl2path ossaudiodev pipes poplib pyclbr pydoc_data rlcompleter sched
smtpd sndhdr spwd sunau symtable tabnanny telnetlib this tkinter turtle turtledemo uu venv wave wsgiref xdrlib zipapp
"""
UNUSED = frozenset(_UNUSED.split())
"""Modules of Python that nothing in X-ARES's run loads.

Measured by `sys.modules` once torch, numpy, scipy, scikit-learn and huggingface_hub were imported under Python 3.11;
those that other libraries of the kind may well load are left out.
"""
_X_ARES = """
xares torch torchaudio numpy pandas sklearn transformers ignite webdataset braceexpand loguru tqdm jiwer requests
soundfile scipy joblib threadpoolctl dateutil six cffi rapidfuzz typing_extensions filelock packaging yaml regex
safetensors tokenizers huggingface_hub urllib3 certifi idna sympy mpmath torchgen functorch
"""
X_ARES = frozenset(_X_ARES.split())
"""First line: what the files of xares 0.1.3 import. The others: what its metadata requires, and what these load."""
_WHERE_INSTALLED = """
PIL accelerate cv2 datasets flax fsspec h5py jax jinja2 librosa matplotlib networkx numba onnx onnxruntime peft psutil
pyarrow sentencepiece soxr tensorboard tensorboardX tensorflow torchcodec torchvision triton
"""
WHERE_INSTALLED = frozenset(_WHERE_INSTALLED.split())
"""What torch, transformers and pandas import where it is installed."""


@check("AEC210")
def shadowing_module(sources: SourceFacts, submission: Submission) -> Iterator[Problem]:
    """A file or package at the root hides a module that X-ARES imports.

    `python -m` and `PYTHONPATH` put the repository before all else: `import random` anywhere, in torch too, gets the
    submission's `random.py`. `aecc-check` puts the repository last, so that no later stage would show it.

    Fix: rename it, or move your modules into one package, such as `acme/random.py`.
    """
    alone = submission.kind is SubmissionKind.FILE  # what else lies beside it is not submitted
    own = [one for one in sources.top_modules if one.path in sources.reached or not alone]
    yield from few(problem for one in own if (problem := _hidden(one, used=one.path in sources.reached)))


def _hidden(module: TopModule, *, used: bool) -> Problem | None:
    """What a module at the root hides from whom, if anything.

    Args:
        module: at the root.
        used: whether the encoder imports it.
    """
    name, (folder, inside, _) = module.name, module.path.partition("/")
    shown = printable(folder + inside)
    hint = f"rename {shown} to own_{shown}, or move your modules into one package"
    severity = Severity.WARNING
    if name in NEVER_HIDDEN:
        return None
    if name in X_ARES:
        message, severity = f"{shown} hides {name}, which X-ARES imports", Severity.ERROR
    elif name in sys.stdlib_module_names and name not in UNUSED:
        message, severity = f"{shown} hides {name} of Python's own library", Severity.ERROR
    elif name in UNUSED and name in sys.stdlib_module_names and used:
        message = f"{shown} hides {name} of Python's own library: X-ARES's run imports yours, this check Python's"
    elif name in WHERE_INSTALLED and module.installed:
        message = f"{shown} hides {name}, which is installed and which X-ARES's own libraries import"
    elif module.installed and used and name != "audio_encoder_checker":
        message = f"{shown} hides an installed {name}: X-ARES's run imports yours, this check the installed one"
    else:
        return None
    return Problem(message, printable(module.path), hint, severity)


@check("AEC211", severity=Severity.WARNING)
def code_outside_main(sources: SourceFacts) -> Iterator[Problem]:
    """Importing the encoder's file does work that is meant for a script.

    X-ARES imports the file in its own process and again in every worker that it starts. A training run or a test
    at the top level is repeated each time, and `parse_args()` meets X-ARES's own arguments and ends the run.

    Fix: put what is to run as a script under `if __name__ == "__main__":`.
    """
    yield from few(
        Problem(
            f"`{printable(work.calls, limit=80)}()` {work.kind.value} when the file is imported",
            place(file.path, work.line),
            f'put `if __name__ == "__main__":` above line {work.line} and indent what is to run as a script',
            Severity.ERROR if work.kind is WorkKind.ARGUMENTS else None,
        )
        for file in sources.files
        if file.path in sources.run_by_import
        for work in file.work
    )
