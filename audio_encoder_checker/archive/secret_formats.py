"""What credentials look like in text.

A credential is found by the fixed letters that its provider begins it with, and told from an example by how random the
rest is, or by its checksum where one is published. Every pattern is tried only where its letters stand, and none looks
further than some hundred characters: the time grows with the size of the text, whatever the text is.

GitHub's checksum: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats
"""

from __future__ import annotations

import math
import re
import string
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST = 200
"""So many in one text are enough."""
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
PLACEHOLDER = re.compile(
    r"xxxx|your|example|change.?me|placeholder|dummy|fake|sample|insert|replace|redacted|abcdef|bcdefg|123456|654321"
    r"|987654|deadbeef|00000000|\.\.\.|\*\*\*|[<>{}$%()]",
    re.IGNORECASE,
)
"""Parts of what is written where a credential is meant."""
WORDS = re.compile(
    r"secret|passw|token|api.?key|test|foo.?bar|qwerty|default|none|null|hello|admin|://|^[./~]|(?-i:[a-z]{4}[-_/.]|[-_/.][a-z]{4})",
    re.IGNORECASE,
)
"""Parts of values that people make up, or that are no credentials."""


class Hit(NamedTuple):
    """Where a credential stands in a text; `public` is what every one of its kind begins with."""

    start: int
    end: int
    kind: str
    public: str = ""
    sure: bool = True


def entropy(value: str) -> float:
    """Bits per character, as the value's own characters are distributed."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def plausible(value: str) -> bool:
    """Whether a value is not one of the things written in its stead."""
    return not PLACEHOLDER.search(value) and entropy(value) >= 2.8


def random_like(value: str) -> bool:
    """Whether letters, capitals and digits alternate as in random text; in words they do not."""
    if not plausible(value):
        return False
    kinds = [_kind(character) for character in value if character.isalnum()]
    return sum(one != other for one, other in pairwise(kinds)) >= 0.2 * len(kinds)


def _kind(character: str) -> int:
    return 0 if character.isdigit() else 1 if character.isupper() else 2


def checksum_fits(value: str) -> bool:
    """Whether the last six characters are the CRC32 of those before in base 62, as GitHub makes its tokens."""
    number, digits = zlib.crc32(value[:-6].encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return value[-6:] == digits


@dataclass(frozen=True)
class Format:
    """A provider's form: fixed letters, and what follows them."""

    kind: str
    starts: tuple[str, ...]
    rest: re.Pattern[str]
    genuine: Callable[[str], bool]


def _format(
    kind: str, rest: str, *starts: str, genuine: Callable[[str], bool] = random_like, end: str = r"(?![\w-])"
) -> Format:
    return Format(kind, starts, re.compile(f"(?:{rest}){end}", re.ASCII), genuine)


FORMATS = (
    _format("a Hugging Face token", r"[A-Za-z0-9]{34}", "hf_", "api_org_"),
    _format("a GitHub token", r"[A-Za-z0-9]{36}", "ghp_", "gho_", "ghu_", "ghs_", genuine=checksum_fits),
    _format("a GitHub token", r"[A-Za-z0-9]{76}", "ghr_"),
    _format("a GitHub token", r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "github_pat_"),
    _format("a GitLab token", r"[\w-]{20,200}", "glpat-"),
    _format("a Google API key", r"[\w-]{35}", "AIza"),
    _format("a Google OAuth token", r"[\w-]{20,300}", "ya29."),
    _format("a Google OAuth client secret", r"[\w-]{28}", "GOCSPX-"),
    _format("a Slack token", r"[abeoprs]-[0-9A-Za-z-]{20,200}", "xox"),
    _format("a Slack webhook", r"T\w{6,12}/B\w{6,12}/\w{20,30}", "https://hooks.slack.com/services/"),
    _format("an Anthropic API key", r"[\w-]{40,200}", "sk-ant-"),
    _format("an OpenAI API key", r"[\w-]{40,200}", "sk-proj-", "sk-svcacct-", "sk-admin-"),
    _format("an OpenRouter API key", r"[0-9a-f]{64}", "sk-or-v1-"),
    _format("an API key as OpenAI, DeepSeek and DashScope make them", r"[A-Za-z0-9]{32,64}", "sk-"),
    _format("a Groq API key", r"[A-Za-z0-9]{52}", "gsk_"),
    _format("a Replicate token", r"[A-Za-z0-9]{37}", "r8_"),
    _format("a Databricks token", r"[0-9a-f]{32}(?:-\d)?", "dapi"),
    _format("a Weights & Biases API key", r"\w{40,120}", "wandb_v1_"),
    _format("a Kaggle token", r"[0-9a-f]{32}", "KGAT_"),
    _format("a Neptune token", r"[\w+/=-]{40,300}", "eyJhcGlfYWRkcmVzcyI6"),
    _format("a ModelScope token", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ms-"),
    _format("a Docker Hub token", r"[\w-]{27,40}", "dckr_pat_"),
    _format("a PyPI token", r"[\w-]{50,1000}", "pypi-AgE"),
    _format("an npm token", r"[A-Za-z0-9]{36}", "npm_"),
    _format("a Stripe key", r"[A-Za-z0-9]{24,99}", "sk_live_", "rk_live_"),
    _format("a SendGrid API key", r"[\w-]{22}\.[\w-]{43}", "SG."),
    _format("an Azure storage key", r"[A-Za-z0-9+/]{86}==", "AccountKey=", end=""),
)


@dataclass(frozen=True)
class Named:
    """A form without letters of its own: a name, and soon behind it a word and a value of this form."""

    kind: str
    word: str
    value: re.Pattern[str]


def _named(kind: str, word: str, value: str, before: str = "key") -> Named:
    return Named(kind, word, re.compile(rf"""(?i:{before})["'\\\])\s=:,(]{{1,12}}({value})(?![\w+/-])""", re.ASCII))


WITHIN = 100
"""Characters between such a name and the end of its value."""
NAMED = (
    _named("a Weights & Biases API key", "wandb", r"[0-9a-f]{40}", "key|login"),
    _named("a Comet API key", "comet", r"[A-Za-z0-9]{25}"),
    _named("a Kaggle key", "kaggle", r"[0-9a-f]{32}"),
    _named("a Kaggle key", '"username"', r"[0-9a-f]{32}", '"key'),
    _named("an AWS secret access key", "aws_secret", r"[A-Za-z0-9+/]{40}"),
    _named("an AWS secret access key", "aws-secret", r"[A-Za-z0-9+/]{40}"),
)
AWS_ID = re.compile(r"[A-Z2-7]{16}(?![\w-])", re.ASCII)
AWS_SECRET = re.compile(r"(?<![\w+/=])[A-Za-z0-9+/]{40}(?![\w+/=])", re.ASCII)
SIGNATURE = re.compile(r"[A-Za-z0-9%+/]{40,70}?(?:%3[Dd]|=)", re.ASCII)
SHARED = re.compile(r"\bs[ev]=\d{4}-")
JWT = re.compile(r"[\w-]{10,1000}\.eyJ[\w-]{10,4000}\.[\w-]{20,1000}", re.ASCII)
KEY_HEAD = re.compile(r"(?:[A-Z0-9]{1,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----", re.ASCII)
KEY_GAP = r"""(?:[\s"'+,()]|\\[nr\\])*"""
KEY_BODY = re.compile(
    rf"{KEY_GAP}(?:[A-Za-z-]{{4,12}}: [^\r\n\\]{{1,80}}[\r\n\\]{KEY_GAP})*(?:[nr]\s*)?[A-Za-z0-9+/=]{{40}}"
)
KEY_TEXT = re.compile(r"""[\w+/=\s"',:\\()]{40,8000}""", re.ASCII)
URL = re.compile(r"""([^\s/:@"'`<>{}$%\\]{1,64}):([^\s/:,@"'`<>{}$\\]{4,128})@([\w-]{1,63}\.[\w.-]{1,100})""", re.ASCII)
"""What follows `://` where a password stands in it."""
NO_PASSWORD = re.compile(
    r"(?i)(?:my|the|some|user|your|proxy|db|an?)?[-_]*(?:pass(?:w(?:or)?d|phrase|code)?|pwd?|secret|token|key|bar|baz|xyz+"
    r"|abc\d*|\d{1,8}|x+|\.+|\*+|test(?:ing)?\d*|name|port|root|admin|postgres|mysql|guest|redis|hidden|fake|dummy)[-_\d]*"
)
NO_HOST = re.compile(r"(?:[\w-]+\.){0,9}(?:example(?:\.\w+)?|test|invalid|localhost|local)", re.IGNORECASE)
SERVICE = '"service_account"'


def find_hits(text: str, most: int | None = MOST) -> list[Hit]:
    """Credentials of a form that is known; of two at one place the better known is first.

    Args:
        text: any.
        most: of each form, None for all.
    """
    low = lowered(text)
    found = [hit for one in FORMATS for start in one.starts for hit in islice(_of_format(text, one, start), most)]
    for finder in (_aws, _signatures, _private_keys, _tokens, _passwords):
        found.extend(islice(finder(text), most))
    found += [hit for one in NAMED for hit in islice(_of_name(text, low, one), most)]
    return found


def lowered(text: str) -> str:
    """Small letters, each where the capital was: of U+0130 Python would make two."""
    return text.replace("\u0130", "i").lower()


def places(text: str, part: str) -> Iterator[int]:
    """Every place where a part stands."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))


def _begins(text: str, at: int) -> bool:
    r"""Whether a word can begin here: at a border, or behind `\n` as notebooks and JSON write it."""
    before = text[at - 1] if at else " "
    return not (before.isalnum() or before in "_-") or (before in "nrt" and text[max(0, at - 2) : at - 1] == "\\")


def _of_format(text: str, one: Format, start: str) -> Iterator[Hit]:
    for at in places(text, start):
        match = one.rest.match(text, at + len(start)) if _begins(text, at) else None
        if match and one.genuine(match[0]):
            yield Hit(at, match.end(), one.kind, start)


def _of_name(text: str, low: str, one: Named) -> Iterator[Hit]:
    for at in places(low, one.word):
        match = one.value.search(text, at, at + WITHIN)
        if match and random_like(match[1]):
            yield Hit(match.start(1), match.end(1), one.kind)


def _aws(text: str) -> Iterator[Hit]:
    """The public half of a key with the secret one near it, or alone."""
    for start in ("AKIA", "ASIA"):
        for at in places(text, start):
            match = AWS_ID.match(text, at + 4) if _begins(text, at) else None
            if match and plausible(match[0]):
                yield Hit(at, match.end(), "an AWS access key ID", start)
                near = AWS_SECRET.finditer(text, max(0, at - 200), match.end() + 200)
                secret = next((one for one in near if random_like(one[0])), None)
                if secret:
                    yield Hit(secret.start(), secret.end(), "an AWS secret access key")


def _signatures(text: str) -> Iterator[Hit]:
    for at in places(text, "sig="):
        match = SIGNATURE.match(text, at + 4)
        if match and SHARED.search(text, max(0, at - 300), at + 400) and random_like(match[0].replace("%", "")):
            yield Hit(at + 4, match.end(), "a shared access signature of Azure")


def _private_keys(text: str) -> Iterator[Hit]:
    for at in places(text, "-----BEGIN "):
        head = KEY_HEAD.match(text, at + 11)
        body = KEY_BODY.match(text, head.end(), head.end() + 1000) if head else None
        if head and body and entropy(text[body.end() - 40 : body.end()]) >= 3:
            whole = KEY_TEXT.match(text, head.end())
            google = text.rfind(SERVICE, max(0, at - 600), at) >= 0
            kind = "a private key of a Google service account" if google else "a private key"
            yield Hit(at, whole.end() if whole else body.end(), kind, text[at : head.end()])


def _tokens(text: str) -> Iterator[Hit]:
    for at in places(text, "eyJ"):
        match = JWT.match(text, at + 3) if _begins(text, at) else None
        if match and plausible(match[0].rpartition(".")[2]):
            yield Hit(at, match.end(), "a signed token (JWT)", "eyJ", sure=False)


def _passwords(text: str) -> Iterator[Hit]:
    for at in places(text, "://"):
        match = URL.match(text, at + 3)
        if match and not NO_PASSWORD.fullmatch(match[2]) and not NO_HOST.fullmatch(match[3]) and match[1] != match[2]:
            yield Hit(match.start(2), match.end(2), "a password in an address", sure=False)
