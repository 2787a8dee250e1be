"""What a decoder process and its parent say to each other: frames of a kind, a JSON object and raw bytes.

Nothing is pickled: the parent takes nothing from a process that decodes what strangers send but numbers, text and
samples, and checks those.
"""

from __future__ import annotations

import json
import os
import select
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from io import FileIO
from typing import Any, Final

from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioTooShort, AudioUnreadable, RecordingRefused

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
    """A block of the recording, float32 [frames, channels]."""
    DONE = b"D"
    """The format, and which of all samples are clipped, a bit each, channel after channel."""
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


class Pipe:
    """One side's ends. Every method raises ``OSError`` where the other side is gone, ``TimeoutError`` among them where
    it takes more than the seconds that ``allow`` gave."""

    def __init__(self, incoming: FileIO, outgoing: FileIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._deadline: float | None = None

    def allow(self, seconds: float) -> None:
        """From now on. Not on Windows, which cannot wait for a pipe; Azure runs Python on Linux alone."""
        self._deadline = time.monotonic() + seconds
        os.set_blocking(self._outgoing.fileno(), sys.platform == "win32")

    def send(self, kind: Kind, text: Mapping[str, object], data: memoryview | None = None) -> None:
        """All in one write where it fits, so that the other side wakes once."""
        encoded = json.dumps(text).encode()
        body = memoryview(b"") if data is None else data.cast("B")
        header = _HEADER.pack(kind.value, len(encoded), len(body)) + encoded
        parts = [memoryview(header), body]
        while parts:
            self._wait(self._outgoing, writing=True)
            written = (
                os.writev(self._outgoing.fileno(), parts)
                if sys.platform != "win32"
                else self._outgoing.write(parts[0]) or 0
            )
            while parts and written >= len(parts[0]):
                written -= len(parts.pop(0))
            if parts:
                parts[0] = parts[0][written:]

    def receive(self, most_bytes: int) -> Frame:
        """The next frame, whose data have ``most_bytes`` at most. Raises ``Broken`` too."""
        kind, text_bytes, data_bytes = _HEADER.unpack(self._read(_HEADER.size))
        if text_bytes > _MOST_JSON_BYTES or data_bytes > most_bytes:
            raise Broken
        try:
            return Frame(Kind(kind), json.loads(self._read(text_bytes)), self._read(data_bytes))
        except (ValueError, RecursionError) as error:
            raise Broken from error

    def close(self) -> None:
        self._incoming.close()
        self._outgoing.close()

    def _read(self, count: int) -> bytearray:
        content = bytearray(count)
        view, filled = memoryview(content), 0
        while filled < count:
            self._wait(self._incoming)
            received = self._incoming.readinto(view[filled:])
            if not received:
                raise Broken
            filled += received
        return content

    def _wait(self, end: FileIO, *, writing: bool = False) -> None:
        if self._deadline is not None and sys.platform != "win32":
            poll = select.poll()
            poll.register(end, select.POLLOUT if writing else select.POLLIN)
            if not poll.poll(1_000 * max(self._deadline - time.monotonic(), 0.0)):
                raise TimeoutError


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
