"""A decoder process: decodes one body after the other until its parent goes. ``pool.py`` starts it.

Its input and output are pipes to the parent. What libraries print goes nowhere.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from io import FileIO
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from shared.audio.advice import as_wav
from shared.audio.containers import caf, mp4, mpeg, webm
from shared.audio.decoder import pipes
from shared.audio.decoder.confinement import Memory, ProcessorTime, confine
from shared.audio.decoder.ffmpeg import Media
from shared.audio.decoder.libsndfile import Sndfile
from shared.audio.reader import Bounds, Reader, Sound
from shared.audio.sniff import SUPPORTED, Container
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable, RecordingRefused
from shared.domain.limits import MAX_BODY_BYTES
from shared.domain.recording import SAMPLE_RATE

_PIECE_FRAMES: Final = 8 * SAMPLE_RATE
"""At 16 kHz, of a long recording, that are sent before the next is decoded."""

MOST_BODY_BYTES: Final = MAX_BODY_BYTES + 1024
"""A body whose WAV header was written anew may be a little longer."""


def main() -> None:
    requests, replies = FileIO(os.dup(0), "rb"), FileIO(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for taken in (0, 1, 2):
        os.dup2(nowhere, taken)
    confine()
    memory = Memory()
    try:
        pipes.send(replies, pipes.Kind.READY, {})
        while not _served_last(requests, replies, memory):
            pass
    except (pipes.Broken, OSError):  # the parent is gone
        return


def _served_last(requests: FileIO, replies: FileIO, memory: Memory) -> bool:
    """Decode the next body; whether it was the last, of which the parent hears with the answer."""
    frame = pipes.receive(requests, MOST_BODY_BYTES)
    container, bounds, body = Container(frame.text["container"]), Bounds(*frame.text["bounds"]), bytes(frame.data)
    del frame
    time = ProcessorTime()
    data: Sequence[memoryview] = ()
    try:
        text, *data = _decoded(body, container, bounds, replies, time, memory)
        kind = pipes.Kind.DONE
    except RecordingRefused as refusal:
        kind, text = pipes.Kind.REFUSED, pipes.refusal_text(refusal)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  the parent writes it down; the body is refused
        places = [f"{place.name}:{place.lineno}" for place in reversed(traceback.extract_tb(error.__traceback__))]
        kind, text = pipes.Kind.DEFECT, {"type": type(error).__name__, "at": " < ".join(places)[:1000]}
    finally:
        time.stop()
    last = memory.is_spent()
    pipes.send(replies, kind, {**text, "last": last}, *data)
    return last


def _decoded(
    body: bytes, container: Container, bounds: Bounds, replies: FileIO, time: ProcessorTime, memory: Memory
) -> tuple[dict[str, object], memoryview, memoryview]:
    """What the last frame has. Pieces of a long recording are sent on the way."""
    try:
        sound = _opened(body, container, bounds.max_seconds, memory)
        reader, samples = Reader(sound, bounds), 0
        waiting: list[npt.NDArray[np.float32]] = []
        for block in reader.blocks():
            if sum(len(piece) for piece in waiting) >= _PIECE_FRAMES:
                pipes.send(replies, pipes.Kind.SAMPLES, *_piece(waiting))
                waiting = []
            samples += len(block)
            waiting.append(block)
            time.decoded(samples / SAMPLE_RATE)
        text, piece = _piece(waiting)
        return {**text, "format": vars(sound.format)}, piece, np.packbits(reader.clipped()).data
    except soundfile.LibsndfileError as error:
        raise AudioUnreadable(
            f"The {container} data cannot be decoded: it is damaged, cut off, or in an encoding that is not supported."
        ) from error
    except MemoryError as error:
        raise AudioUnreadable(f"The {container} data asks for more memory than any recording takes.") from error


def _piece(blocks: list[npt.NDArray[np.float32]]) -> tuple[dict[str, object], memoryview]:
    filled = [block for block in blocks if len(block)] or blocks[:1]
    piece = np.ascontiguousarray(filled[0] if len(filled) == 1 else np.concatenate(filled))
    return {"frames": len(piece), "channels": piece.shape[1]}, piece.data


def _opened(body: bytes, container: Container, max_seconds: float, memory: Memory) -> Sound:
    try:
        content = _readable(body, container, max_seconds)
    except AudioFormatUnsupported as refusal:
        return _by_ffmpeg(body, container, memory, refusal)
    return Sndfile(content, str(container)) if isinstance(content, bytes) else content


def _readable(body: bytes, container: Container, max_seconds: float) -> bytes | Sound:
    """What libsndfile reads, or samples that need no decoding."""
    match container:
        case Container.WEBM:
            return webm.opened(body, max_seconds)
        case Container.CAF:
            return caf.opened(body, max_seconds)
        case Container.MP4:
            return mp4.opened(body, max_seconds)
        case Container.ADTS:
            raise AudioFormatUnsupported(as_wav("AAC (ADTS)", "aac"), SUPPORTED)
        case Container.AMR:
            raise AudioFormatUnsupported(
                as_wav("AMR-WB" if body.startswith(b"#!AMR-WB") else "AMR-NB", "amr"), SUPPORTED
            )
        case Container.FLAC:
            return body[mpeg.behind_tags(body) :]
        case Container.MP3:
            return body[mpeg.mp3_start(body) or 0 :]
        case _:
            return body


def _by_ffmpeg(body: bytes, container: Container, memory: Memory, refusal: AudioFormatUnsupported) -> Sound:
    """Where the media extra is installed. Raises the refusal where it is not, or does not know the container."""
    memory.unbound()  # the libraries are larger than any recording
    try:
        return Media(body, container)
    except (ImportError, KeyError) as error:
        raise refusal from error
    finally:
        memory.bound()
