"""Whether files can be sent by e-mail: how large they travel, and which services refuse them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio_encoder_checker.printable import printable, size_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LINE_CHARACTERS = 76
LINE_BREAK_BYTES = len("\r\n")
MOST_NAMED = 3
"""So many refused members are named in a sentence."""


@dataclass(frozen=True)
class Service:
    """A mail service.

    Attributes:
        name: for people.
        limit_bytes: largest that it takes.
        counts_encoded: whether that means the attachments as base64, or the files as they are.
        source: where all that is said.
        refuses: ends of file names, in lower case, that it refuses inside archives too.
    """

    name: str
    limit_bytes: int
    counts_encoded: bool
    source: str
    refuses: tuple[str, ...] = ()

    def takes(self, files_bytes: int, encoded_bytes: int) -> bool:
        """Whether attachments of this size fit, as files and as base64."""
        return (encoded_bytes if self.counts_encoded else files_bytes) <= self.limit_bytes

    def is_refused(self, name: str) -> bool:
        """Whether a file of this name is refused."""
        return bool(self.refuses) and name.lower().endswith(self.refuses)


@dataclass(frozen=True)
class Mailing:
    """What is known of a message before it is sent.

    Attributes:
        files_bytes: sum of the attachments.
        encoded_bytes: the same as base64, line breaks included; the text of the message comes on top.
        too_large_for: services whose limit it passes, by name.
        refused: members of an archive that no message may hold, and the service that refuses it.
    """

    files_bytes: int
    encoded_bytes: int
    too_large_for: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


SERVICES = (
    Service(
        "Gmail",
        25_000_000,
        counts_encoded=False,
        refuses=(
            ".ade", ".adp", ".apk", ".appx", ".appxbundle", ".bat", ".cab", ".chm", ".cmd", ".com", ".cpl", ".diagcab",
            ".diagcfg", ".diagpkg", ".dll", ".dmg", ".ex", ".ex_", ".exe", ".hta", ".img", ".ins", ".iso", ".isp",
            ".jar", ".jnlp", ".js", ".jse", ".lib", ".lnk", ".mde", ".mjs", ".msc", ".msi", ".msix", ".msixbundle",
            ".msp", ".mst", ".nsh", ".pif", ".ps1", ".scr", ".sct", ".shb", ".sys", ".vb", ".vbe", ".vbs", ".vhd",
            ".vxd", ".wsc", ".wsf", ".wsh", ".xll",
        ),
        source="https://support.google.com/mail/answer/6584 and 6590; its server announces 25 MiB as base64",
    ),
    Service(
        "Outlook.com",
        25_000_000,
        counts_encoded=False,
        source="https://support.microsoft.com/office/279ee200-594c-40f0-9ec8-bb6af7735c2e",
    ),
    Service(
        "Exchange Online (default)",
        36_700_160,  # 35 MiB to send, 36 to receive
        counts_encoded=True,
        source="https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/"
        "exchange-online-limits",
    ),
)  # fmt: skip
"""Those that are common. Outlook refuses scripts as attachments, .py among them, and not in a ZIP."""


def encoded_size(size_bytes: int) -> int:
    """How large a file is as an attachment.

    Three bytes become four characters, the last ones are filled up with `=`; a line has at most 76 characters and
    ends with CR and LF (RFC 2045, section 6.8).
    """
    characters = -(-size_bytes // 3) * 4
    lines = -(-characters // LINE_CHARACTERS)
    return characters + lines * LINE_BREAK_BYTES


def mail_readiness(sizes_bytes: Sequence[int], member_names: Iterable[str]) -> Mailing:
    """Judge a message by its attachments.

    Args:
        sizes_bytes: of each attachment, for example of a ZIP and a PDF.
        member_names: paths inside the ZIP; those of folders, which end with `/`, do not count.
    """
    files, encoded = sum(sizes_bytes), sum(encoded_size(size) for size in sizes_bytes)
    refused = tuple(
        (name, service.name)
        for name in member_names
        for service in SERVICES
        if not name.endswith("/") and service.is_refused(name)
    )
    return Mailing(
        files_bytes=files,
        encoded_bytes=encoded,
        too_large_for=tuple(service.name for service in SERVICES if not service.takes(files, encoded)),
        refused=refused,
    )


def mailing_lines(mailing: Mailing) -> tuple[str, ...]:
    """What to tell somebody who is about to send it; no line is longer than a few names."""
    sizes = f"{size_words(mailing.files_bytes)} of attachments, {size_words(mailing.encoded_bytes)} on the way"
    if not mailing.too_large_for:
        lines = [f"by e-mail: {sizes}; no common service finds that too large"]
    else:
        lines = [f"by e-mail: {sizes}; too large for {', '.join(mailing.too_large_for)}"]
    if mailing.refused:
        names = ", ".join(printable(name, limit=80) for name, _ in mailing.refused[:MOST_NAMED])
        more = ", ..." if len(mailing.refused) > MOST_NAMED else ""
        services = ", ".join(dict.fromkeys(service for _, service in mailing.refused))
        lines.append(f"by e-mail: {services} refuses a ZIP that holds {names}{more}; leave that out if you can")
    return tuple(lines)
