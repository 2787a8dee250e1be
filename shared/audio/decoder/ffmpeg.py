"""Codecs that libsndfile does not know, read by FFmpeg where the media extra is installed (requirements-media.txt).

FFmpeg knows hundreds of formats; the container is named to it, and the codecs that recorders write are all that it may
open.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.audio.formats import Container
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
_FRAME_SAMPLES: Final = 4_096  # of each channel, in the longest frame that recorders write: ALAC's


class FFmpegSound:
    """A ``reader.Sound``. ``ImportError`` where the extra is not installed, ``KeyError`` for a container that FFmpeg
    is not asked about, ``AudioUnreadable`` where it cannot read the data."""

    frames: int | None = None

    def __init__(self, body: bytes, container: Container) -> None:
        demuxer = _DEMUXERS[container]
        import av  # the extra, and large

        av.logging.set_level(None)
        self._av: Any = av
        try:
            self._file: Any = av.open(io.BytesIO(body), format=demuxer, metadata_errors="replace")
        except av.FFmpegError as error:
            raise _damaged(container) from error
        self._stream: Any = next((stream for stream in self._file.streams.audio if _codec(stream) in _CODECS), None)
        if self._stream is None:
            raise AudioUnreadable(f"The {container} file has no audio in a known codec.")
        self._stream.thread_type = "NONE"
        codec = self._stream.codec_context
        codec.thread_count = 1
        self.format = AudioFormat(str(container), _CODECS[codec.codec.name], codec.sample_rate, codec.channels)

    def blocks(self, frames: int) -> Iterator[npt.NDArray[np.float32]]:
        decoded = self._decoded()
        while block := list(islice(decoded, max(1, frames // _FRAME_SAMPLES))):
            yield np.concatenate(block)

    def _decoded(self) -> Iterator[npt.NDArray[np.float32]]:
        """Frame by frame, shape [samples, channels]."""
        planes = self._av.AudioResampler(format="fltp")
        try:
            for frame in self._file.decode(self._stream):
                if (frame.sample_rate, frame.layout.nb_channels) != (self.format.sample_rate, self.format.channels):
                    raise AudioUnreadable("The recording changes its rate or channels on the way.")
                for floats in planes.resample(frame):
                    yield floats.to_ndarray().T
        except self._av.FFmpegError as error:
            raise _damaged(self.format.container) from error


def _codec(stream: Any) -> str | None:
    """``None`` where FFmpeg has no decoder for it."""
    return stream.codec_context.codec.name if stream.codec_context is not None else None


def _damaged(container: str) -> AudioUnreadable:
    return AudioUnreadable(
        f"The {container} data cannot be decoded: it is damaged, cut off, or in an unknown encoding."
    )
