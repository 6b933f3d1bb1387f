"""TOML for every Python that is supported: `tomllib` came with 3.11. Anybody may have written it."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class BrokenTomlError(ValueError):
    """A text is no TOML, or holds what Python cannot write out again; its message says where, or what."""


def loads(text: str) -> dict[str, Any]:
    """The table that a text holds; every value in it can be shown.

    Raises:
        BrokenTomlError: it is no valid TOML, nested too deeply, or holds a number of thousands of digits.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
        repr(table)
    except tomllib.TOMLDecodeError as error:
        raise BrokenTomlError(str(error)) from None
    except RecursionError:
        raise BrokenTomlError("nested too deeply") from None
    except ValueError:
        raise BrokenTomlError("a number has too many digits") from None
    return table
