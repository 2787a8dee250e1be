"""Decoding as the service does it, against libsndfile and the resampler in this process.

Plain WAV is read by our own parser; every other format goes through a process of its own, whose price this shows.
"""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import soundfile
import soxr

from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.domain.recording import SAMPLE_RATE
from tests.performance.bare import timed
from tests.performance.figures import Cell, Result, Table, milliseconds
from tests.performance.recordings import material
from tests.performance.serving import Run

FORMATS = {
    "WAV, 16 kHz": ("WAV", "PCM_16", 16_000),
    "WAV, 8 kHz mu-law": ("WAV", "ULAW", 8_000),
    "FLAC": ("FLAC", "PCM_16", 16_000),
    "Opus, 48 kHz": ("OGG", "OPUS", 48_000),
    "MP3": ("MP3", "MPEG_LAYER_III", 16_000),
}
REPETITIONS, QUICK_REPETITIONS, WARM_UP = 200, 5, 3


def measured(run: Run) -> Result:
    decoders = Decoders(1)
    rows: list[list[Cell]] = []
    for name, (container, subtype, rate) in FORMATS.items():
        for seconds in (4, 10):
            body = _encoded(material().speech[seconds], container, subtype, rate)
            service = partial(decode, body, "audio/wav", min_seconds=0.1, max_seconds=300.0, decoders=decoders)
            # The first turns start the process and fill caches.
            turns = range(-WARM_UP, QUICK_REPETITIONS if run.quick else REPETITIONS)
            pairs = [(timed(service), timed(partial(_in_process, body))) for _ in turns][WARM_UP:]
            ours, library = ([pair[side] for pair in pairs] for side in (0, 1))
            excess = milliseconds([over - under for over, under in pairs])
            rows.append([name, seconds, milliseconds(ours), milliseconds(library), excess])
    header = ["format", "seconds", "service", "libsndfile", "difference"]
    note = "ms, p50, in turns; libsndfile is soundfile.read and soxr in this process, without any bounds."
    return Result([Table("Decoding", header, rows, note)])


def _encoded(wav: bytes, container: str, subtype: str, rate: int) -> bytes:
    samples, _ = soundfile.read(io.BytesIO(wav), dtype="float32")
    file = io.BytesIO()
    soundfile.write(file, soxr.resample(samples, SAMPLE_RATE, rate), rate, format=container, subtype=subtype)
    return file.getvalue()


def _in_process(body: bytes) -> object:
    samples, rate = soundfile.read(io.BytesIO(body), dtype="float32", always_2d=True)
    resampled = samples if rate == SAMPLE_RATE else soxr.resample(samples, rate, SAMPLE_RATE)
    return np.clip(resampled.mean(axis=1), -1.0, 1.0)
