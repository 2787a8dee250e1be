"""What a decoder process and its parent say to each other: a JSON object and raw bytes.

Nothing is pickled: the parent takes nothing from a process that decodes what strangers send but numbers, text and
samples, and checks those. ``kind`` in the object is, from the child, ``ready`` (once), ``samples`` (a block of the
recording, float32 [frames, channels]), ``done`` (with the format, and which of all samples are clipped, a bit each,
channel after channel), ``refused``, or ``defect`` (type and place of an exception that is nobody's intention).
"""

from __future__ import annotations

import json
import os
import select
import struct
import sys
import time
from collections.abc import Mapping
from io import FileIO
from typing import Any, Final

from shared.domain.errors import AudioFormatUnsupported, AudioTooLong, AudioTooShort, AudioUnreadable, RecordingRefused

_SIZES: Final = struct.Struct("<IQ")  # of the JSON and of the bytes
_MOST_JSON_BYTES: Final = 64 * 1024
_REFUSALS: Final[Mapping[str, type[RecordingRefused]]] = {
    kind.__name__: kind for kind in (AudioUnreadable, AudioFormatUnsupported, AudioTooShort, AudioTooLong)
}
"""Those that a decoder knows."""


class Broken(Exception):
    """The other side is gone, or says what nobody says."""


class Pipe:
    """One side's ends. Every method raises ``OSError`` where the other side is gone, ``TimeoutError`` among them where
    it takes more than the seconds that ``allow`` gave."""

    def __init__(self, incoming: FileIO, outgoing: FileIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._deadline: float | None = None

    def allow(self, seconds: float) -> None:
        """From now on. Not on Windows, which cannot wait for a pipe; Azure runs Python on Linux alone."""
        if sys.platform != "win32":
            self._deadline = time.monotonic() + seconds
            os.set_blocking(self._outgoing.fileno(), False)

    def send(self, text: Mapping[str, object], data: bytes = b"") -> None:
        """All in one write where it fits, so that the other side wakes once."""
        encoded = json.dumps(text).encode()
        left = memoryview(b"".join((_SIZES.pack(len(encoded), len(data)), encoded, data)))
        while left:
            self._wait(self._outgoing, writing=True)
            left = left[self._outgoing.write(left) or 0 :]

    def receive(self, most_bytes: int) -> tuple[Mapping[str, Any], bytearray]:
        """The next object and its bytes, ``most_bytes`` at most. Raises ``Broken`` too."""
        text_bytes, data_bytes = _SIZES.unpack(self._read(_SIZES.size))
        if text_bytes > _MOST_JSON_BYTES or data_bytes > most_bytes:
            raise Broken
        try:
            return json.loads(self._read(text_bytes)), self._read(data_bytes)
        except (ValueError, RecursionError) as error:
            raise Broken from error

    def close(self) -> None:
        self._incoming.close()
        self._outgoing.close()

    def _read(self, count: int) -> bytearray:
        content = bytearray(count)
        left = memoryview(content)
        while left:
            self._wait(self._incoming)
            received = self._incoming.readinto(left)
            if not received:
                raise Broken
            left = left[received:]
        return content

    def _wait(self, end: FileIO, *, writing: bool = False) -> None:
        if self._deadline is not None and sys.platform != "win32":
            poll = select.poll()
            poll.register(end, select.POLLOUT if writing else select.POLLIN)
            if not poll.poll(1_000 * max(self._deadline - time.monotonic(), 0.0)):
                raise TimeoutError


def refused(refusal: RecordingRefused) -> dict[str, object]:
    arguments = {name: value for name, value in vars(refusal).items() if name != "measured"}
    return {"kind": "refused", "type": type(refusal).__name__, "arguments": arguments}


def refusal(text: Mapping[str, Any]) -> RecordingRefused:
    """Raises ``KeyError`` or ``TypeError`` where it is none."""
    return _REFUSALS[text["type"]](**text["arguments"])
