"""Recordings that libsndfile decodes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import soundfile

from shared.domain.errors import AudioFormatUnsupported
from shared.domain.recording import AudioFormat

_FORMATS: Final = frozenset({"WAV", "WAVEX", "W64", "FLAC", "OGG", "MP3", "AIFF", "CAF", "AU"})
"""libsndfile's names of what it may find behind our own signature check. It knows more formats than are meant here."""
_BELIEVED_SECONDS: Final = 86_400.0
"""A longer recording does not fit into a body. libsndfile's count is near 2^63 frames where the file does not tell, as
in a FLAC stream written to a pipe."""
_FLAC_LOST: Final = frozenset({158, 161})  # libsndfile's SFE_FLAC_LOST_SYNC and SFE_FLAC_UNKOWN_ERROR


class _Bytes(io.BytesIO):
    """Stays where it is when asked to go nowhere: a damaged header can send libsndfile before the first byte.

    An exception could not pass through libsndfile's callback; it would be printed and lost.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Reads without seeking. The base class seeks after each block, which is slow in MP3 and fails in endless FLAC."""

    def seekable(self) -> bool:
        return False


class Sndfile:
    """A ``reader.Sound``. ``soundfile.LibsndfileError`` where libsndfile cannot read it."""

    def __init__(self, content: bytes, container: str) -> None:
        self._bytes, self._size = _Bytes(content), len(content)
        self._sound: Any = _ForwardOnly(self._bytes)
        if self._sound.format not in _FORMATS:
            raise AudioFormatUnsupported(str(self._sound.format), container)
        self.format = AudioFormat(str(container), self._sound.subtype, self._sound.samplerate, self._sound.channels)
        frames = int(self._sound.frames)
        guessed = self._sound.format == "MP3" or frames > _BELIEVED_SECONDS * self.format.sample_rate
        self.frames = None if guessed else frames

    def blocks(self, frames: int) -> Iterator[npt.NDArray[np.float32]]:
        frames = min(frames, max(1, frames if self.frames is None else self.frames))
        while len(block := self._block(frames)):
            yield block
            if len(block) < frames:
                return

    def _block(self, frames: int) -> npt.NDArray[np.float32]:
        block = np.empty((frames, self.format.channels), dtype=np.float32)
        is_flac = self._sound.format == "FLAC"
        if is_flac:
            block[:, 0] = np.nan
        try:
            return np.asarray(self._sound.read(out=block))
        except soundfile.LibsndfileError as error:
            if not (is_flac and error.code in _FLAC_LOST and self._bytes.tell() == self._size):
                raise
        # A FLAC that is cut off, in the middle of a frame: those before it are in the block.
        return block[: int(np.argmax(np.isnan(block[:, 0])))]
