"""AEC215 and AEC216: credentials that a submission would give away. Their values are shown nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few, listed
from audio_encoder_checker.evidence.secrets import Secret, SecretFacts
from audio_encoder_checker.evidence.submission import Submission, SubmissionKind
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable

PAGES = {
    "Hugging Face": "https://huggingface.co/settings/tokens",
    "GitHub": "https://github.com/settings/tokens",
    "GitLab": "https://gitlab.com/-/user_settings/personal_access_tokens",
    "Google": "https://console.cloud.google.com/apis/credentials",
    "AWS": "https://console.aws.amazon.com/iam/home#/security_credentials",
    "Slack": "https://api.slack.com/apps",
    "Anthropic": "https://console.anthropic.com/settings/keys",
    "OpenRouter": "https://openrouter.ai/settings/keys",
    "an OpenAI": "https://platform.openai.com/api-keys",
    "Weights & Biases": "https://wandb.ai/settings",
    "Comet": "https://www.comet.com/account-settings/apiKeys",
    "Kaggle": "https://www.kaggle.com/settings",
    "ModelScope": "https://modelscope.cn/my/myaccesstoken",
    "Docker Hub": "https://app.docker.com/settings/personal-access-tokens",
    "PyPI": "https://pypi.org/manage/account/",
    "npm": "https://www.npmjs.com/settings/~/tokens",
}
"""Where credentials of a kind are revoked."""


@check("AEC215", stage="source")
def secrets_in_sources(facts: SecretFacts) -> Iterator[Problem]:
    """A file holds what looks like a credential.

    The ZIP goes to the organisers by e-mail and may be published. Whoever has it can then act in your name, and pay
    with your account. If the file ever was in a repository, git's history keeps the credential after you remove it.
    The value is shown nowhere in this report.

    Fix: revoke it first, then remove it and read it from the environment: `os.environ["HF_TOKEN"]`.
    """
    kept = {file.path for file in facts.files}
    yield from few(_problem(one) for one in facts.secrets if one.path not in kept)


def _problem(secret: Secret) -> Problem:
    words = f"{secret.at} holds what looks like {secret.kind}, {secret.masked}"
    page = next((page for name, page in PAGES.items() if name in secret.kind), "")
    hint = f"revoke it at {page}, then remove it and read it from the environment" if page else ""
    return Problem(words, secret.at, hint, None if secret.sure else Severity.WARNING)


@check("AEC216", severity=Severity.WARNING, stage="source")
def secret_files(facts: SecretFacts, submission: Submission) -> Iterator[Problem]:
    """The submission holds a file that is meant for credentials.

    Files such as `.env`, `.netrc` and `id_rsa` are for your own machine; no encoder needs them. The ZIP goes to the
    organisers by e-mail and may be published, and with it everything in such a file. `aecc-package build` leaves most
    of them out.

    Fix: revoke what is in it, then delete the file and make the ZIP anew.
    """
    sent = submission.kind is SubmissionKind.ARCHIVE  # aecc-package leaves most such files of a folder out
    yield from few(_file_problems(facts, sent=sent))


def _file_problems(facts: SecretFacts, *, sent: bool) -> Iterator[Problem]:
    for file in facts.files:
        kinds = dict.fromkeys(f"{one.kind}, {one.masked}" for one in facts.secrets if one.path == file.path)
        held = f"what looks like {listed(list(kinds), 1)}" if kinds else "a password or key"
        words = f"{printable(file.path)} is {file.kind}" + (f", and it holds {held}" if file.full else "")
        yield Problem(words, printable(file.path), severity=Severity.ERROR if file.full and sent else None)
