"""What a request body is, told from its bytes.

Clients label audio with whatever their library sends by default, so the media type is asked for one thing only: whether
bytes without any signature may be headerless PCM (contract, section 0, traps 1 and 2).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from shared.audio import mpeg
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable, BodyMissing

SUPPORTED: Final = "WAV, FLAC, Ogg (Vorbis or Opus), MP3, AIFF, CAF, AU or WebM (Opus)"

NO_RIFF_HEADER: Final = "Not a valid WAVE file - No RIFF header"
"""Contract (v1.0): how the retired service named a body that is no audio."""


class Container(StrEnum):
    """What can be decoded; the values are for messages."""

    WAV = "WAV"
    RF64 = "RF64"
    W64 = "W64"
    FLAC = "FLAC"
    OGG = "Ogg"
    MP3 = "MP3"
    AIFF = "AIFF"
    CAF = "CAF"
    AU = "AU"
    WEBM = "WebM"
    PCM = "headerless PCM"


_W64_GUID: Final = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb"
_SIGNATURES: Final = (
    (b"fLaC", Container.FLAC),
    (b"OggS", Container.OGG),
    (b"ID3", Container.MP3),
    (b"caff\x00\x01", Container.CAF),
    (b".snd", Container.AU),
    (b"\x1a\x45\xdf\xa3", Container.WEBM),
    (_W64_GUID, Container.W64),
)
_REFUSED: Final = (
    (b"#!AMR", "AMR"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA (ASF)"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
)
_PCM_TYPES: Final = frozenset(
    {"audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave", "audio/pcm", "audio/x-pcm", "audio/l16"}
)
_PCM_CODEC: Final = re.compile(r"codecs?\s*=\s*\"?(audio/)?pcm\b")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_\-\r\n]{48,}={0,2}\s*")
_DATA_URI: Final = re.compile(rb"data:[^,]{0,128},", re.IGNORECASE)
_HTML: Final = re.compile(rb"<!doctype html|<html", re.IGNORECASE)
_LOOKED_AT: Final = 1024
"""Bytes that the guess at text is made from."""
_FILE_NAME_BYTES: Final = 255
"""Longest file name of the usual file systems: a longer text is not a forgotten ``@``."""


def sniff(body: bytes, media_type: str | None) -> Container:
    """Name what the bytes are.

    Raises
    ------
    BodyMissing
        No bytes at all.
    AudioFormatUnsupported
        A known format that is not decoded here.
    AudioUnreadable
        Text, or bytes of no known format; the message says what they look like.
    """
    if not body:
        raise BodyMissing
    container = _signed(body)
    if container is not None:
        return container
    if (name := _refused(body)) is not None:
        raise AudioFormatUnsupported(name, SUPPORTED)
    if (text := _text(body)) is not None:
        raise AudioUnreadable(f"{NO_RIFF_HEADER}. Received {text}.")
    if promises_pcm(media_type):
        return Container.PCM
    raise AudioUnreadable(f"{NO_RIFF_HEADER}. Received {len(body):,} bytes of no known audio format.")


def promises_pcm(media_type: str | None) -> bool:
    """Whether the media type allows raw samples: a WAV or PCM type, or a PCM codec parameter."""
    lowered = (media_type or "").lower()
    types = {part.split(";")[0].strip() for part in lowered.split(",")}
    return bool(types & _PCM_TYPES) or _PCM_CODEC.search(lowered) is not None


def _signed(body: bytes) -> Container | None:
    first, form = body[:4], body[8:12]
    if first in (b"RIFF", b"RIFX") and form == b"WAVE":
        return Container.WAV
    if first == b"RF64" and form == b"WAVE":
        return Container.RF64
    if first == b"FORM" and form in (b"AIFF", b"AIFC"):
        return Container.AIFF
    for signature, container in _SIGNATURES:
        if body.startswith(signature):
            return container
    return Container.MP3 if mpeg.starts_with_mp3(body) else None


def _refused(body: bytes) -> str | None:
    if body[4:8] == b"ftyp":
        return "MP4 (AAC)"
    if body[:4] in (b"RIFF", b"RIFX") and len(body) >= 12:
        return "a RIFF file that is not WAVE"
    if mpeg.starts_with_adts(body):
        return "AAC (ADTS)"
    return next((name for signature, name in _REFUSED if body.startswith(signature)), None)


def _text(body: bytes) -> str | None:
    """What kind of text the body is, with advice; ``None`` when it is not text."""
    head = body[:_LOOKED_AT]
    if not _is_text(head):
        return None
    size, start = f"{len(body):,}-byte", head.lstrip()
    if _DATA_URI.match(start):
        return f"a {size} data URI: send the bytes themselves, without base64"
    if _BASE64.fullmatch(start):
        return f"{size} base64 text: send the bytes themselves"
    if start[:1] in (b"{", b"["):
        return f"a {size} JSON body: send the bytes of the recording as the body"
    if _HTML.match(start):
        return f"a {size} HTML page"
    if start.startswith(b"--"):
        return f"a {size} multipart body without a recording in it"
    if len(body) <= _FILE_NAME_BYTES:
        return f"a {size} text body; curl's --data-binary needs @ before a file name"
    return f"a {size} text body"


def _is_text(head: bytes) -> bool:
    for cut in range(4):  # a character of up to four bytes may be cut at the end of what is looked at
        try:
            text = head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return bool(text) and all(character.isprintable() or character in "\r\n\t\ufeff" for character in text)
    return False
