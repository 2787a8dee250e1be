"""Download one big file with the standard library: bounded, and checked before it counts."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from tools.models.wheel import BuildFailed

CHUNK_BYTES: Final = 256 * 1024
TIMEOUT_SECONDS: Final = 30
"""Without a byte for so long, a connection counts as cut."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Wanted:
    """``size_bytes`` is the exact size, or the most that is taken when ``exact`` is false."""

    url: str
    sha256: str
    size_bytes: int
    exact: bool = True


def download(wanted: Wanted, part: Path) -> None:
    """``part``, whole and with the wanted sha256; otherwise there is nothing.

    Raises
    ------
    BuildFailed
        In one sentence: the address is not https (or this machine's own), the server refuses, the connection was cut or
        the disk is full, the file is too large, or its sha256 is another one.
    """
    try:
        _fetch(wanted, part)
        found = sha256_of(part)
        if found != wanted.sha256:
            raise BuildFailed(
                f"What {_host(wanted.url)} sent has sha256 {found}, expected {wanted.sha256}. Nothing was installed."
            )
    except BuildFailed:
        part.unlink(missing_ok=True)
        raise


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(wanted: Wanted, part: Path) -> None:
    _check_address(wanted.url)
    headers = {"User-Agent": "timbre-models", "Accept-Encoding": "identity"}
    request = urllib.request.Request(wanted.url, headers=headers)  # noqa: S310 - the scheme is checked
    otherwise = "Nothing was installed; download the file by other means and pass it with --file."
    try:
        with urllib.request.build_opener(_SafeRedirects).open(request, timeout=TIMEOUT_SECONDS) as response:
            total = int(response.headers.get("Content-Length") or 0)
            if total > wanted.size_bytes or (wanted.exact and 0 < total != wanted.size_bytes):
                raise BuildFailed(
                    f"The server's file has {total:,} bytes; expected are {'' if wanted.exact else 'at most '}"
                    f"{wanted.size_bytes:,}. Nothing was installed."
                )
            with part.open("wb") as file:
                _receive(response, file, total, wanted.size_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        raise BuildFailed(
            f"{_host(wanted.url)} answered {error.code} {error.reason} for {wanted.url}. {otherwise}"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        why = str(getattr(error, "reason", "")) or str(error) or type(error).__name__
        raise BuildFailed(f"The download from {_host(wanted.url)} ended early ({why}). {otherwise}") from error


def _receive(response: IO[bytes], file: IO[bytes], total: int, most: int) -> None:
    there = 0
    while chunk := response.read(CHUNK_BYTES):
        there += len(chunk)
        if there > most:
            raise BuildFailed(f"The server sends more than the {most / 1e6:.1f} MB expected. Nothing was installed.")
        file.write(chunk)
    if there < total:
        raise OSError("the server stopped sending")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise BuildFailed(f"{url} is not an https address: nothing was downloaded.")


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc
