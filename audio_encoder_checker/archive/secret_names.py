"""Credentials that only the name tells which a value is assigned to: `api_key = "..."`.

A name alone says little where tokens are also what text is cut into, so the value has to look random too.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from audio_encoder_checker.archive.secret_formats import (
    MOST,
    PLACEHOLDER,
    WORDS,
    Hit,
    entropy,
    lowered,
    places,
    random_like,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYWORDS = ("token", "secret", "passw", "passphrase", "pwd", "apikey", "api_key", "api-key", "access_key", "auth_key")
LONGEST_NAME = 40
BEFORE = re.compile(r"[\w.-]*\Z", re.ASCII)
AFTER = r"[\w-]{0,20}"
REST = re.compile(AFTER, re.ASCII)
QUOTED = re.compile(
    AFTER
    + r"""\\?["']?\]?(?:[ \t]{0,4}:[ \t]{0,4}(?:str(?: \| None)?|Optional\[str\]))?[ \t]{0,8}(==?|:|,)[ \t]{0,8}"""
    r"""[bru]?\\?(["'])([^"'\s\\]{8,200})\\?\2""",
    re.ASCII,
)
BARE = re.compile(AFTER + r"[ \t]{0,8}[=:][ \t]{0,8}([\w+/=.~!@#^&*-]{8,200})[ \t\r]*(?:\n|\Z)", re.ASCII)
PASSWORD, KEY, TOKEN, SECRET = "a password", "an API key", "a token", "a secret"
NAMES = (
    (PASSWORD, re.compile(r"(?:passw(?:or)?d|passphrase|pwd)\Z")),
    (KEY, re.compile(r"(?:api|access|auth)key\Z")),
    (TOKEN, re.compile(r"token\Z")),
    (SECRET, re.compile(r"secret(?:key)?\Z")),
)
"""Kinds by how a name ends, once its separators are gone."""
NO_SECRET = re.compile(r"(?:bos|eos|pad|cls|sep|unk|mask|special|end|start|publickey)token\Z")
"""Tokens of text, and what Windows calls a signer."""


def find_named(text: str, most: int | None = MOST, *, bare: bool) -> Iterator[Hit]:
    """Values that look random and are assigned to the name of a credential.

    Args:
        text: of a file.
        most: for each keyword, None for all.
        bare: whether values need no quotes, as in shells and most configuration files.
    """
    low = lowered(text)
    for keyword in KEYWORDS:
        yield from islice(_assigned(text, low, keyword, bare=bare), most)


def _assigned(text: str, low: str, keyword: str, *, bare: bool) -> Iterator[Hit]:
    for at in places(low, keyword):
        end = at + len(keyword)
        match = QUOTED.match(text, end) or (BARE.match(text, end) if bare else None)
        kind = _kind(low, at, keyword) if match else ""
        if not match or not kind:
            continue
        value, listed = match[match.lastindex or 0], match[1] == ","
        if (_password(value) and not listed) if kind == PASSWORD else _random(value):
            yield Hit(*match.span(match.lastindex or 0), kind, sure=False)


def _kind(low: str, at: int, keyword: str) -> str:
    """What the name promises that a keyword stands in; nothing if it is another word's part."""
    before = BEFORE.search(low[max(0, at - LONGEST_NAME) : at])
    after = REST.match(low, at + len(keyword))
    name = (before[0] if before else "") + keyword + (after[0] if after else "")
    plain = re.sub(r"[._-]", "", name)
    known = (kind for kind, pattern in NAMES if pattern.search(plain) and not NO_SECRET.search(plain))
    return next(known, "")


def _random(value: str) -> bool:
    """Long, random and with digits, as generated values are."""
    digits = any(one.isdigit() for one in value)
    return digits and len(value) >= 16 and entropy(value) >= 3 and random_like(value) and not WORDS.search(value)


def _password(value: str) -> bool:
    """Letters with digits or signs among them, and no word that examples are made of."""
    letters = sum(one.isalpha() for one in value)
    signs = len(value) - letters - value.count("_") - value.count("-") - value.count(".")
    return (
        letters >= 3
        and signs >= 2
        and entropy(value) >= 2.5
        and not PLACEHOLDER.search(value)
        and not WORDS.search(value)
    )
