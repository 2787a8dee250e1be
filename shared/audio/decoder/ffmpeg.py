"""Codecs that libsndfile does not know, read by FFmpeg where the media extra is installed (requirements-media.txt).

Only a decoder process imports this: ``child.py``. FFmpeg knows hundreds of formats; the container is named to it, and
the codecs that recorders write are all that it may open.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.audio.sniff import Container
from shared.domain.errors import AudioUnreadable
from shared.domain.recording import AudioFormat

_DEMUXERS: Final = {
    Container.MP4: "mov", Container.ADTS: "aac", Container.AMR: "amr", Container.CAF: "caf",
    Container.WEBM: "matroska",
}  # fmt: skip
_CODECS: Final = {
    "aac": "AAC", "alac": "ALAC", "amrnb": "AMR_NB", "amr_nb": "AMR_NB", "amrwb": "AMR_WB", "amr_wb": "AMR_WB",
    "mp3": "MPEG_LAYER_III", "mp3float": "MPEG_LAYER_III", "vorbis": "VORBIS", "flac": "FLAC",
}  # fmt: skip
"""FFmpeg's name of a decoder to the name that messages show, in libsndfile's manner."""
_FULL_SCALES: Final = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31}


class Media:
    """A ``reader.Sound``. ``ImportError`` where the extra is not installed, ``KeyError`` for a container that FFmpeg
    is not asked about, ``AudioUnreadable`` where it cannot read the data."""

    def __init__(self, body: bytes, container: Container) -> None:
        demuxer = _DEMUXERS[container]
        import av  # the extra, and large

        av.logging.set_level(None)
        self._av: Any = av
        try:
            self._file: Any = av.open(io.BytesIO(body), format=demuxer, metadata_errors="replace")
        except av.FFmpegError as error:
            raise _damaged(container) from error
        streams = self._file.streams.audio
        known = next((stream for stream in streams if _codec(stream) in _CODECS), None)
        if known is None:
            raise AudioUnreadable(f"The {container} file has no audio in a known codec.")
        self._stream: Any = known
        self._stream.thread_type = "NONE"
        self._stream.codec_context.thread_count = 1
        codec = self._stream.codec_context
        self.format = AudioFormat(str(container), _CODECS[codec.codec.name], codec.sample_rate, codec.channels)
        self.frames = None

    def blocks(self, frames: int) -> Iterator[npt.NDArray[np.float32]]:
        waiting: list[npt.NDArray[np.float32]] = []
        count = 0
        for block in self._decoded():
            waiting.append(block)
            count += len(block)
            if count >= frames:
                yield np.concatenate(waiting)
                waiting, count = [], 0
        if waiting:
            yield np.concatenate(waiting)

    def _decoded(self) -> Iterator[npt.NDArray[np.float32]]:
        try:
            for decoded in self._file.decode(self._stream):
                yield self._floats(decoded)
        except self._av.FFmpegError as error:
            raise _damaged(self.format.container) from error

    def _floats(self, decoded: Any) -> npt.NDArray[np.float32]:
        """One frame of FFmpeg's, [samples, channels]: planar ones come as [channels, samples], others as [1, all]."""
        channels = self.format.channels
        if decoded.sample_rate != self.format.sample_rate or decoded.layout.nb_channels != channels:
            raise AudioUnreadable("The recording changes its rate or channels on the way.")
        values = decoded.to_ndarray()
        values = values.T if decoded.format.is_planar else values.reshape(-1, channels)
        scale = _FULL_SCALES.get(decoded.format.name.removesuffix("p"))
        if scale is None:
            return np.ascontiguousarray(values, dtype=np.float32)
        unsigned = decoded.format.name.startswith("u8")
        return np.ascontiguousarray((values.astype(np.float32) - (scale if unsigned else 0.0)) / np.float32(scale))


def _codec(stream: Any) -> str | None:
    """``None`` where FFmpeg has no decoder for it."""
    return stream.codec_context.codec.name if stream.codec_context is not None else None


def _damaged(container: str) -> AudioUnreadable:
    return AudioUnreadable(
        f"The {container} data cannot be decoded: it is damaged, cut off, or in an unknown encoding."
    )
