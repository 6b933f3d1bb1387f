"""Credentials found in text and by names of files. Every one here is put together at run time."""

from __future__ import annotations

import base64
import json
import os
import random
import string
import sys
import time
import zlib
from pathlib import Path

import pytest

from audio_encoder_checker.archive import secrets as module
from audio_encoder_checker.archive.secret_formats import BASE62, checksum_fits
from audio_encoder_checker.archive.secrets import find_secrets, hide_secrets
from audio_encoder_checker.evidence.secrets import Secret, SecretFacts, SecretFile
from tests.builders import write_tree

ROOT = Path(__file__).parent.parent.parent
LETTERS, HEX = string.ascii_letters, "0123456789abcdef"
PLAIN = LETTERS + string.digits
WIDE, BASE64 = PLAIN + "-_", PLAIN + "+/"
LINKS = pytest.mark.skipif(sys.platform == "win32", reason="no links")


def some(letters: str, count: int, before: str = "") -> str:
    """Random letters, the same whatever test runs first."""
    dice = random.Random(f"{letters} {count} {before}")  # noqa: S311 - nothing is kept secret with it
    return before + "".join(dice.choice(letters) for _ in range(count))


def summed(before: str) -> str:
    """A token with GitHub's checksum."""
    body, number, digits = some(PLAIN, 30), 0, ""
    number = zlib.crc32(body.encode())
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return before + body + digits


def private_key(kind: str = "RSA ", newline: str = "\n") -> str:
    lines = [some(BASE64, 64) for _ in range(9)]
    return newline.join([f"-----BEGIN {kind}PRIVATE" + " KEY-----", *lines, f"-----END {kind}PRIVATE" + " KEY-----"])


def signed() -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
        for one in ({"alg": "HS256"}, {"sub": "77"})
    ]
    return ".".join([*parts, some(WIDE, 43)])


def facts(tmp_path: Path, text: bytes | str, name: str = "a.py") -> SecretFacts:
    return find_secrets(write_tree(tmp_path / str(len(list(tmp_path.iterdir()))), {name: text}))


HF = some(LETTERS, 34, "hf" + "_")
KNOWN = [
    ("a Hugging Face token", HF),
    ("a Hugging Face token", some(LETTERS, 34, "api" + "_org_")),
    *(("a GitHub token", summed(f"gh{one}_")) for one in "pous"),
    ("a GitHub token", some(PLAIN, 22, "github" + "_pat_") + "_" + some(PLAIN, 59)),
    ("a GitLab token", some(PLAIN, 20, "glpat" + "-")),
    ("a Google API key", some(PLAIN, 35, "AI" + "za")),
    ("a Google OAuth token", some(PLAIN, 100, "ya29" + ".")),
    ("a Google OAuth client secret", some(PLAIN, 28, "GOCSPX" + "-")),
    ("a Slack token", some(string.digits, 11, "xox" + "b-") + "-" + some(PLAIN, 24)),
    ("a Slack webhook", some(PLAIN, 24, "https://hooks.slack.com" + "/services/T0A1B2C3D/B0AB12CD3/")),
    ("an Anthropic API key", some(PLAIN, 95, "sk-" + "ant-api03-")),
    ("an OpenAI API key", some(PLAIN, 120, "sk-" + "proj-")),
    ("an API key as OpenAI, DeepSeek and DashScope make them", some(HEX, 32, "sk" + "-")),
    ("a Weights & Biases API key", some(PLAIN, 72, "wandb" + "_v1_")),
    ("a Kaggle token", some(HEX, 32, "KG" + "AT_")),
    ("a Neptune token", some(PLAIN, 90, "eyJhcGlf" + "YWRkcmVzcyI6") + "=="),
    ("a Docker Hub token", some(PLAIN, 27, "dckr" + "_pat_")),
    ("a PyPI token", some(PLAIN, 120, "pypi" + "-AgEIcHlwaS5vcmc")),
    ("an npm token", some(PLAIN, 36, "npm" + "_")),
    ("an Azure storage key", some(BASE64, 86, "Account" + "Key=") + "=="),
    ("a private key", private_key()),
    ("a private key", private_key("OPENSSH ", "\\n")),
    ("a private key", private_key("").replace("KEY-----\n", "KEY-----\nProc-Type: 4\nDEK-Info: AES,1\n\n", 1)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), KNOWN, ids=[f"{kind} {number}" for number, (kind, _) in enumerate(KNOWN)])
def test_a_known_form_is_found_and_not_shown(tmp_path: Path, kind: str, value: str) -> None:
    found = facts(tmp_path, f'import os\nx = """{value}"""\n')
    (secret,) = found.secrets
    assert (secret.kind, secret.at, secret.sure) == (kind, "a.py:2", True)
    assert secret.masked.endswith("characters)")
    assert value[len(value) // 2 :][:10] not in repr(found)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.py", 'wandb.login(key="{}")', "a Weights & Biases API key"),
        ("a.py", 'os.environ["WANDB_API_KEY"] = "{}"', "a Weights & Biases API key"),
        ("run.sh", "wandb login {}", "a Weights & Biases API key"),
        ("Dockerfile", "ENV WANDB_API_KEY={}\n", "a Weights & Biases API key"),
    ],
)
def test_hexadecimal_digits_count_beside_a_name(tmp_path: Path, name: str, text: str, kind: str) -> None:
    (secret,) = facts(tmp_path, text.format(some(HEX, 40)), name).secrets
    assert (secret.kind, secret.masked, secret.sure) == (kind, "40 characters", True)
    assert facts(tmp_path, f"revision = '{some(HEX, 40)}'  # wandb @ git+https://x.org@{some(HEX, 40)}").secrets == ()


def test_comet_and_kaggle_keys_are_told_by_name(tmp_path: Path) -> None:
    (comet,) = facts(tmp_path, f'comet_ml.Experiment(\n    api_key="{some(PLAIN, 25)}",\n)').secrets
    assert (comet.kind, comet.line) == ("a Comet API key", 2)
    (kaggle,) = facts(tmp_path, f'os.environ["KAGGLE_KEY"] = "{some(HEX, 32)}"').secrets
    assert kaggle.kind == "a Kaggle key"


def test_the_secret_half_of_an_aws_key_is_found_near_the_public_one(tmp_path: Path) -> None:
    public = some("ABCDEFGHIJKLMNOP234567", 16, "AK" + "IA")
    found = facts(tmp_path, f'connect(\n    "{public}",\n    "{some(BASE64, 40)}",\n)').secrets
    assert [(one.kind, one.line) for one in found] == [("an AWS access key ID", 2), ("an AWS secret access key", 3)]
    assert len(facts(tmp_path, f"aws_secret_access_key = {some(BASE64, 40)}\n", "aws.cfg").secrets) == 1


def test_a_service_account_and_a_shared_signature_are_found(tmp_path: Path) -> None:
    account = json.dumps({"type": "service_account", "project_id": "p", "private_key": private_key("")}, indent=2)
    (secret,) = facts(tmp_path, account, "key.json").secrets
    assert (secret.kind, secret.line) == ("a private key of a Google service account", 4)
    url = f"https://a.blob.core.windows.net/c?sv=2022-11-02&sp=rl&sig={some(PLAIN, 43)}%3D"
    assert facts(tmp_path, f'u = "{url}"').secrets[0].kind == "a shared access signature of Azure"
    assert facts(tmp_path, f'u = "sig={some(PLAIN, 43)}="').secrets == ()


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.py", 'API_KEY = "{}"', "an API key"),
        ("a.py", 'def f(auth_token: str = "{}"): pass', "a token"),
        ("a.py", 'x = {{"client_secret": "{}"}}', "a secret"),
        ("a.py", 'os.environ.setdefault("MY_TOKEN", "{}")', "a token"),
        ("a.py", "if access_key == '{}': pass", "an API key"),
        ("n.ipynb", '{{"source": ["api_key = \\"{}\\"\\n"]}}', "an API key"),
        ("c.yaml", "api_key: {}\n", "an API key"),
        (".env.ci", "MY_TOKEN={}\r\n", "a token"),
        ("run.sh", "export SECRET_KEY={}", "a secret"),
    ],
)
def test_a_random_value_of_a_telling_name_is_found_but_not_sure(
    tmp_path: Path, name: str, text: str, kind: str
) -> None:
    value = some(PLAIN, 30)
    found = facts(tmp_path, text.format(value), name)
    (secret,) = found.secrets
    assert (secret.kind, secret.masked, secret.sure) == (kind, "30 characters", False)
    assert value not in repr(found)


def test_passwords_and_signed_tokens_are_found_but_not_sure(tmp_path: Path) -> None:
    word = "Tr0ub4dor" + "&3"
    for text in (f"password = '{word}'", f"u = 'https://bob:{word}@git.company.com/x.git'", f"t = '{signed()}'"):
        (secret,) = facts(tmp_path, text).secrets
        assert not secret.sure


def test_a_token_in_an_address_is_told_by_its_form(tmp_path: Path) -> None:
    text = f"git clone https://oauth2:{some(PLAIN, 20, 'glpat' + '-')}@gitlab.com/x"
    assert [one.kind for one in facts(tmp_path, text, "run.sh").secrets] == ["a GitLab token"]


@pytest.mark.parametrize(
    "line",
    [
        f'token = "{"hf" + "_" + "x" * 34}"',
        f'token = "{"hf" + "_" + "abcdefghijklmnopqrstuvwxyzabcdefgh"}"',
        f'x = "{"gh" + "p_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"}"',
        f'key = "my{HF}"',
        f'key = "{HF}a"',
        'token = os.environ["HF_TOKEN"]',
        'login(token="<your token>")',
        'bos_token = "<s>"',
        'pad_token: str = "[PAD]"',
        'token_type = "a1b2C3d4e5F6g7h8i9J0"',
        'mask_token = "a1b2C3d4e5F6g7h8i9J0"',
        'tokens = "a1b2C3d4e5F6g7h8i9J0"',
        'tokenizer = "a1b2C3d4e5F6g7h8i9J0"',
        'publicKeyToken="1fc8b3b9a1e18e3b"',
        '{"token": "word"}',
        'api_key = "YOUR_API_KEY"',
        'api_key = "{KEY_1a2B3c4D5e6F7g8H}"',
        f'api_key = "{"sk" + "-" + "x" * 32}"',
        f'api_key = "{"a" * 32}"',
        'access_token = "test-token-1234567890abcdef"',
        'secret = "models/wav2vec2-base-960h/epoch-2024"',
        'secret = "/data/x1/Y2/z3/Q4/w5"',
        'password = "changeme"',
        'password = "password123"',
        "password = None",
        'h = ("user", "password", "localhost:22")',
        'url = "https://user:password@git.company.com/x"',
        'url = "https://user:p4ssw0rd@host.example.com/x"',
        'url = f"https://{user}:{password}@git.company.com"',
        'url = "https://${USER}:${TOKEN}@github.com/x"',
        'url = "github://org:repo@main/x.yml"',
        'url = "https://foo.com:123,foo:bar@bar.com/path"',
        "-----BEGIN RSA PRIVATE" + " KEY-----",
        'x = "-----BEGIN PRIVATE' + ' KEY-----\\n...\\n-----END"',
        "AKIA" + "IOSFODNN7EXAMPLE",
        'sk = "task-specific-encoder-with-a-very-long-name-2024"',
        'x = "eyJ' + 'hbGciOiJIUzI1NiJ9"',
    ],
)
def test_its_harmless_neighbour_is_not(tmp_path: Path, line: str) -> None:
    assert facts(tmp_path, f"{line}\n").secrets == ()


def test_the_checksum_is_githubs() -> None:
    assert checksum_fits("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17")  # published, expired and without rights
    assert not checksum_fits("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq18")


def test_a_value_is_hidden_from_any_text_and_lines_stay() -> None:
    key = private_key()
    hidden = hide_secrets(f'a = "{HF}"\nb = """{key}"""\nc = 1\n')
    assert hidden.startswith('a = "hf_…"\n')
    assert hidden.count("\n") == 3 + key.count("\n")
    assert hidden.endswith("\nc = 1\n")
    assert not any(line in hidden for line in [HF[4:], *key.split("\n")[1:-1]])
    assert hide_secrets("x = 1\n") == "x = 1\n"


def test_however_many_there_are_all_are_hidden() -> None:
    assert HF[4:] not in hide_secrets(f"x = '{HF}'\n" * 500)
    value = some(PLAIN, 30)
    assert hide_secrets(f"\u0130\u0130\u0130 API_KEY = '{value}'") == "\u0130\u0130\u0130 API_KEY = '…'"


FILES: list[tuple[str, bytes | str, str, bool]] = [
    (".env", "DEBUG=1\n", "a file of environment variables", False),
    ("sub/.env.local", f"HF_TOKEN={HF}\n", "a file of environment variables", True),
    (".env", "DB_PASSWORD=hunter2\n", "a file of environment variables", True),
    (".ssh/id_rsa", private_key("OPENSSH "), "a private key of SSH", True),
    (".netrc", "machine api.wandb.ai\n  login user\n  password " + some(HEX, 40), "passwords for hosts", True),
    (".git-credentials", "https://bob:hunter2" + "@git.company.com\n", "passwords for hosts", True),
    (".pypirc", "[pypi]\nusername = bob\npassword = hunter2\n", "credentials of a package index", True),
    (".npmrc", "//x.org/:_authToken=${NPM_TOKEN}\n", "credentials of a package index", False),
    ("kaggle.json", json.dumps({"username": "bob", "key": some(HEX, 32)}), "a Kaggle key", True),
    (".docker/config.json", '{"auths": {"x.org": {"auth": "Ym9iOmh1bnRlcg=="}}}', "credentials of Docker", True),
    (".aws/credentials", f"aws_secret_access_key = {some(BASE64, 40)}\n", "credentials of AWS", True),
    (".huggingface/token", HF, "a Hugging Face token", True),
    ("store.p12", b"\0\1", "a store of keys", False),
    ("server.pem", private_key(), "a file of keys", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "kind", "full"), FILES, ids=[f"{one[0]} {one[3]}" for one in FILES])
def test_a_file_is_told_by_its_name(tmp_path: Path, name: str, text: bytes | str, kind: str, full: bool) -> None:
    assert facts(tmp_path, text, name).files == (SecretFile(name, kind, full),)


@pytest.mark.parametrize("name", [".env.example", ".env.template", "id_rsa.pub", "cert.pem", "env.py", "my.netrc.md"])
def test_other_files_are_not(tmp_path: Path, name: str) -> None:
    assert facts(tmp_path, "-----BEGIN CERTIFICATE-----\nHF_TOKEN=\n", name).files == ()


def test_folders_that_are_not_the_submissions_and_binary_files_are_left_aside(tmp_path: Path) -> None:
    text = f'x = "{HF}"\n'
    names = [".git/config", ".venv/a.py", "__pycache__/a.py", "here/lib/a.py", "w.safetensors"]
    files: dict[str, bytes | str] = {**dict.fromkeys(names, text), "here/pyvenv.cfg": "", "data": b"\0" + text.encode()}
    assert find_secrets(write_tree(tmp_path, files)) == SecretFacts()


def test_large_files_are_counted_unless_they_are_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 20_000)
    files = {"a.txt": b"a" * 20_001, "b.txt": b"b" * 20_000, "c": b"\0" * 30_000, "d.pt": b"d" * 30_000}
    assert find_secrets(write_tree(tmp_path, files)).unread == 1


def test_only_so_much_is_read_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TOTAL", 10)
    assert find_secrets(write_tree(tmp_path / "a", {"a.py": "x = 1  # long", "b.py": "", "c.pt": ""})).unread == 1
    monkeypatch.undo()
    monkeypatch.setattr(module, "MOST", 3)
    found = find_secrets(write_tree(tmp_path / "b", {"a.py": f'x = "{HF}"\n' * 5, "b.py": f'x = "{HF}"\n'}))
    assert ([one.at for one in found.secrets], found.unread) == (["a.py:1", "a.py:2", "a.py:3"], 1)


def test_windows_text_is_read(tmp_path: Path) -> None:
    (secret,) = facts(tmp_path, f"DEBUG=1\r\nHF_TOKEN={HF}\r\n".encode("utf-16"), ".env").secrets
    assert secret.at == ".env:2"


def test_a_single_file_is_looked_at_alone(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"a.py": f'x = "{HF}"', "b.py": f'x = "{HF}"'})
    assert [one.at for one in find_secrets(root / "a.py").secrets] == ["a.py:1"]


@LINKS
def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "repo", {"a.py": ""})
    far = write_tree(tmp_path / "far", {"b.py": f'x = "{HF}"'})
    (root / "b.py").symlink_to(far / "b.py")
    (root / "far").symlink_to(far)
    os.mkfifo(root / ".env")
    assert find_secrets(root) == SecretFacts()


@pytest.mark.parametrize(
    "part",
    [
        "token",
        "api_key='",
        "://a:b@",
        "password = '",
        " eyJ" + "a" * 12,
        "wandb key '",
        "hf" + "_" + "a" * 34 + " ",
        "-----BEGIN PRIVATE" + " KEY-----Abcd: x" + " " * 20 + "\n",
        "-----BEGIN PRIVATE" + " KEY-----\n" + "Abcd: x Abcd: y \n" * 60,
        "-----BEGIN PRIVATE" + " KEY-----" + "\\n" * 400,
    ],
    ids=lambda part: part[:20],
)
def test_the_time_grows_with_the_size(tmp_path: Path, part: str) -> None:
    begin = time.process_time()
    facts(tmp_path, (part * (200_000 // len(part))), "a.sh")
    assert time.process_time() - begin < 2  # a fraction of that on any machine


def test_a_hidden_character_of_a_name_is_shown_as_such() -> None:
    assert Secret("a\u202e.py", 1, "", "").at == r"a\u202e.py:1"


def test_our_own_repository_holds_none() -> None:
    found = find_secrets(ROOT)
    assert (found.secrets, found.files) == ((), ())
