"""What a request body is, told from its bytes.

Clients label audio with whatever their library sends by default, so the media type says only what samples bytes
without any signature may be (``media_type.py``).
"""

from __future__ import annotations

import codecs
import re
import zlib
from typing import Final

from shared.audio.containers import mpeg
from shared.audio.formats import SUPPORTED, Container, later_piece
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable

NO_RIFF_HEADER: Final = "Not a valid WAVE file - No RIFF header"
"""Contract (v1.0): how the retired service named a body that is no audio."""
_SIGNATURES: Final = {
    rb"RIF[FX].{4}WAVE": Container.WAV,
    rb"RF64.{4}WAVE": Container.RF64,
    rb"BW64.{4}WAVE": Container.BW64,
    rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb": Container.W64,
    rb"FORM.{4}AIF[FC]": Container.AIFF,
    rb".{4}(?:ftyp|styp|moov|moof|mdat|wide)": Container.MP4,  # or QuickTime, or a piece of one
    rb"fLaC": Container.FLAC,
    rb"OggS": Container.OGG,
    rb"caff\x00\x01": Container.CAF,
    rb"\.snd": Container.AU,
    rb"\x1a\x45\xdf\xa3": Container.WEBM,
    rb"#!AMR": Container.AMR,
}
_REFUSED: Final = {
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "WMA (ASF)",
    b"\x1f\x8b\x08": "gzip data",
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"PK\x03\x04": "a ZIP archive",
    b"%PDF-": "a PDF document",
    b"\x89PNG\r\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
}
_UNPACKED: Final = 4096
_OGG_BEGINS: Final = 0x02  # RFC 3533: the flag of a stream's first page
_WEBM_PIECE: Final = re.compile(
    rb"\x1f\x43\xb6\x75|\xa3(?:[\x84-\xfe]|[\x40-\x7f].|[\x20-\x3f]..)\x81..[\x00\x80]", re.DOTALL
)
"""A cluster, or a SimpleBlock of track 1 without lacing."""
_TEXTS: Final = (
    (re.compile(rb"data:[^,]{0,128},", re.IGNORECASE), "a {} data URI: send the bytes themselves, without base64"),
    (re.compile(rb"[A-Za-z0-9+/_\-\r\n]{48,}={0,2}\s*\Z"), "{} base64 text: send the bytes themselves"),
    (re.compile(rb"[{\[]"), "a {} JSON body: send the bytes of the recording as the body"),
    (re.compile(rb"<!doctype html|<html", re.IGNORECASE), "a {} HTML page"),
    (re.compile(rb"--"), "a {} multipart body without a recording in it"),
)
"""What else bodies of text are, by their first bytes, with what to do."""
_LOOKED_AT: Final = 1024  # bytes that the guess at text is made from
_FEWEST_LETTERS: Final = 3  # fewer different bytes in a longer body are samples: silence in A-law is the letter U
_FILE_NAME_BYTES: Final = 255  # longest file name of the usual file systems: a longer text is not a forgotten @


def sniff(body: bytes) -> Container | None:
    """Name what the bytes are; ``None`` where they may be samples without a header.

    Raises ``AudioFormatUnsupported`` (a known format that is not decoded here), ``AudioUnreadable`` (the message says
    what the bytes look like).
    """
    _refuse_later_piece(body)
    container = _signed(body)
    if container is None and (name := _refused(body)):
        raise AudioFormatUnsupported(name, SUPPORTED)
    if container is None and (text := _text(body)):
        raise AudioUnreadable(f"{NO_RIFF_HEADER}. Received {text}.")
    return container


def _refuse_later_piece(body: bytes) -> None:
    if body.startswith(b"OggS") and len(body) > 5 and not body[5] & _OGG_BEGINS:
        raise later_piece("Ogg")
    if _WEBM_PIECE.match(body):
        raise later_piece("WebM")


def _signed(body: bytes) -> Container | None:
    signed = (kind for pattern, kind in _SIGNATURES.items() if re.match(pattern, body, re.DOTALL))
    return next(signed, None) or _mpeg(body)


def _mpeg(body: bytes) -> Container | None:
    """By frames in a row, or by a tag, which was made for MP3 and stands before FLAC too."""
    if mpeg.starts_with_adts(body):
        return Container.ADTS
    if body.startswith(b"ID3"):
        return Container.FLAC if body.startswith(b"fLaC", mpeg.behind_tags(body)) else Container.MP3
    return Container.MP3 if mpeg.mp3_start(body) is not None else None


def _refused(body: bytes) -> str | None:
    if body[:4] in (b"RIFF", b"RIFX") and len(body) >= 12:
        return "a RIFF file that is not WAVE"
    if _is_zlib(body):
        return "deflate data"
    return next((name for signature, name in _REFUSED.items() if body.startswith(signature)), None)


def _is_zlib(body: bytes) -> bool:
    """RFC 1950: a header that is a multiple of 31; samples may begin so, but do not unpack."""
    if len(body) < 8 or body[0] != 0x78 or int.from_bytes(body[:2], "big") % 31:
        return False
    unpacking = zlib.decompressobj()
    try:
        return len(unpacking.decompress(body, _UNPACKED)) == _UNPACKED or unpacking.eof
    except zlib.error:
        return False


def _text(body: bytes) -> str | None:
    """What kind of text the body is, with advice; ``None`` when it is not text."""
    head = body[:_LOOKED_AT]
    if len(set(head)) < _FEWEST_LETTERS < len(head) or not _is_text(head):
        return None
    start = head.lstrip()
    advice = "; curl's --data-binary needs @ before a file name" if len(body) <= _FILE_NAME_BYTES else ""
    kind = next((kind for pattern, kind in _TEXTS if pattern.match(start)), f"a {{}} text body{advice}")
    return kind.format(f"{len(body):,}-byte")


def _is_text(head: bytes) -> bool:
    try:
        text, _ = codecs.utf_8_decode(head, "strict", False)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return bool(text) and all(character.isprintable() or character in "\r\n\t\ufeff" for character in text)
