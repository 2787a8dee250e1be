"""What a decoder process and its parent say to each other: frames of a kind, a JSON object and raw bytes.

Nothing is pickled: the parent takes nothing from a process that decodes what strangers send but numbers, text and
samples, and checks those.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from io import FileIO
from typing import Any, Final

from shared.domain.errors import (
    AudioFormatUnsupported,
    AudioTooLong,
    AudioTooShort,
    AudioUnreadable,
    RecordingRefused,
)

_HEADER: Final = struct.Struct("<cIQ")
_MOST_JSON_BYTES: Final = 64 * 1024

_REFUSALS: Final[Mapping[type[RecordingRefused], tuple[str, ...]]] = {
    AudioUnreadable: ("reason",),
    AudioFormatUnsupported: ("received", "supported"),
    AudioTooShort: ("seconds", "minimum_seconds"),
    AudioTooLong: ("seconds", "maximum_seconds", "at_least"),
}
"""The refusals that a decoder knows, with the arguments that make them."""


class Kind(Enum):
    READY = b"R"
    """From the decoder, once."""
    BODY = b"B"
    """To the decoder: container and bounds, and the body."""
    SAMPLES = b"S"
    """A piece, float32 [frames, channels]."""
    DONE = b"D"
    """The format and the last piece, then which of all samples are clipped, a bit each, channel after channel."""
    REFUSED = b"E"
    DEFECT = b"X"
    """Type and place of an exception that is nobody's intention."""


class Broken(Exception):
    """The other side is gone, or says what nobody says."""


@dataclass(frozen=True)
class Frame:
    kind: Kind
    text: Mapping[str, Any]
    data: bytearray = field(repr=False)


def send(pipe: FileIO, kind: Kind, text: Mapping[str, object], *data: memoryview) -> None:
    """All in one write where it fits, so that the other side wakes once. ``OSError`` where it is gone."""
    encoded = json.dumps(text).encode()
    header = _HEADER.pack(kind.value, len(encoded), sum(part.nbytes for part in data)) + encoded
    parts = [memoryview(header), *(part.cast("B") for part in data if part.nbytes)]
    if sys.platform != "win32":
        written = os.writev(pipe.fileno(), parts)
        while parts and written >= len(parts[0]):
            written -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][written:]
    for part in parts:
        _write(pipe, part)


def receive(pipe: FileIO, most_bytes: int) -> Frame:
    """The next frame, whose data have ``most_bytes`` at most. Raises ``Broken``, ``OSError``."""
    kind, text_bytes, data_bytes = _HEADER.unpack(_read(pipe, _HEADER.size))
    if text_bytes > _MOST_JSON_BYTES or data_bytes > most_bytes:
        raise Broken
    try:
        text = json.loads(_read(pipe, text_bytes))
        return Frame(Kind(kind), text, _read(pipe, data_bytes))
    except (ValueError, RecursionError) as error:
        raise Broken from error


def refusal_text(refusal: RecordingRefused) -> dict[str, object]:
    return {"type": type(refusal).__name__, **{name: getattr(refusal, name) for name in _REFUSALS[type(refusal)]}}


def refusal(text: Mapping[str, Any]) -> RecordingRefused:
    """``Broken`` where it is none."""
    for kind, names in _REFUSALS.items():
        if text.get("type") == kind.__name__:
            try:
                return kind(**{name: text[name] for name in names})
            except (KeyError, TypeError, ValueError) as error:
                raise Broken from error
    raise Broken


def _write(pipe: FileIO, data: memoryview) -> None:
    while data:
        data = data[pipe.write(data) or 0 :]


def _read(pipe: FileIO, count: int) -> bytearray:
    content = bytearray(count)
    view, filled = memoryview(content), 0
    while filled < count:
        got = pipe.readinto(view[filled:])
        if not got:
            raise Broken
        filled += got
    return content
