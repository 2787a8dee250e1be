"""Download one big file with the standard library: resumed where it was cut, bounded, and checked before it counts.

What has arrived lies beside the target under a name that carries the wanted sha256, so that a resumed download never
goes on with another file's beginning.
"""

from __future__ import annotations

import hashlib
import http
import http.client
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from tools.models.wheel import BuildFailed

CHUNK_BYTES: Final = 256 * 1024
TIMEOUT_SECONDS: Final = 30
"""Without a byte for so long, a connection counts as cut."""
ATTEMPTS: Final = 3
"""Connections in one run that bring nothing before we leave it to the operator to try again later."""
SPARE_BYTES: Final = 64 * 1024 * 1024
"""What must stay free on the disk."""
Progress: TypeAlias = Callable[[int, int], None]
"""Told how many bytes are there, and of how many; the latter is not more than the former where nobody knows."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Wanted:
    """``size_bytes`` is the exact size, or the most that is taken when ``exact`` is false."""

    url: str
    sha256: str
    size_bytes: int
    exact: bool = True


class _Cut(Exception):
    """The connection ended early."""


def downloaded(
    wanted: Wanted,
    part: Path,
    progress: Progress,
    *,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Path:
    """``part``, whole and with the wanted sha256.

    Raises
    ------
    BuildFailed
        In one sentence: the address is not https (or this machine's own), the server refuses, the disk is too full,
        the file is too large, or its sha256 is another one; then nothing is left. When the connection was cut,
        what has arrived is kept for the next run.
    """
    _check_address(wanted.url)
    idle = 0
    while True:
        before = _size(part)
        try:
            _fetch(wanted, part, progress, free_bytes)
            break
        except _Cut as cut:
            idle = 0 if _size(part) > before else idle + 1
            if idle >= ATTEMPTS:
                raise BuildFailed(
                    f"The download from {_host(wanted.url)} was cut ({cut}) with {_megabytes(_size(part))} there. "
                    "Run the command again; it goes on where it stopped."
                ) from None
    _check_content(wanted, part)
    return part


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(wanted: Wanted, part: Path, progress: Progress, free_bytes: Callable[[Path], int]) -> None:
    """One connection: everything that is missing, or ``_Cut``."""
    start = _size(part)
    if wanted.exact and start == wanted.size_bytes:
        return
    if start > wanted.size_bytes:
        part.unlink()
        start = 0
    headers = {"User-Agent": "timbre-models", "Accept-Encoding": "identity"}
    request = urllib.request.Request(wanted.url, headers=headers)  # noqa: S310 - the scheme is checked
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        with _opener().open(request, timeout=TIMEOUT_SECONDS) as response:
            start = _resumed_at(response, start)
            total = start + int(response.headers.get("Content-Length") or 0)
            _check_room(wanted, part, start, total, free_bytes)
            _receive(response, part, start, total, wanted.size_bytes, progress)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # there is nothing behind what we have: the sha256 decides
        raise BuildFailed(
            f"{_host(wanted.url)} answered {error.code} {error.reason} for {wanted.url}. Nothing was installed; "
            "download the file by other means and pass it with --file."
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise _Cut(str(getattr(error, "reason", "")) or type(error).__name__) from error


def _resumed_at(response: Any, start: int) -> int:
    """A server that ignores the range sends the whole file with 200."""
    wanted_range = f"bytes {start}-"
    resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
    return start if resumed and response.headers.get("Content-Range", "").startswith(wanted_range) else 0


def _receive(response: IO[bytes], part: Path, start: int, total: int, most: int, progress: Progress) -> None:
    there = start
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        while chunk := response.read(CHUNK_BYTES):
            there += len(chunk)
            if there > most:
                file.close()
                part.unlink()
                raise BuildFailed(f"The server sends more than the {_megabytes(most)} expected. Nothing was installed.")
            file.write(chunk)
            progress(there, total)
    if there < total:
        raise _Cut("the server stopped sending")


def _check_room(wanted: Wanted, part: Path, start: int, total: int, free_bytes: Callable[[Path], int]) -> None:
    if total > wanted.size_bytes or (wanted.exact and start < total != wanted.size_bytes):
        part.unlink(missing_ok=True)
        raise BuildFailed(
            f"The server's file has {total:,} bytes; expected are {'' if wanted.exact else 'at most '}"
            f"{wanted.size_bytes:,}. Nothing was installed."
        )
    missing = (total or wanted.size_bytes) - start
    free = free_bytes(part.parent)
    if free < missing + SPARE_BYTES:
        raise BuildFailed(
            f"The disk of {part.parent} has {_megabytes(free)} free; the download needs {_megabytes(missing)} and "
            f"leaves {_megabytes(SPARE_BYTES)} free. Make room and run the command again."
        )


def _check_content(wanted: Wanted, part: Path) -> None:
    found = sha256_of(part)
    if found != wanted.sha256:
        part.unlink()
        raise BuildFailed(
            f"What {_host(wanted.url)} sent has sha256 {found}, expected {wanted.sha256}. Nothing was installed."
        )


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_SafeRedirects)


def _check_address(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise BuildFailed(f"{url} is not an https address: nothing was downloaded.")


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _megabytes(number: int) -> str:
    return f"{number / 1e6:.1f} MB"
