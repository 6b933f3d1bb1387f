"""Which commit a repository of the Hugging Face Hub has now, as anybody without a token is told."""

from __future__ import annotations

import os
from typing import NamedTuple

from audio_encoder_checker.network.hub_paths import COMMIT
from audio_encoder_checker.printable import printable

TIMEOUT_S = 10.0
NOT_OPEN = (401, 403, 404)


class Answer(NamedTuple):
    """A commit, or why there is none."""

    commit: str
    why: str = ""


class Hub:
    """Asks for every repository once; where nobody is there to answer, only once at all."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Answer] = {}
        self._silent: Answer | None = None

    def commit(self, repository: str, kind: str) -> Answer:
        """The commit that `main` stands for.

        Args:
            repository: `organisation/name`.
            kind: `model`, `dataset` or `space`.
        """
        key = (repository, kind)
        if key not in self._known:
            self._known[key] = self._silent or self._ask(repository, kind)
        return self._known[key]

    def _ask(self, repository: str, kind: str) -> Answer:
        from huggingface_hub import HfApi

        try:
            hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=False)
            found = hub.repo_info(repository, repo_type=kind, timeout=TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - the errors of the HTTP library that this release of the client uses
            status = getattr(getattr(error, "response", None), "status_code", 0)
            if status:
                return Answer("", _refusal(status))
            self._silent = Answer("", f"the Hub does not answer: {_first_line(error)}")
            return self._silent
        commit = found.sha
        if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
            return Answer("", "the Hub's answer names no commit")
        return Answer(commit)


def _refusal(status: int) -> str:
    meaning = ": it is private, gated, or not there" if status in NOT_OPEN else ""
    return f"the Hub answers with status {status}{meaning}"


def _first_line(error: Exception) -> str:
    return printable(str(error).strip().partition("\n")[0]) or type(error).__name__
