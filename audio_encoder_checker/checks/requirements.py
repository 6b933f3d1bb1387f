"""AEC301 to AEC311: what is to be installed, as the lists of requirements say, and what the encoder imports.

The lists are read, nothing is installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few, listed
from audio_encoder_checker.evidence.requirements import (
    Flaw,
    FlawKind,
    Reach,
    RequirementFacts,
    Source,
    Undeclared,
)
from audio_encoder_checker.findings import Problem, Severity
from audio_encoder_checker.printable import printable

TARGET = "Python 3.12"
"""What the organisers run; `TARGET_PYTHON` in `evidence/source.py`."""


def _without(one: Flaw) -> str:
    """The command that takes a line out of its file."""
    return f"sed -i '{one.line}d' {quote(printable(one.file))}"


@check("AEC301", stage="source", follows=("AEC302",))
def undeclared_import(requirements: RequirementFacts) -> Iterator[Problem]:
    """The encoder imports a package that no requirement provides.

    Where it is installed on your machine, you do not see it. The organisers install what you require: then the import
    fails, and X-ARES says no more than "Module not found", with the name of your encoder file.

    Fix: add the package to `requirements.txt`, with the version that you tested.
    """
    grave = [one for one in requirements.undeclared if _undeclared_severity(one) is not Severity.NOTE]
    yield from few(_undeclared(one) for one in grave)
    slight = [one for one in requirements.undeclared if one not in grave and not _is_optional(one)]
    if len(slight) == 1:
        yield _undeclared(slight[0])
    elif slight:
        names = listed([f"'{one.module}'" for one in slight], most=8)
        lines = list(dict.fromkeys(one.better for one in slight if one.better))
        hint = f"add what the encoder needs of them: {', '.join(lines[:8])}" if lines else ""
        message = f"{names} may be imported, and no requirement surely provides them"
        yield Problem(message, slight[0].at, hint, Severity.NOTE)


def _is_optional(one: Undeclared) -> bool:
    """Whether an import is one of the many that packages try and do without."""
    return one.reach is not Reach.SURE and (one.source is Source.PERHAPS or not one.distribution)


def _undeclared(one: Undeclared) -> Problem:
    when = {Reach.SURE: "", Reach.LATER: " in a function", Reach.GUARDED: " under a condition"}[one.reach]
    message = f"'{one.module}' is imported{when}, {_missing(one)}"
    hint = f"echo '{one.better}' >> requirements.txt" if one.better else _search_hint(one)
    return Problem(message, one.at, hint, _undeclared_severity(one))


def _missing(one: Undeclared) -> str:
    if one.source is Source.REMOVED:
        return f"which {TARGET} no longer has"
    by = f"; {one.detail} may bring it" if one.detail else "; another requirement may bring it"
    known = {
        Source.NOWHERE: "and no requirement provides it",
        Source.UNKNOWN: "and no requirement is known to provide it",
        Source.PERHAPS: f"and no requirement surely provides it{by}",
        Source.ELSEWHERE: f"but only {one.detail} names it, which `pip install -r requirements.txt` does not install",
        Source.XARES: "and no requirement provides it; X-ARES happens to bring it",
        Source.IMAGE: "and no requirement provides it; Colab happens to have it",
    }
    return known[one.source]


def _search_hint(one: Undeclared) -> str:
    if one.source is Source.REMOVED:
        return f"replace `{one.module}`: docs.python.org/3/whatsnew/3.12.html#removed names successors"
    command = f"""python -c "import importlib.metadata as m; print(m.packages_distributions().get('{one.module}'))\""""
    return f"find the package to add: `{command}`"


def _undeclared_severity(one: Undeclared) -> Severity | None:
    """An error only where the import is surely run and nothing can provide it."""
    happens = one.source in (Source.XARES, Source.IMAGE)
    doubtful = one.source in (Source.PERHAPS, Source.UNKNOWN) or happens
    if one.reach is Reach.GUARDED or one.source is Source.PERHAPS or (doubtful and one.reach is Reach.LATER):
        return Severity.NOTE
    shimmed = one.source is Source.REMOVED and one.distribution == "setuptools"  # which Colab has
    if one.reach is Reach.LATER or shimmed or one.source not in (Source.NOWHERE, Source.REMOVED):
        return Severity.WARNING
    return None


@check("AEC302", stage="source")
def local_requirement(requirements: RequirementFacts) -> Iterator[Problem]:
    """A requirement is a path.

    A path on your machine does not exist on the organisers' machine. One inside the repository is looked for in the
    folder where pip was started, not beside the file that names it.

    Fix: name the package and its version; `pip list --format=freeze` writes them without paths.
    """
    kinds = (FlawKind.LOCAL_OUTSIDE, FlawKind.LOCAL_ABSENT, FlawKind.LOCAL_PROJECT)
    yield from few(_local(one) for one in requirements.of(*kinds))


def _local(one: Flaw) -> Problem:
    if one.kind is FlawKind.LOCAL_PROJECT:
        message = f"'{one.what}' is found only where pip is started in the repository's root"
        hint = "leave the line out: X-ARES imports the encoder from the root, where its modules are found"
        return Problem(message, one.at, hint, Severity.WARNING)
    if one.kind is FlawKind.LOCAL_ABSENT:
        return Problem(f"'{one.what}': {one.detail}", one.at)
    hint = f"write `{one.better}`, with the version that you have" if one.better else ""
    return Problem(f"'{one.what}' lies outside of the submission", one.at, hint)


INDEX_WORDS = {
    FlawKind.INDEX: ("changes where packages come from", None),
    FlawKind.TORCH_INDEX: ("has pip look at PyTorch's own index too", Severity.NOTE),
    FlawKind.FIND_LINKS: ("has pip look for packages elsewhere", None),
    FlawKind.TRUSTED_HOST: ("is trusted without a check of its certificate", None),
    FlawKind.PRE_RELEASES: ("lets pip take versions that are not released yet, for every package", Severity.WARNING),
    FlawKind.FORMATS: ("has pip build packages from source, which takes a compiler and time", Severity.WARNING),
}
"""What an option does, and how bad that is where it is no error."""


@check("AEC303", stage="source")
def index_options(requirements: RequirementFacts) -> Iterator[Problem]:
    """The requirements change where packages come from.

    An option in `requirements.txt` holds for everything that is installed with it. Another index can replace any
    package, may need a password, and may be gone when the organisers install.

    Fix: leave the option out and require packages of PyPI; only `https://download.pytorch.org/whl/` is well known.
    """
    yield from few(_index(one) for one in requirements.of(*INDEX_WORDS))


def _index(one: Flaw) -> Problem:
    words, severity = INDEX_WORDS[one.kind]
    hint = _without(one) if one.kind is not FlawKind.TORCH_INDEX else "leave it out if PyPI's own torch does as well"
    return Problem(f"'{one.what}' {words}", one.at, hint, severity)


@check("AEC304", severity=Severity.NOTE, stage="source")
def unpinned_requirements(requirements: RequirementFacts) -> Iterator[Problem]:
    """Requirements allow any later version.

    The organisers install on another day than you, and get what is newest then. A new major version may have moved
    what the encoder uses. What their image fixes, such as torch and numpy, may stay open.

    Fix: state the versions that you tested: `pip freeze | grep -i NAME`.
    """
    for one in requirements.of(FlawKind.UNPINNED):
        hint = f"state what you tested, such as `{one.better}`" if one.better else ""
        yield Problem(f"{one.what}: any later version is allowed", one.at, hint)


@check("AEC305", stage="source")
def requirement_conflict(requirements: RequirementFacts) -> Iterator[Problem]:
    """Two requirements cannot both hold.

    pip then installs nothing at all. Where two lines of one package differ but have versions in common, pip takes one
    of these, which may not be the one that you tested.

    Fix: keep one line for each package.
    """
    yield from few(_conflict(one) for one in requirements.of(FlawKind.CLASH, FlawKind.DISAGREEMENT, FlawKind.REPEATED))


def _conflict(one: Flaw) -> Problem:
    if one.kind is FlawKind.REPEATED:
        message, severity = f"'{one.what}' repeats {one.detail} with other versions", Severity.NOTE
    else:
        message = f"no version fits '{one.what}' and {one.detail}"
        severity = Severity.WARNING if one.kind is FlawKind.DISAGREEMENT else Severity.ERROR
    hint = f"keep one of the two lines: {_without(one)}" if one.line else "keep one of the two"
    return Problem(message, one.at, hint, severity)


@check("AEC306", severity=Severity.WARNING, stage="source")
def wrong_python(requirements: RequirementFacts) -> Iterator[Problem]:
    """The requirements do not fit the organisers' Python.

    The organisers run Python 3.12, where a package has wheels only from some version on. Older ones would have to be
    built from source; most then fail, as `distutils` and parts of Python's C interface are gone.

    Fix: require versions that exist for Python 3.12, and test with it.
    """
    kinds = (FlawKind.WRONG_PYTHON, FlawKind.NO_WHEEL, FlawKind.MAY_LACK_WHEEL)
    yield from few(_wrong_python(one) for one in requirements.of(*kinds))


def _wrong_python(one: Flaw) -> Problem:
    if one.kind is FlawKind.NO_WHEEL:
        return Problem(f"'{one.what}' cannot be installed: {one.detail}", one.at, one.better, Severity.ERROR)
    if one.kind is FlawKind.MAY_LACK_WHEEL:
        return Problem(f"'{one.what}': {one.detail}", one.at, one.better)
    if one.detail:
        message = f"'{one.what}' does not apply to {TARGET} on Linux, but {one.detail}"
        return Problem(message, one.at, f"write `{one.better}` without the marker" if one.better else "")
    return Problem(f"'{one.what}' leaves out the organisers' {TARGET}", one.at, 'requires-python = ">=3.10"')


@check("AEC307", stage="source")
def broken_requirement(requirements: RequirementFacts) -> Iterator[Problem]:
    """A requirement is known not to work.

    Some packages cannot be installed any more, some are not what their name says, and some versions do not fit those
    beside them. Then pip refuses, or the import fails on the organisers' machine.

    Fix: take the package or the version that the finding names.
    """
    kinds = (FlawKind.UNINSTALLABLE, FlawKind.DUMMY, FlawKind.MISMATCH, FlawKind.LOCAL_VERSION)
    yield from few(_broken(one) for one in requirements.of(*kinds, FlawKind.NUMPY, FlawKind.NO_DECODER))


def _broken(one: Flaw) -> Problem:
    if one.kind is FlawKind.UNINSTALLABLE:
        return Problem(f"'{one.what}' cannot be installed: {one.detail}", one.at, one.better)
    if one.kind is FlawKind.DUMMY:
        hint = f"write `{one.better}`" if one.better else _without(one)
        return Problem(f"'{one.what}': {one.detail}", one.at, hint)
    if one.kind is FlawKind.MISMATCH:
        return Problem(f"'{one.what}' does not belong to {one.detail}", one.at, f"write `{one.better}`")
    if one.kind is FlawKind.LOCAL_VERSION:
        hint = f"write `{one.better}`" + (f", or add the line `{one.detail}`" if one.detail else "")
        return Problem(f"'{one.what}': pip's own index has no versions with a `+`", one.at, hint)
    if one.kind is FlawKind.NUMPY:
        message = f"{one.detail} was built for numpy 1, and pip takes numpy 2"
        return Problem(message, one.at, f"echo '{one.better}' >> requirements.txt", Severity.WARNING)
    message = f"'{one.what}': torchaudio.load needs torchcodec since 2.9, which nothing requires"
    return Problem(message, one.at, f"echo '{one.better}' >> requirements.txt", Severity.WARNING)


VCS_WORDS = {
    FlawKind.VCS_OPEN: ("is installed as the repository is on that day", Severity.WARNING),
    FlawKind.VCS_COMMIT: ("is built from its repository, which takes git and time", Severity.NOTE),
    FlawKind.VCS_PRIVATE: ("needs your key or password, which the organisers do not have", Severity.ERROR),
    FlawKind.VCS_NAMELESS: ("is editable and has no name, which pip refuses", Severity.ERROR),
}


@check("AEC308", severity=Severity.WARNING, stage="source")
def repository_requirement(requirements: RequirementFacts) -> Iterator[Problem]:
    """A requirement is installed from a repository.

    A branch moves: the organisers would install something else than you tested, and code that nobody has looked at. A
    repository that needs a key cannot be installed by anyone but you.

    Fix: require a release of PyPI, or name a commit: `NAME @ git+https://HOST/OWNER/NAME@COMMIT`.
    """
    yield from few(_repository(one) for one in requirements.of(*VCS_WORDS))


def _repository(one: Flaw) -> Problem:
    words, severity = VCS_WORDS[one.kind]
    ref = f" ('{one.detail}' may move)" if one.detail else ""
    return Problem(f"'{one.what}' {words}{ref}", one.at, f"write `{one.better}`" if one.better else "", severity)


@check("AEC309", severity=Severity.NOTE, stage="source")
def unused_requirement(requirements: RequirementFacts) -> Iterator[Problem]:
    """A requirement is not used.

    No source file mentions it. Everything that is installed takes time and space on the organisers' machine, and may
    change versions of what the encoder does need.

    Fix: take the line out, and try in an empty environment.
    """
    found = requirements.of(FlawKind.UNUSED)
    if found:
        names = listed([one.what for one in found], most=8)
        yield Problem(f"nothing in the sources mentions {names}", found[0].at)


@check("AEC310", stage="source")
def unreadable_requirement(requirements: RequirementFacts) -> Iterator[Problem]:
    """A list of requirements cannot be read.

    pip refuses the whole file for one line that it does not understand, and installs nothing of it.

    Fix: write one requirement on each line, such as `librosa>=0.10`; try `pip install --dry-run -r requirements.txt`.
    """
    kinds = (FlawKind.REFUSED, FlawKind.IGNORED, FlawKind.ENCODING, FlawKind.TOO_LARGE)
    yield from few(_unreadable(one) for one in requirements.of(*kinds))


def _unreadable(one: Flaw) -> Problem:
    if one.kind is FlawKind.REFUSED:
        message = f"pip refuses '{one.what}': {one.detail}"
        return Problem(message, one.at, f"write `{one.better}`" if one.better else "")
    if one.kind is FlawKind.IGNORED:
        message = f"pip ignores '{one.detail}' in '{one.what}'"
        hint = f"write `{one.better}`" if one.better else "put the option on a line of its own"
        return Problem(message, one.at, hint, Severity.WARNING)
    if one.kind is FlawKind.TOO_LARGE:
        return Problem(f"not all of it was read: {one.what}", one.at, "list only what the encoder imports")
    message = f"the file is {one.what}, not UTF-8" if one.what else "the file is no text in UTF-8"
    return Problem(message, one.at, _utf8_hint(one), Severity.WARNING)


def _utf8_hint(one: Flaw) -> str:
    encoding = one.what or "WINDOWS-1252"
    source = encoding.removesuffix("-LE").removesuffix("-BE")
    file = quote(printable(one.file))
    return f"iconv -f {source} -t UTF-8 {file} > utf8.txt && mv utf8.txt {file}"


@check("AEC311", stage="source")
def missing_nested_list(requirements: RequirementFacts) -> Iterator[Problem]:
    """A list of requirements names another one that is not there.

    `-r` and `-c` are looked for beside the file that names them. pip stops where one is missing, and installs nothing.

    Fix: put the file into the submission, or take the line out.
    """
    where = {
        FlawKind.NESTED_MISSING: "is not in the submission",
        FlawKind.NESTED_OUTSIDE: "leads out of the submission",
    }
    yield from few(Problem(f"'{one.what}' {where[one.kind]}", one.at) for one in requirements.of(*where))
