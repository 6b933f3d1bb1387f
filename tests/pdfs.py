"""PDFs to test with, byte by byte: whole ones, and ones that are broken or hostile in a single way."""

from __future__ import annotations

import zlib

CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
FONT = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
A4 = (595.276, 841.89)
LETTER = (612.0, 792.0)


def raw_pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is its catalogue."""
    body = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return bytes(body) + b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, table)


def stream(data: bytes) -> bytes:
    """A compressed stream."""
    packed = zlib.compress(data, 9)
    return b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed)


def report(pages: int = 6, *, size: tuple[float, float] = A4, text: str = "words " * 50, trailer: bytes = b"") -> bytes:
    """An ordinary report: every page of one size and with one line of text."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(1, pages + 1))
    box = b"[0 0 %.3f %.3f]" % size
    page = b"<</Type/Page/Parent 2 0 R/Contents 3 0 R/MediaBox %s/Resources %s>>" % (box, FONT)
    return raw_pdf(
        CATALOGUE,
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        stream(b"BT /F 9 Tf 50 50 Td (%s) Tj ET" % text.encode("ascii")),
        *[page] * pages,
        trailer=trailer,
    )
