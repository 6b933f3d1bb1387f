"""The size of attachments as they travel, held against the standard library, and what services say to them."""

from __future__ import annotations

import base64
import io
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from audio_encoder_checker.archive.mailing import SERVICES, encoded_size, mail_readiness, mailing_lines

GMAIL, OUTLOOK, EXCHANGE = (service.name for service in SERVICES)


def as_sent(size: int) -> int:
    """Of the body of an attachment, as the standard library sends it."""
    message = EmailMessage(policy=SMTP)
    message.add_attachment(bytes(size), maintype="application", subtype="zip", filename="a.zip")
    (part,) = message.iter_attachments()
    written = io.BytesIO()
    BytesGenerator(written, policy=SMTP).flatten(part)
    return len(written.getvalue().partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 1000, 99_999])
def test_the_formula_is_what_is_sent(size: int) -> None:
    assert encoded_size(size) == len(base64.encodebytes(bytes(size)).replace(b"\n", b"\r\n"))
    assert encoded_size(size) == as_sent(size)


@pytest.mark.parametrize(
    ("sizes", "too_large_for"),
    [
        ([], ()),
        ([25_000_000], ()),
        ([25_000_001], (GMAIL, OUTLOOK)),
        ([24_999_999, 2], (GMAIL, OUTLOOK)),
        ([26_819_346], (GMAIL, OUTLOOK)),
        ([26_819_347], (GMAIL, OUTLOOK, EXCHANGE)),
    ],
)
def test_every_service_counts_in_its_way(sizes: list[int], too_large_for: tuple[str, ...]) -> None:
    assert mail_readiness(sizes, []).too_large_for == too_large_for


def test_several_attachments_are_encoded_one_by_one() -> None:
    assert mail_readiness([1, 1], []).encoded_bytes == 12
    assert mail_readiness([2], []).encoded_bytes == 6


def test_gmail_refuses_programs_in_archives_and_no_python() -> None:
    names = ["encoder.py", "a.pyc", "lib/tool.EXE", "setup.exe/", "run.sh", "x.jar", "model.pt", "exe", "a.js.txt"]
    assert mail_readiness([1], names).refused == (("lib/tool.EXE", GMAIL), ("x.jar", GMAIL))


def test_a_service_that_names_no_files_refuses_none() -> None:
    assert [service.name for service in SERVICES if service.is_refused("a.exe")] == [GMAIL]


def test_every_service_says_where_its_limit_stands() -> None:
    for service in SERVICES:
        assert service.source.startswith("https://")
        assert 1_000_000 < service.limit_bytes < 200_000_000
        assert all(end.startswith(".") and end == end.lower() for end in service.refuses)


def test_the_lines_name_sizes_services_and_members() -> None:
    assert mailing_lines(mail_readiness([1000], ["a.py"])) == (
        "by e-mail: 1 kB of attachments, 1.37 kB on the way; no common service finds that too large",
    )
    mailing = mail_readiness([30_000_000], ["a\x1b.exe", "b.dll", "c.js", "d.bat"])
    size, refusal = mailing_lines(mailing)
    assert size == (
        "by e-mail: 30 MB of attachments, 41.1 MB on the way; too large for Gmail, Outlook.com, "
        "Exchange Online (default)"
    )
    assert refusal == (
        "by e-mail: Gmail refuses a ZIP that holds a\\x1b.exe, b.dll, c.js, ...; leave that out if you can"
    )
