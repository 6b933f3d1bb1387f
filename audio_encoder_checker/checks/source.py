"""AEC2xx: the sources, as X-ARES would find the encoder in them."""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterator

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few, listed
from audio_encoder_checker.evidence.source import TARGET_PYTHON, BoundName, SourceFacts, SourceFile, TroubleKind
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import place, printable, quoted

TEMPLATE_CLASS = "MyEncoder"


@check("AEC201", follows=("AEC206",))
def missing_encoder(sources: SourceFacts) -> Iterator[Problem]:
    """There is no encoder class in the submission.

    X-ARES imports the encoder file and takes the name in it that ends in `Encoder`; without such a class there is
    nothing to evaluate.

    Fix: define `class YourEncoder(torch.nn.Module)` with `forward`, as in `aecc-package init DIR`.
    """
    if sources.asked or sources.candidates:
        return
    if not sources.files:
        hint = "name, or zip, the folder that holds the encoder file: `aecc-package build DIR -o submission.zip`"
        yield Problem("there is no Python file", hint=hint)
        return
    imported = [(file, name) for file in sources.files for name in file.names if name.is_encoder]
    seen = f"; {imported[0][1].name} is only imported there" if imported else ""
    at = place(imported[0][0].path, imported[0][1].line) if imported else ""
    count = "1 Python file" if len(sources.files) == 1 else f"{len(sources.files)} Python files"
    yield Problem(f"no class in {count} has a name that ends in 'Encoder'{printable(seen)}", at, _missing_hint(sources))


def _missing_hint(sources: SourceFacts) -> str:
    """The class that was probably meant, if one sets what the contract asks for."""
    for file in sources.files:
        for one in file.classes:
            if one.has_forward and one.attributes:
                name = printable(one.name, limit=80)
                return f"rename class {name} in {place(file.path, one.line)} to {name}Encoder"
    return ""


@check("AEC202")
def ambiguous_encoder_file(sources: SourceFacts) -> Iterator[Problem]:
    """Several files define an encoder.

    X-ARES is given one file, so the one to evaluate has to be named.

    Fix: name it: `aecc-check --encoder FILE`, or `encoder = "FILE"` in `aecc.toml`.
    """
    if len(sources.candidates) > 1:
        shown = [printable(path, limit=80) for path in sources.candidates]
        yield Problem(
            f"{len(shown)} files define an encoder: {listed(shown)}",
            shown[0],
            f'choose with `--encoder {shown[0]}`, or write `encoder = "{shown[0]}"` into aecc.toml',
        )


@check("AEC203")
def several_encoder_names(sources: SourceFacts) -> Iterator[Problem]:
    """Several names in the encoder file end in Encoder.

    X-ARES looks at all names in the module, imported ones, base classes and constants included, and stops unless
    exactly one ends in `Encoder`.

    Fix: import others under an alias that does not end in `Encoder`; move further classes into another module and
        import that module as a whole.
    """
    chosen = sources.chosen
    file = sources.file(chosen.path) if chosen else None
    if chosen is None or file is None or file.trouble or len(chosen.names) < 2:
        return
    shown = [f"{printable(name.name, limit=60)} ({name.how}, line {name.line})" for name in chosen.names]
    other = _other_name(chosen.names)
    yield Problem(
        f"expected one name that ends in 'Encoder', found {len(shown)}: {listed(shown, 6)}",
        place(chosen.path, other.line),
        _alias_hint(other),
    )


def _other_name(names: tuple[BoundName, ...]) -> BoundName:
    """The name that is least likely meant: an import before an assignment before the first class."""
    order = ("import", "assignment", "function", "class")
    return min(names, key=lambda name: order.index(name.how))


def _alias_hint(name: BoundName) -> str:
    shown = printable(name.name, limit=60)
    short = f"_{shown.removesuffix('Encoder')}Enc"
    if name.how == "import" and name.origin.endswith(":*"):
        return f"line {name.line}: in place of `import *`, import what you need by name, not {shown}"
    if name.how == "import" and ":" in name.origin:
        module, _, original = printable(name.origin).partition(":")
        return f"line {name.line}: write `from {module} import {original} as {short}` and use that name"
    if name.how == "import":
        return f"line {name.line}: write `import {printable(name.origin)} as {short}` and use that name"
    return f"line {name.line}: rename {shown} so that it does not end in 'Encoder', such as {short.lstrip('_')}"


@check("AEC204")
def encoder_not_there(sources: SourceFacts) -> Iterator[Problem]:
    """The encoder that was named is not in the submission.

    X-ARES is given a file by its path from the repository's root, and takes the name in it that ends in `Encoder`.

    Fix: give the path from the root, with `/`: `--encoder FILE` or `encoder = "FILE"` in aecc.toml.
    """
    chosen = sources.chosen
    if chosen is None:
        if sources.asked and not sources.candidates:
            yield Problem(f"there is no file {quoted(sources.asked)} in the repository")
        return
    file = sources.file(chosen.path)
    if file is None or file.trouble:
        return
    if chosen.class_missing:
        known = ", ".join(printable(name.name, limit=60) for name in chosen.names) or "no name that ends in 'Encoder'"
        yield Problem(f"there is no class '{printable(chosen.class_name)}', found {known}", place(chosen.path))
    elif not chosen.names and not any(one.star and not one.local for one in file.imports):
        yield Problem("no name in it ends in 'Encoder'", place(chosen.path), _class_hint(file))


def _class_hint(file: SourceFile) -> str:
    likely = next((one for one in file.classes if one.has_forward), None)
    if likely is None:
        return "define `class YourEncoder(torch.nn.Module)` in it, or name the file that does"
    name = printable(likely.name, limit=80)
    return f"rename class {name} (line {likely.line}) to {name}Encoder"


@check("AEC205")
def constructor_arguments(sources: SourceFacts) -> Iterator[Problem]:
    """The encoder's constructor needs arguments.

    X-ARES calls `YourEncoder()` without arguments, some fifty times.

    Fix: give every parameter of `__init__` a default.
    """
    definition = sources.chosen.definition if sources.chosen else None
    if definition and definition.source.required:
        required = [printable(name, limit=40) for name in definition.source.required[:5]]
        yield Problem(
            f"{printable(definition.source.name, limit=80)}() needs values for {', '.join(required)}",
            place(definition.path, definition.source.line),
            f"write `def __init__(self, {required[0]}=...)` with the value that you evaluate with",
        )


def _gravity(sources: SourceFacts, file: SourceFile) -> Severity:
    """An error if importing the encoder runs this file; a warning if it seems to be beside the point."""
    return Severity.ERROR if file.path in sources.reached or not sources.chosen else Severity.WARNING


def _troubles(sources: SourceFacts, *kinds: TroubleKind) -> Iterator[Problem]:
    for file in sources.files:
        trouble = file.trouble
        if trouble and trouble.kind in kinds:
            text = f": `{trouble.text}`" if trouble.text else ""
            beside = "" if _gravity(sources, file) is Severity.ERROR else " (the encoder does not import this file)"
            yield Problem(
                f"{printable(trouble.detail)}{text}{beside}",
                place(file.path, trouble.line),
                severity=_gravity(sources, file),
            )


@check("AEC206")
def syntax_error(sources: SourceFacts) -> Iterator[Problem]:
    """A source file is not valid Python.

    Importing it fails, and with it every file that imports it. If the encoder needs the file, it cannot be loaded;
    otherwise the file is a risk.

    Fix: run `python -m py_compile FILE` and mend the line.
    """
    for problem in few(_troubles(sources, TroubleKind.SYNTAX, TroubleKind.TOO_DEEP)):
        path = problem.at.partition(":")[0]
        hint = f"see `python -m py_compile {path}`"
        if sys.version_info[:2] < TARGET_PYTHON:
            newer = ".".join(map(str, TARGET_PYTHON))
            hint += f"; if it is valid in Python {newer}, which the organisers run, run aecc-check with that version"
        yield Problem(problem.message, problem.at, hint, problem.severity)


@check("AEC207")
def unreadable_source(sources: SourceFacts) -> Iterator[Problem]:
    """A source file cannot be read as text.

    Python reads sources as UTF-8. Files saved in another code page fail at the first such byte, in a comment too.

    Fix: save the file as UTF-8: `iconv -f GBK -t UTF-8 FILE > new.py` (or `-f LATIN1`).
    """
    yield from few(_troubles(sources, TroubleKind.ENCODING, TroubleKind.NUL, TroubleKind.UNREADABLE))
    for problem in few(_troubles(sources, TroubleKind.TOO_LARGE)):
        hint = "keep data in files of their own and read them with `Path(__file__).parent / ...`"
        yield Problem(f"{problem.message}, not looked at", problem.at, hint, Severity.WARNING)


@check("AEC222", severity=Severity.WARNING)
def unread_sources(sources: SourceFacts) -> Iterator[Problem]:
    """There is more Python in the submission than is looked at.

    An encoder has some dozens of files. What lies beyond some thousands, or megabytes, is not read, so nothing is known
    of paths, devices and downloads in it.

    Fix: send only what the encoder imports; list other libraries in `requirements.txt` instead of copying them.
    """
    if sources.unread_files:
        yield Problem(f"{sources.unread_files} Python files were not read")
    troubled = {file.path for file in sources.files if file.trouble}
    left = [path for path in sources.reached if path not in sources.in_depth and path not in troubled]
    if left:
        yield Problem(
            f"{len(left)} of {len(sources.reached)} files that the encoder imports were read for their names only",
            printable(left[0]),
        )


@check("AEC208")
def unimportable_path(sources: SourceFacts) -> Iterator[Problem]:
    """The encoder's path does not make a module name.

    X-ARES turns `a/b.py` into the module `a.b`. A further dot in a name is taken for a folder, so the module is not
    found. Dashes and spaces work there, but in no import statement.

    Fix: rename file and folders to letters, digits and `_`, and name the new path.
    """
    if sources.chosen is None:
        return
    parts = sources.chosen.path.removesuffix(".py").split("/")
    better = "/".join(_identifier(part) for part in parts) + ".py"
    hint = f"rename it to {better}"
    dotted = next((part for part in parts if "." in part), "")
    odd = next((part for part in parts if not part.isidentifier() or keyword.iskeyword(part)), "")
    at = place(sources.chosen.path)
    if dotted or not sources.chosen.path.endswith(".py"):
        wrong = (
            f"'{printable(dotted)}' has a dot, which X-ARES takes for a folder" if dotted else "it does not end in .py"
        )
        yield Problem(wrong, at, hint)
    elif odd:
        yield Problem(f"'{printable(odd)}' is no name that `import` accepts", at, hint, Severity.WARNING)


def _identifier(part: str) -> str:
    plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in part) or "encoder"
    return f"encoder_{plain}" if plain[0].isdigit() or keyword.iskeyword(plain) else plain


@check("AEC209", severity=Severity.WARNING)
def template_class_name(sources: SourceFacts) -> Iterator[Problem]:
    """The class is still called MyEncoder, as in the template.

    X-ARES keeps embeddings and scores in folders named after the class and reuses what it finds there, so two
    submissions of that name can get one another's scores.

    Fix: rename the class after your team or method, such as `AcmeConformerEncoder`.
    """
    chosen = sources.chosen
    for name in chosen.names if chosen else ():
        if chosen and name.name == TEMPLATE_CLASS:
            yield Problem(f"the encoder is called {TEMPLATE_CLASS!r}", place(chosen.path, name.line))
