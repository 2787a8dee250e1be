"""The kinds of files, and the refusals that name a kind."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from shared.domain.errors import AudioFormatUnsupported, AudioUnreadable

SUPPORTED: Final = "WAV, FLAC, Ogg (Vorbis or Opus), MP3, AIFF, CAF, AU, WebM (Opus or PCM) or MP4 (Opus)"


class Container(StrEnum):
    """What is recognised as audio; the values are for messages."""

    WAV = "WAV"
    RF64 = "RF64"
    BW64 = "BW64"
    W64 = "W64"
    FLAC = "FLAC"
    OGG = "Ogg"
    MP3 = "MP3"
    AIFF = "AIFF"
    CAF = "CAF"
    AU = "AU"
    WEBM = "WebM"
    MP4 = "MP4"
    ADTS = "ADTS"
    AMR = "AMR"


def not_decoded(received: str, ending: str, supported: str = SUPPORTED) -> AudioFormatUnsupported:
    """The refusal of a file that is not decoded here, with the line that converts it; such files end in ``ending``."""
    advice = f"convert it first: ffmpeg -i recording.{ending} -ar 16000 -c:a pcm_s16le converted.wav"
    return AudioFormatUnsupported(f"{received}; {advice}", supported)


def later_piece(container: str) -> AudioUnreadable:
    """The refusal of a recorder's later piece: only the first has the header that all of them need."""
    return AudioUnreadable(
        f"The body is a later piece of a recording ({container}): only the first piece has the header. Send the "
        "recorder's pieces joined, in order, or start a recorder of its own for each."
    )
