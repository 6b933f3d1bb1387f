"""AEC215 and AEC216."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audio_encoder_checker.archive.excerpts import with_excerpts
from audio_encoder_checker.archive.secrets import find_secrets
from audio_encoder_checker.catalogue import all_checks
from audio_encoder_checker.evidence.secrets import Secret, SecretFacts, SecretFile
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.findings import Finding, Severity
from audio_encoder_checker.judging import Evidence, judge
from tests.builders import write_tree

if TYPE_CHECKING:
    from pathlib import Path

LOOKS = "what looks like a Hugging Face token, `hf_…` (37 characters)"
HF = Secret("a.py", 3, "a Hugging Face token", "`hf_…` (37 characters)")


def findings(facts: SecretFacts, kind: SubmissionKind = SubmissionKind.ARCHIVE) -> list[Finding]:
    evidence = Evidence()
    evidence.put(facts, Submission("x.zip", kind, "0" * 64, 1))
    return list(judge(evidence, [one for one in all_checks() if SecretFacts in one.needs]).findings)


def test_aec215_says_where_and_what_and_how_to_revoke() -> None:
    (found,) = findings(SecretFacts((HF,)))
    assert (found.id, found.name, found.severity) == ("AEC215", "secrets-in-sources", Severity.ERROR)
    assert found.message == "a.py:3 holds what looks like a Hugging Face token, `hf_…` (37 characters)"
    assert found.hint.startswith("revoke it at https://huggingface.co/settings/tokens, then remove it")


def test_what_is_quoted_is_masked(tmp_path: Path) -> None:
    value = "hf" + "_" + "QwErTyUiOpAsDfGhJkLzXcVbNmPoIuYtRe"
    root = write_tree(tmp_path, {"a.py": f'import os\nlogin("{value}")  # mine\n'})
    (found,) = with_excerpts(findings(find_secrets(root)), root)
    assert found.at == "a.py:2"
    assert [line.text for line in found.excerpt] == ["import os", 'login("hf_…")  # mine']


def test_a_folder_may_keep_what_its_zip_will_not_hold() -> None:
    facts = SecretFacts((), (SecretFile(".env", "a file of environment variables", full=True),))
    (found,) = findings(facts, SubmissionKind.FOLDER)
    assert found.severity is Severity.WARNING


def test_what_only_a_name_tells_is_a_warning() -> None:
    (found,) = findings(SecretFacts((Secret("a.py", 1, "a password", "12 characters", sure=False),)))
    assert (found.severity, found.hint.partition(",")[0]) == (Severity.WARNING, "revoke it first")


def test_many_are_few() -> None:
    found = findings(SecretFacts((HF,) * 30))
    assert len(found) == 20
    assert found[-1].message.endswith("; and 10 more like this")


@pytest.mark.parametrize(
    ("full", "secrets", "severity", "message"),
    [
        (False, (), Severity.WARNING, ".env is a file of environment variables"),
        (True, (), Severity.ERROR, ".env is a file of environment variables, and it holds a password or key"),
        (
            True,
            (replace(HF, path=".env"), Secret(".env", 2, "a token", "20 characters")),
            Severity.ERROR,
            f".env is a file of environment variables, and it holds {LOOKS} and 1 more",
        ),
    ],
)
def test_aec216_counts_what_a_file_holds_once(
    full: bool, secrets: tuple[Secret, ...], severity: Severity, message: str
) -> None:
    (found,) = findings(SecretFacts(secrets, (SecretFile(".env", "a file of environment variables", full),)))
    assert (found.id, found.name, found.severity, found.at) == ("AEC216", "secret-files", severity, ".env")
    assert found.message == message


def test_aec216_leaves_what_another_file_holds_to_that_file() -> None:
    facts = SecretFacts((HF,), (SecretFile(".env", "a file of environment variables", full=True),))
    (found,) = (one for one in findings(facts) if one.id == "AEC216")
    assert found.message == ".env is a file of environment variables, and it holds a password or key"


def test_no_value_reaches_a_finding(tmp_path: Path) -> None:
    value = "hf" + "_" + "QwErTyUiOpAsDfGhJkLzXcVbNmPoIuYtRe"
    root = write_tree(tmp_path, {"a.py": f'login("{value}")\n', ".env": f"HF_TOKEN={value}\n"})
    found = findings(find_secrets(root))
    assert [one.id for one in found] == ["AEC215", "AEC216"]
    assert not any(value[4:12] in repr(one) for one in found)


def test_a_clean_submission_has_no_finding() -> None:
    assert findings(SecretFacts()) == []
