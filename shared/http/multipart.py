"""The recording inside a multipart body, whatever the clients of ten years have done to the format.

Real bodies have boundaries with spaces and colons, file names in any code page, parts without a type or with the type
``multipart/form-data``, and headers that promise multipart where the body is bare audio (``docs/contract.md``, facts
1 and 15). So the body decides, and the header only helps. Framing: RFC 2046, section 5.1. Why this is not werkzeug's
parser: ``docs/decisions/audio-in.md``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from shared.domain.errors import BodyNotUnderstood

MAX_PARTS: Final = 32
"""The SDKs send one part, web forms a handful."""

MAX_PART_HEADER_BYTES: Final = 8 * 1024
_MAX_PREAMBLE_BYTES: Final = 4 * 1024
_MAX_BOUNDARY_BYTES: Final = 200
"""RFC 2046 allows 70; a little more does no harm."""

_BOUNDARY: Final = re.compile(r"boundary\s*=\s*(?:\"([^\"]+)\"|([^;,\"]+))", re.IGNORECASE)
_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n|\r\r")
_FIRST_LINE: Final = re.compile(rb"\s*--([^\r\n]{1,%d}?)[ \t]*\r?\n" % _MAX_BOUNDARY_BYTES)
_LINE_REST: Final = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_PART_HEADER: Final = re.compile(rb"content-[a-z-]+\s*:", re.IGNORECASE)
_FILE_NAME: Final = re.compile(rb";\s*filename\*?\s*=", re.IGNORECASE)


_RECORDINGS: Final = (
    b"RIFF", b"RIFX", b"RF64", b"BW64", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"caff", b".snd", b"FORM",
    b"\x1a\x45\xdf\xa3", b"riff\x2e\x91", b"#!AMR",
)  # fmt: skip
_NO_AUDIO_TYPES: Final = ("image/", "text/", "application/json", "application/xml", "application/pdf")
_NO_AUDIO: Final = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"%PDF-", b"PK\x03\x04")
"""JPEG, PNG, GIF, PDF, ZIP."""


@dataclass(frozen=True)
class _Part:
    headers: bytes = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def media_type(self) -> str | None:
        return _header(self.headers, b"content-type")

    @property
    def is_file(self) -> bool:
        return _FILE_NAME.search(self.headers) is not None

    @property
    def may_be_audio(self) -> bool:
        """Bytes that no text field of a form has, and no picture or document."""
        media_type = (self.media_type or "").lower()
        if media_type.startswith(_NO_AUDIO_TYPES) or self.content.startswith(_NO_AUDIO):
            return False
        return not _is_text(self.content[:1024])


def audio_part(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    """The first part of a multipart body that is audio, with its own media type; or the body with ``content_type``.

    That is the first that begins as a recording, or the first file that is neither empty nor text, a picture or a
    document; where no part has a file name, the first such part. Where there is none, the first file says what is wrong
    with it. A body that is not multipart comes back untouched, whatever its header says.

    Raises
    ------
    BodyNotUnderstood
        Multipart, but broken off, malformed, of too many parts, or without a file.
    """
    opening = _opening(body, content_type)
    if opening is None:
        return body, content_type
    boundary, start = opening
    others: list[_Part] = []
    for count, part in enumerate(_parts(body, boundary, start), start=1):
        if count > MAX_PARTS:
            raise BodyNotUnderstood(f"The multipart body has more than {MAX_PARTS} parts.")
        if begins_as_recording(part.content) or (part.is_file and part.may_be_audio):
            return part.content, part.media_type
        others.append(part)
    files = [part for part in others if part.is_file]
    candidates = [part for part in others if part.may_be_audio] + [part for part in files if part.content] + files
    if not candidates:
        raise BodyNotUnderstood(f"The multipart body has {len(others)} part(s), but none of them is a file.")
    return candidates[0].content, candidates[0].media_type


def begins_as_recording(content: bytes) -> bool:
    """Whether the first bytes are those of a common container; the decoder tells what it is in full."""
    return content.startswith(_RECORDINGS) or content[4:8] == b"ftyp"


def _opening(body: bytes, content_type: str | None) -> tuple[bytes, int] | None:
    """The boundary and where the first part's headers begin; ``None`` when the body is not multipart."""
    named = _named_boundary(content_type)
    if named:
        line = re.compile(rb"(?:\A|\n)--" + re.escape(named) + rb"(?:--)?[ \t]*\r?\n?")
        if match := line.search(body, 0, _MAX_PREAMBLE_BYTES):
            return named, match.end()
    # Without a usable header the first line may be a boundary: then part headers must follow at once.
    first = _FIRST_LINE.match(body, 0, _MAX_BOUNDARY_BYTES + 16)
    if first and _PART_HEADER.match(body, first.end(), first.end() + 64):
        return first.group(1), first.end()
    return None


def _named_boundary(content_type: str | None) -> bytes | None:
    if not content_type or "multipart/" not in content_type.lower():
        return None
    match = _BOUNDARY.search(content_type)
    if not match:
        return None
    return (match.group(1) or match.group(2)).strip().encode("utf-8", "surrogateescape")[:_MAX_BOUNDARY_BYTES]


def _parts(body: bytes, boundary: bytes, at: int) -> Iterator[_Part]:
    """The parts in order; ``at`` is where the first one's headers begin."""
    while True:
        if body.startswith((b"\r\n", b"\n"), at):  # a part without headers
            headers_end, content = at, at + (2 if body[at] == 0x0D else 1)
        elif blank := _BLANK_LINE.search(body, at, at + MAX_PART_HEADER_BYTES):
            headers_end, content = blank.start(), blank.end()
        else:
            raise BodyNotUnderstood("The multipart body has a part whose headers do not end.")
        end, at_next, is_last = _delimiter(body, boundary, content)
        yield _Part(body[at:headers_end], body[content:end])
        if is_last:
            return
        at = at_next


def _delimiter(body: bytes, boundary: bytes, start: int) -> tuple[int, int, bool]:
    """Where the content from ``start`` ends, where the next part's headers begin, and whether there is none."""
    line = b"\n--" + boundary
    at = body.find(line, start - 1)  # the line break before an empty content is that of the headers
    while at >= 0:
        if rest := _LINE_REST.match(body, at + len(line)):
            end = at - 1 if at > start and body[at - 1] == 0x0D else at
            return max(end, start), rest.end(), rest.group(1) is not None
        at = body.find(line, at + 1)
    raise BodyNotUnderstood("The multipart body ends before its closing boundary.")


def _is_text(head: bytes) -> bool:
    """Also where there is nothing. A character that is cut at the end is no fault."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t\ufeff" for character in text)


def _header(headers: bytes, name: bytes) -> str | None:
    for line in headers.splitlines():
        key, colon, value = line.partition(b":")
        if colon and key.strip().lower() == name:
            return value.strip().decode("latin-1") or None
    return None
