"""The report as one HTML page that needs nothing else: styles, pictures and the JSON report are in it.

It is made of the report's JSON data, so that a report that was kept as JSON can be shown later as well. Whatever
comes from a submission is escaped by the templates, and characters that hide or turn text around are spelt out.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from audio_encoder_checker.printable import printable, size_words
from audio_encoder_checker.render import to_json
from audio_encoder_checker.render.html import figures
from audio_encoder_checker.render.html.contents import contents

if TYPE_CHECKING:
    from jinja2 import Template

    from audio_encoder_checker.report import Report

MOST_JSON = 400_000
"""A longer JSON report, in bytes, is left out, so that the page stays under 1 MB."""


def render(report: Report) -> str:
    """The page of a report."""
    return page(to_json.as_data(report))


def page(data: dict[str, Any]) -> str:
    """The page of a report as JSON data, as `aecc-check --report json=` writes it."""
    return template("report").render(data=data, **contents(data), **figures.figures(data), embedded=_embedded(data))


def _embedded(data: dict[str, Any]) -> Markup:
    """The data as JSON that ends no script element; empty where it is too long."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    return Markup(text if len(text) <= MOST_JSON else "")  # noqa: S704 - no `<` is left in it


def _visible(value: Any) -> Any:
    """What a template prints of a value; text that the templates did not make loses what would hide or turn it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value, limit=4000, keep="\n")
    return value


def _codes(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    parts = (escape(_visible(part)) for part in text.split("`"))
    marked = (Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))
    return Markup("").join(marked)


def _longest_code(text: str) -> str:
    """What a copy button copies: the longest piece between backticks, empty if there is none."""
    return max(text.split("`")[1::2], key=len, default="")


@lru_cache(maxsize=4)
def template(name: str) -> Template:
    """One of our pages, `report` or `board`, with its script and the style sheet at hand."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"size": size_words, "codes": _codes, "longest_code": _longest_code}
    style, script = _resource("style.css"), _resource(f"{name}.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    ours = {"style": Markup(style), "script": Markup(script), "script_hash": digest}  # noqa: S704 - our own files
    return environment.get_template(f"{name}.html.j2", globals=ours)


def _resource(name: str) -> str:
    return (files("audio_encoder_checker") / "resources" / "html" / name).read_text(encoding="utf-8")
