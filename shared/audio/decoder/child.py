"""A decoder process: decodes one body after the other until its parent goes. ``pool.py`` starts it.

Its input and output are pipes to the parent. What libraries print goes nowhere.
"""

from __future__ import annotations

import os
import traceback
from io import FileIO
from typing import Final

import numpy as np
import soundfile

from shared.audio.containers import caf, mp4, mpeg, webm
from shared.audio.decoder.confinement import Memory, ProcessorTime, forbid_files
from shared.audio.decoder.ffmpeg import FFmpegSound
from shared.audio.decoder.libsndfile import Sndfile
from shared.audio.decoder.pipes import Broken, Pipe, refused
from shared.audio.formats import Container, not_decoded
from shared.audio.reader import Bounds, Floats, Sound, pass_on
from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable, RecordingRefused
from shared.domain.limits import MAX_BODY_BYTES
from shared.domain.recording import SAMPLE_RATE

_MOST_BODY_BYTES: Final = MAX_BODY_BYTES + 1024  # a body whose WAV header was written anew may be a little longer


def main() -> None:
    pipe = Pipe(FileIO(os.dup(0), "rb"), FileIO(os.dup(1), "wb"))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    forbid_files()
    memory = Memory()
    try:
        pipe.send({"kind": "ready"})
        _serve(pipe, memory)
        while not memory.is_spent():
            _serve(pipe, memory)
    except Broken:  # the parent is gone
        return


def _serve(pipe: Pipe, memory: Memory) -> None:
    """Decode the next body."""
    text, data = pipe.receive(_MOST_BODY_BYTES)
    container, bounds, body = Container(text["container"]), Bounds(*text["bounds"]), bytes(data)
    del data
    processor_time = ProcessorTime()

    def take(block: Floats) -> None:
        if len(block):
            pipe.send({"kind": "samples"}, block.tobytes())
        processor_time.extend(len(block) / SAMPLE_RATE)

    clipped = b""
    try:
        sound = _open(body, container, bounds.max_seconds, memory)
        clipped = np.packbits(pass_on(sound, bounds, take)).tobytes()
        answer: dict[str, object] = {"kind": "done", "format": vars(sound.format)}
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  the body is refused, and the parent writes a defect down
        answer = _answer(container, error)
    finally:
        processor_time.stop()
    pipe.send(answer, clipped)


def _answer(container: Container, error: Exception) -> dict[str, object]:
    if isinstance(error, RecordingRefused):
        return refused(error)
    if isinstance(error, soundfile.LibsndfileError):
        why = "cannot be decoded: it is damaged, cut off, or in an encoding that is not supported."
    elif isinstance(error, MemoryError):
        why = "asks for more memory than any recording takes."
    else:
        places = [f"{place.name}:{place.lineno}" for place in reversed(traceback.extract_tb(error.__traceback__))]
        return {"kind": "defect", "type": type(error).__name__, "at": " < ".join(places)[:1000]}
    return refused(AudioUnreadable(f"The {container} data {why}"))


def _open(body: bytes, container: Container, max_seconds: float, memory: Memory) -> Sound:
    """By libsndfile, or by FFmpeg what is not for it where the media extra is installed."""
    try:
        content = _readable(body, container, max_seconds)
    except AudioFormatUnsupported as refusal:
        memory.unbound()  # FFmpeg's libraries are larger than any recording
        try:
            return FFmpegSound(body, container)
        except (ImportError, KeyError):
            raise refusal from None
        finally:
            memory.bound()
    return Sndfile(content, container) if isinstance(content, bytes) else content


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
            raise not_decoded("AAC (ADTS)", "aac")
        case Container.AMR:
            raise not_decoded("AMR-WB" if body.startswith(b"#!AMR-WB") else "AMR-NB", "amr")
        case Container.FLAC:
            return body[mpeg.behind_tags(body) :]
        case Container.MP3:
            return body[mpeg.mp3_start(body) or 0 :]
        case _:
            return body
