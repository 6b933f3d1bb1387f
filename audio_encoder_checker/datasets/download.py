"""Files over HTTP: resumed where they were cut, tried again a few times, verified before they get their name."""

from __future__ import annotations

import hashlib
import random
import time
from typing import TYPE_CHECKING, Any

from audio_encoder_checker.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from audio_encoder_checker.datasets.records import RemoteFile

TRIES = 6
"""In a row without a byte."""
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that pass."""
LONGEST_WAIT_S = 120.0
TIMEOUT_S = (15.0, 60.0)
"""To connect, and between two pieces."""
PIECE = 1 << 16
"""Bytes that are taken at a time; a piece that is cut is lost."""
PART = ".part"
OFFLINE = "check the connection and repeat the command: it goes on where it was"


class Downloader:
    """Fetches documents and files.

    Args:
        pause: waits so many seconds; a test's does not.
        on_bytes: told how many more bytes there are.
    """

    def __init__(
        self, pause: Callable[[float], None] = time.sleep, on_bytes: Callable[[int], None] = lambda _count: None
    ) -> None:
        import requests

        self.session = requests.Session()
        self.session.headers["Accept-Encoding"] = "identity"  # ranges count the bytes of the file itself
        self.pause = pause
        self.on_bytes = on_bytes

    def document(self, url: str) -> Any:
        """A JSON document.

        Raises:
            MachineError: it cannot be had.
        """
        import requests

        last = ""
        for number in range(TRIES):
            try:
                answer = self.session.get(url, timeout=TIMEOUT_S)
                if answer.status_code == 200:
                    return answer.json()
                last = f"status {answer.status_code}"
                if answer.status_code not in AGAIN:
                    raise MachineError(f"{url}: {last}", "the record may have moved; look at it in a browser")
                self._wait(number + 1, answer)
            except requests.exceptions.JSONDecodeError:
                raise MachineError(f"{url} is no JSON document", "a proxy or a log-in page may answer") from None
            except requests.RequestException as error:
                last = _words(error)
                self._wait(number + 1, None)
        raise MachineError(f"{url}: {last}, {TRIES} times", OFFLINE)

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Download one file; what an earlier try left in `TARGET.part` is not downloaded again.

        Raises:
            MachineError: it cannot be had, or it is not the file that the record tells of.
            OSError: it cannot be written.
        """
        part = target.with_name(target.name + PART)
        for left in (1, 0):
            self._complete(file, part)
            found = md5_of(part)
            if found == file.md5:
                part.replace(target)
                return
            part.unlink()
            if not left:
                raise MachineError(
                    f"{file.name}: its MD5 is {found}, the record says {file.md5}, twice",
                    "repeat later; the file may be damaged at its source",
                )
            self.on_bytes(-file.size)

    def _complete(self, file: RemoteFile, part: Path) -> None:
        """Download until the part has the file's size."""
        tries = 0
        last = ""
        while (had := part.stat().st_size if part.exists() else 0) < file.size:
            if tries == TRIES:
                raise MachineError(f"{file.name}: {last}, {TRIES} times", OFFLINE)
            last, answer = self._piece(file, part, had)
            got = (part.stat().st_size if part.exists() else 0) > had
            tries = 0 if got else tries + 1
            if last:
                self._wait(tries, answer)
        if had > file.size:
            part.unlink()
            raise MachineError(f"{file.name} is larger than the {file.size} bytes of its record", "repeat the command")

    def _piece(self, file: RemoteFile, part: Path, had: int) -> tuple[str, requests.Response | None]:
        """One request; what went wrong, and the answer if there was one."""
        import requests

        try:
            with self.session.get(
                file.url, headers={"Range": f"bytes={had}-"} if had else {}, stream=True, timeout=TIMEOUT_S
            ) as answer:
                if answer.status_code in AGAIN:
                    return f"status {answer.status_code}", answer
                if answer.status_code not in (200, 206):
                    raise MachineError(
                        f"{file.url}: status {answer.status_code}", "the record may have changed; repeat the command"
                    )
                goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {had}-")
                if had and not (answer.status_code == 206 and goes_on):
                    self.on_bytes(-had)
                    had = 0  # the server knows no ranges: from the start
                return self._store(answer, part, file.size, had), None
        except requests.RequestException as error:
            return _words(error), None

    def _store(self, answer: requests.Response, part: Path, size: int, had: int) -> str:
        with part.open("r+b" if had else "wb") as file:
            file.seek(had)
            for piece in answer.iter_content(PIECE):
                file.write(piece)
                had += len(piece)
                self.on_bytes(len(piece))
                if had > size:
                    return ""
        return "" if had >= size else "the connection was cut"

    def _wait(self, tries: int, answer: requests.Response | None) -> None:
        """As long as the server asks for, else twice as long each time, with some jitter; not where no try is left."""
        if tries >= TRIES:
            return
        asked = answer.headers.get("Retry-After", "") if answer is not None else ""
        seconds = float(asked) if asked.isdigit() else 2.0 ** (tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - only jitter
        self.pause(min(seconds, LONGEST_WAIT_S))


def _words(error: Exception) -> str:
    """A request's failure in a few words."""
    names = {"ConnectionError": "no connection", "ReadTimeout": "no answer", "ConnectTimeout": "no connection"}
    return names.get(type(error).__name__, f"{type(error).__name__}: {error}"[:200])


def md5_of(path: Path) -> str:
    """MD5 of a file, as records give it; against damage, not against malice."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
