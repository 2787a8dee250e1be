"""The recording inside a multipart body, whatever the clients of ten years have done to the format.

Real bodies have boundaries with spaces and colons, file names in any code page, parts without a type or with the type
``multipart/form-data``, and headers that promise multipart where the body is bare audio (contract, section 0, traps 1
and 15). So the body decides, and the header only helps. Framing: RFC 2046, section 5.1. Why this is not werkzeug's
parser: ``docs/decisions/audio-in.md``.
"""

from __future__ import annotations

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
    def is_binary(self) -> bool:
        """Bytes that no text field of a form has."""
        head = self.content[:1024]
        return b"\0" in head or any(byte < 9 or byte > 127 for byte in head)


def audio_part(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    """The first file of a multipart body with its own media type, or the body itself with ``content_type``.

    A part is a file when it has a file name; when no part has one, the first that is binary is taken. A body that is
    not multipart comes back untouched, whatever its header says.

    Raises
    ------
    BodyNotUnderstood
        Multipart, but broken off, malformed, of too many parts, or without a file.
    """
    opening = _opening(body, content_type)
    if opening is None:
        return body, content_type
    boundary, start = opening
    fields: list[_Part] = []
    for count, part in enumerate(_parts(body, boundary, start), start=1):
        if count > MAX_PARTS:
            raise BodyNotUnderstood(f"The multipart body has more than {MAX_PARTS} parts.")
        if part.is_file:
            return part.content, part.media_type
        fields.append(part)
    binary = next((part for part in fields if part.is_binary), None)
    if binary is None:
        raise BodyNotUnderstood(f"The multipart body has {len(fields)} part(s), but none of them is a file.")
    return binary.content, binary.media_type


def _opening(body: bytes, content_type: str | None) -> tuple[bytes, int] | None:
    """The boundary and where the first part's headers begin; ``None`` when the body is not multipart."""
    named = _named_boundary(content_type)
    if named:
        line = re.compile(rb"(?:\A|\n)--" + re.escape(named) + rb"(?:--)?[ \t]*\r?\n?")
        if found := line.search(body, 0, _MAX_PREAMBLE_BYTES):
            return named, found.end()
    # Without a usable header the first line may be a boundary: then part headers must follow at once.
    first = _FIRST_LINE.match(body, 0, _MAX_BOUNDARY_BYTES + 16)
    if first and _PART_HEADER.match(body, first.end(), first.end() + 64):
        return first.group(1), first.end()
    return None


def _named_boundary(content_type: str | None) -> bytes | None:
    if not content_type or "multipart/" not in content_type.lower():
        return None
    found = _BOUNDARY.search(content_type)
    if not found:
        return None
    return (found.group(1) or found.group(2)).strip().encode("utf-8", "surrogateescape")[:_MAX_BOUNDARY_BYTES]


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
    found = body.find(line, start - 1)  # the line break before an empty content is that of the headers
    while found >= 0:
        if rest := _LINE_REST.match(body, found + len(line)):
            end = found - 1 if found > start and body[found - 1] == 0x0D else found
            return max(end, start), rest.end(), rest.group(1) is not None
        found = body.find(line, found + 1)
    raise BodyNotUnderstood("The multipart body ends before its closing boundary.")


def _header(headers: bytes, name: bytes) -> str | None:
    for line in headers.splitlines():
        key, colon, value = line.partition(b":")
        if colon and key.strip().lower() == name:
            return value.strip().decode("latin-1") or None
    return None
