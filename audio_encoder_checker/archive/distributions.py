"""What is known of distributions, from `resources/requirements`: which modules and which others they bring."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from audio_encoder_checker import toml
from audio_encoder_checker.rules import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = RESOURCES / "requirements"
REMOVED = {
    "asynchat": "pyasynchat",
    "asyncore": "pyasyncore",
    "distutils": "setuptools",
    "imp": "zombie-imp",
    "smtpd": "",
}
"""Modules that Python 3.12 no longer has, and distributions that bring them back (docs.python.org, What's New)."""
LATER_REMOVED = frozenset(
    {"aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis", "nntplib"}
    | {"ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "tomllib", "uu", "xdrlib"}
)
"""Modules of Python 3.12 that the Python which runs the checker may lack."""
LATER_ADDED = frozenset({"annotationlib", "compression"})
STANDARD = (sys.stdlib_module_names | LATER_REMOVED | {"__main__"}) - LATER_ADDED - REMOVED.keys()
"""Top modules of Python 3.12's standard library."""
MOST_BROUGHT = 500


@dataclass(frozen=True)
class Known:
    """The tables.

    Attributes:
        modules: module to the distributions that bring it, as one writes them, the one to recommend first.
        names: every distribution that is known, normalised.
        brings: distribution to what it surely brings.
        perhaps: distribution to what some of its versions bring.
        xares: what X-ARES brings.
        image: what the organisers' image brings, and in which version.
    """

    modules: Mapping[str, tuple[str, ...]]
    names: frozenset[str]
    brings: Mapping[str, tuple[str, ...]]
    perhaps: Mapping[str, tuple[str, ...]]
    xares: frozenset[str]
    image: Mapping[str, str]

    def providers(self, module: str) -> tuple[str, ...]:
        """The known distributions that bring a top module; empty if none is known."""
        found = self.modules.get(module)
        if found is None:
            name = canonicalize_name(module)
            return (name,) if name in self.names else ()
        return found

    def modules_of(self, name: str) -> frozenset[str]:
        """The top modules that a distribution is known, or likely, to bring."""
        listed = _modules_by_name().get(name, frozenset())
        return frozenset(listed | {name.replace("-", "_"), name.split("-", maxsplit=1)[0]})

    def brought(self, names: Iterable[str]) -> frozenset[str]:
        """Distributions and all that they surely bring."""
        return self._closure(names, (self.brings,))

    def maybe_brought(self, names: Iterable[str]) -> frozenset[str]:
        """The same, with what some versions bring."""
        return self._closure(names, (self.brings, self.perhaps))

    def _closure(self, names: Iterable[str], tables: tuple[Mapping[str, tuple[str, ...]], ...]) -> frozenset[str]:
        found = dict.fromkeys(names)
        waiting = list(found)
        while waiting and len(found) < MOST_BROUGHT + len(waiting):
            name = waiting.pop()
            new = [one for table in tables for one in table.get(name, ()) if one not in found]
            found.update(dict.fromkeys(new))
            waiting.extend(new)
        return frozenset(found)


@dataclass(frozen=True)
class Wrong:
    """A distribution that is not what its name says.

    Attributes:
        better: what to require instead; empty for nothing.
        why: in words.
        module: the import that shows that the other was meant; empty if it is always wrong.
    """

    better: str
    why: str
    module: str = ""


@dataclass(frozen=True)
class Broken:
    """Releases that cannot be installed."""

    name: str
    versions: str
    why: str
    better: str


@dataclass(frozen=True)
class KnownVersions:
    """What is known of single versions.

    Attributes:
        wheels: distribution to its first release with a wheel for the organisers' Python; earlier ones do not build.
        built: the same where earlier ones may be built from source.
        wrong: by name.
        broken: releases that cannot be installed.
    """

    wheels: Mapping[str, str]
    built: Mapping[str, str]
    wrong: Mapping[str, Wrong]
    broken: tuple[Broken, ...]


@cache
def known() -> Known:
    """The tables of distributions."""
    table = _read("distributions")
    modules = {module: tuple(names) for module, names in table["imports"].items()}
    brings = {name: tuple(others) for name, others in table["brings"].items()}
    listed = {canonicalize_name(name) for names in modules.values() for name in names}
    image = table["target"]["image"]
    return Known(
        modules=modules,
        names=frozenset({*table["known"], *listed, *brings, *image}),
        brings=brings,
        perhaps={name: tuple(others) for name, others in table["perhaps"].items()},
        xares=frozenset(table["target"]["xares"]),
        image=image,
    )


@cache
def _modules_by_name() -> dict[str, frozenset[str]]:
    """The modules that are listed for a distribution."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, names in known().modules.items():
        for name in names:
            found[canonicalize_name(name)].add(module)
    return {name: frozenset(modules) for name, modules in found.items()}


@cache
def known_versions() -> KnownVersions:
    """The tables of versions."""
    table = _read("versions")
    return KnownVersions(
        wheels=table["wheels"],
        built=table["built"],
        wrong={name: Wrong(**one) for name, one in {**table["dummies"], **table["lookalikes"]}.items()},
        broken=tuple(Broken(**one) for one in table["uninstallable"]),
    )


def _read(name: str) -> dict[str, Any]:
    table: dict[str, Any] = toml.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return table
