"""The list of contents that travels inside a submission: what it is and what it holds, and nothing of the machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audio_encoder_checker import __version__
from audio_encoder_checker.archive.declaration import read_declaration
from audio_encoder_checker.archive.declared import declared_attributes
from audio_encoder_checker.evidence.source import CONTRACT_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audio_encoder_checker.evidence.manifest import PackedFile
    from audio_encoder_checker.evidence.source import SourceFacts
    from audio_encoder_checker.rules import Rules

SCHEMA_VERSION = "2"


@dataclass(frozen=True)
class Declared:
    """What a submission says of itself, read from its sources and settings.

    Attributes:
        encoder: the encoder file, `FILE` or `FILE:CLASS`; empty if it was left to be found.
        attributes: of the contract, by name; None where the sources do not say a plain number.
        data: data sets that it was trained on.
        pretrained: public models that it starts from.
        profile: name of the rule book.
        profile_sha256: of that book.
    """

    encoder: str = ""
    attributes: Mapping[str, int | float | None] = field(default_factory=lambda: dict.fromkeys(CONTRACT_ATTRIBUTES))
    data: tuple[str, ...] = ()
    pretrained: tuple[str, ...] = ()
    profile: str = ""
    profile_sha256: str = ""


def declared_in(sources: SourceFacts, encoder: str, rules: Rules) -> Declared:
    """What the sources of a folder and its settings say.

    Args:
        sources: of the folder.
        encoder: as the manifest is to name it.
        rules: the rule book that the submission is made for.
    """
    training = read_declaration(sources.root)
    return Declared(
        encoder=encoder,
        attributes=declared_attributes(sources),
        data=tuple(one.text for one in training.data),
        pretrained=tuple(one.text for one in training.pretrained),
        profile=rules.name,
        profile_sha256=rules.sha256,
    )


def manifest_text(files: Iterable[PackedFile], declared: Declared) -> str:
    """The manifest as JSON; the same files that say the same of themselves give the same text.

    Args:
        files: all files of the submission but the manifest.
        declared: what the submission says of itself.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "audio-encoder-checker", "version": __version__},
        "profile": {"name": declared.profile, "sha256": declared.profile_sha256},
        "encoder": declared.encoder or None,
        "declared": dict(declared.attributes),
        "training": {"data": list(declared.data), "pretrained": list(declared.pretrained)},
        "files": [
            {"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in sorted(files, key=lambda file: file.name)
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
