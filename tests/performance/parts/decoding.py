"""Decoding as the service does it, beside libsndfile and the resampler in this process.

Plain WAV is read by our own parser; every other format goes through a process of its own, whose price this shows.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import soundfile
import soxr

from shared.audio.decode import decode
from shared.audio.decoder.pool import Decoders
from shared.domain.recording import SAMPLE_RATE
from tests.performance.figures import Cell, Times
from tests.performance.reporting.found import Found, Run, Table

FORMATS = {
    "WAV, 16 kHz": ("WAV", "PCM_16", 16_000),
    "WAV, 8 kHz mu-law": ("WAV", "ULAW", 8_000),
    "FLAC": ("FLAC", "PCM_16", 16_000),
    "Opus, 48 kHz": ("OGG", "OPUS", 48_000),
    "MP3": ("MP3", "MPEG_LAYER_III", 16_000),
}
SECONDS = (4, 10)
REPETITIONS, QUICK_REPETITIONS = 200, 5
MAX_SECONDS = 300.0


def measured(run: Run) -> Found:
    decoders = Decoders(1)
    rows: list[list[Cell]] = []
    for name, (container, subtype, rate) in FORMATS.items():
        for seconds in SECONDS:
            run.say(f"{name}, {seconds} s")
            body = _encoded(run.spoken.speech[seconds], container, subtype, rate)
            by_service = partial(decode, body, "audio/wav", min_seconds=0.1, max_seconds=MAX_SECONDS, decoders=decoders)
            ways: dict[str, Callable[[], object]] = {
                "service": by_service,
                "library": partial(_in_process, body),
            }
            times = _in_turns(ways, QUICK_REPETITIONS if run.quick else REPETITIONS)
            ours, library = times["service"], times["library"]
            rows.append([name, seconds, ours.p50, ours.p95, library.p50, ours.p50 - library.p50])
    header = ["format", "seconds", "service p50", "service p95", "libsndfile p50", "difference"]
    note = "ms, in turns; libsndfile: soundfile.read and soxr in this process, without any bounds"
    return Found([Table("Decoding", header, rows, note)])


def _encoded(wav: bytes, container: str, subtype: str, rate: int) -> bytes:
    samples, _ = soundfile.read(io.BytesIO(wav), dtype="float32")
    file = io.BytesIO()
    soundfile.write(file, soxr.resample(samples, SAMPLE_RATE, rate), rate, format=container, subtype=subtype)
    return file.getvalue()


def _in_process(body: bytes) -> object:
    samples, rate = soundfile.read(io.BytesIO(body), dtype="float32", always_2d=True)
    resampled = samples if rate == SAMPLE_RATE else soxr.resample(samples, rate, SAMPLE_RATE)
    return np.clip(resampled.mean(axis=1), -1.0, 1.0)


def _in_turns(ways: dict[str, Callable[[], object]], repetitions: int) -> dict[str, Times]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for repetition in range(-3, repetitions):  # the first ones start the process and fill caches
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            if repetition >= 0:
                seconds[name].append(time.perf_counter() - started)
    return {name: Times.of_seconds(taken) for name, taken in seconds.items()}
