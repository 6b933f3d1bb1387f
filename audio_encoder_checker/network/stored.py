"""Answers from the store, as the Hub would give them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from audio_encoder_checker.network.exchange import Delivery, bare_etag

if TYPE_CHECKING:
    from audio_encoder_checker.evidence.network import HubFile
    from audio_encoder_checker.network.messages import Request
    from audio_encoder_checker.network.store import Found


def stored(request: Request, hub: HubFile, found: Found) -> Delivery:
    """What to send for a file on disk.

    Args:
        request: `GET` or `HEAD`, perhaps of a part, perhaps on a condition.
        hub: what it asks for.
        found: the file.
    """
    status, first, last = _part(request, found)
    count = 0 if status in {304, 416} else last - first + 1
    fields = [
        ("ETag", f'"{found.etag}"'),
        ("X-Repo-Commit", found.commit),
        ("X-Linked-Etag", f'"{found.etag}"'),
        ("X-Linked-Size", str(found.size)),
        ("Accept-Ranges", "bytes"),
        ("Content-Type", "application/octet-stream"),
    ]
    if status == 206:
        fields.append(("Content-Range", f"bytes {first}-{last}/{found.size}"))
    elif status == 416:
        fields.append(("Content-Range", f"bytes */{found.size}"))
    key = f"{hub.kind} {hub.repository} {hub.file} {found.etag}"
    own = {"hub": replace(hub, commit=found.commit), "cached": True}
    return Delivery(status, fields, count, found.pieces(first, count), key, found.etag, None, own)


def _part(request: Request, found: Found) -> tuple[int, int, int]:
    """Status, first and last byte."""
    if found.etag in {bare_etag(one.strip()) for one in request.get("if-none-match").split(",")}:
        return 304, 0, -1
    asked = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", request.get("range"))
    condition = bare_etag(request.get("if-range"))
    if not asked or not any(asked.groups()) or condition not in {"", found.etag}:
        return 200, 0, found.size - 1
    if asked[1]:
        first, last = int(asked[1]), min(int(asked[2] or found.size), found.size - 1)
    else:
        first, last = max(0, found.size - int(asked[2])), found.size - 1
    return (206, first, last) if first <= last else (416, 0, -1)
