"""What to do with a recording that is not decoded here."""

from __future__ import annotations


def as_wav(received: str, ending: str) -> str:
    """``received`` with the line that converts it; ``ending`` is that of such files."""
    return f"{received}; convert it first: ffmpeg -i recording.{ending} -ar 16000 -c:a pcm_s16le converted.wav"
