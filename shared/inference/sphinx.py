"""pocketsphinx: the audio that a decoder gets, and what it makes of it. It is not imported before the first call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from shared.domain.recording import SAMPLE_RATE, Utterance
from shared.inference.sphinx_decoder import Decoder, Segment

FRAME_SAMPLES = 160
"""10 ms: the decoder's step."""

_PADDING_SECONDS = 0.3
"""Audio kept on each side of the speech: the model was trained on sentences between short silences."""
_LEVEL = 0.05
"""RMS of the speech that the decoder gets (-26 dBFS): quiet recordings would lose bits in its 16-bit input."""
_LOG_BASE = math.log(1.0001)
_SCORE_UNIT = 1024
"""pocketsphinx counts acoustic scores in units of 2**10 (SENSCR_SHIFT) logarithms of base 1.0001 (``-logbase``)."""


Words: TypeAlias = Sequence[Segment]
"""On a path through a grammar, without the number of their pronunciation."""


def model() -> Path:
    import pocketsphinx

    return Path(pocketsphinx.get_model_path()) / "en-us"


def around_speech(utterance: Utterance) -> slice:
    """The samples that a decoder gets: from the first to the last speech, with a margin."""
    where = np.flatnonzero(utterance.speech)
    margin = round(_PADDING_SECONDS * SAMPLE_RATE)
    return slice(max(0, int(where[0]) - margin), int(where[-1]) + 1 + margin)


def pcm16(utterance: Utterance) -> bytes:
    """From the first to the last speech with its pauses and a margin, at a fixed level, 16-bit little endian."""
    around = utterance.recording.samples[around_speech(utterance)].astype(np.float64)
    rms = math.sqrt(float(np.mean(np.square(utterance.spoken, dtype=np.float64))))
    scaled = around * (_LEVEL / rms) if rms > 0 else around
    return np.clip(np.rint(scaled * 32768), -32768, 32767).astype("<i2").tobytes()


def segments(decoder: Decoder, pcm: bytes) -> Sequence[Segment]:
    """What the decoder makes of the audio, piece by piece."""
    decoder.process(pcm)
    decoder.end()
    return decoder.segments()


def paths(decoder: Decoder, pcm: bytes) -> tuple[Words, Words]:
    """The grammar's best path wherever it has come when the audio ends, and the best to the end of a phrase."""
    decoder.process(pcm)
    so_far = _path(decoder)
    decoder.end()
    return so_far, _path(decoder)


def _path(decoder: Decoder) -> Words:
    return [
        segment._replace(word=segment.word.split("(")[0])
        for segment in decoder.segments()
        if segment.word[0] not in "<([+"  # silence, null transitions, fillers
    ]


def per_frame(word: Segment) -> float:
    """The acoustic log-likelihood. A probability underflows to zero for a long word that fits nowhere."""
    frames = word.end_frame - word.start_frame + 1
    return math.log(word.ascore) / _LOG_BASE / frames / _SCORE_UNIT if word.ascore > 0 else -math.inf
