"""AEC90x: the manifest that `aecc-package` packs, against what the archive really holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from audio_encoder_checker.catalogue import check
from audio_encoder_checker.checks.few import few
from audio_encoder_checker.evidence.manifest import ManifestFacts, PackedFile
from audio_encoder_checker.findings import Problem
from audio_encoder_checker.printable import printable


@check("AEC901")
def missing_manifest(manifest: ManifestFacts) -> Iterator[Problem]:
    """The archive carries no manifest.

    Without the list of names, sizes and hashes that `aecc-package build` adds, nobody can tell whether the
    archive arrived as it was built.

    Fix: build it with `aecc-package build DIR -o submission.zip`.
    """
    if not manifest.present:
        yield Problem("there is no aecc-manifest.json, so the archive was not made by aecc-package")


@check("AEC902")
def unreadable_manifest(manifest: ManifestFacts) -> Iterator[Problem]:
    """The manifest cannot be read.

    A manifest that is damaged or was edited by hand proves nothing about the files beside it.

    Fix: build the archive again with `aecc-package build DIR -o submission.zip`.
    """
    if manifest.unreadable:
        yield Problem(printable(manifest.unreadable, limit=300), at="aecc-manifest.json")


@check("AEC903")
def missing_packed_file(manifest: ManifestFacts) -> Iterator[Problem]:
    """A file that was packed is not in the archive any more.

    The encoder was checked with this file; without it the organisers run something else, or nothing.

    Fix: build the archive again with `aecc-package build DIR -o submission.zip` instead of changing it by hand.
    """
    found = {file.name for file in manifest.found}
    gone = (file.name for file in manifest.listed if file.name not in found)
    yield from _named(dict.fromkeys(gone, "listed in the manifest, but not in the archive"))


@check("AEC904")
def added_file(manifest: ManifestFacts) -> Iterator[Problem]:
    """A file is in the archive that was not packed.

    Somebody added it after the archive was built, so it was never part of what was checked.

    Fix: put it into the folder and build again with `aecc-package build DIR -o submission.zip`.
    """
    if manifest.present and not manifest.unreadable:
        listed = {file.name for file in manifest.listed}
        new = (file.name for file in manifest.found if file.name not in listed)
        yield from _named(dict.fromkeys(new, "in the archive, but not listed in the manifest"))


@check("AEC905")
def altered_file(manifest: ManifestFacts) -> Iterator[Problem]:
    """A file is not the one that was packed.

    Its size or SHA-256 differs from the manifest: it was changed after the archive was built, or damaged.

    Fix: change the file in the folder and build again with `aecc-package build DIR -o submission.zip`.
    """
    found = {file.name: file for file in manifest.found}
    pairs = [(file, found[file.name]) for file in manifest.listed if file.name in found]
    yield from _named({a.name: _difference(a, b) for a, b in pairs if a != b})


def _difference(listed: PackedFile, found: PackedFile) -> str:
    if listed.size_bytes != found.size_bytes:
        return f"expected {listed.size_bytes} bytes, found {found.size_bytes}"
    return f"expected SHA-256 {listed.sha256}, found {found.sha256}"


def _named(messages: Mapping[str, str]) -> Iterator[Problem]:
    """One problem per file name."""
    return few(Problem(messages[name], at=printable(name)) for name in sorted(messages))
