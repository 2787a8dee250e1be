"""The systems that are measured: bytes of a recording in, embedding out, and what was heard once is kept."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final

import numpy as np
import soundfile

from shared.audio.quality import MIN_SNR_DB
from shared.domain.limits import V2021_SHORT_SPEECH, AudioRules
from tools.calibration.hearing import FULL, Heard, Pipeline
from tools.calibration.kept import KeptHearings
from tools.evaluation.peer_environment import PeerMissing, peer_python

WORKER: Final = Path(__file__).with_name("peer_worker.py")
PEER: Final = "Resemblyzer 0.1.4"
DIMENSION: Final = 256

Ear = Callable[[bytes], Heard]


def our_ear(pipeline: Pipeline, kept: KeptHearings, rules: AudioRules = V2021_SHORT_SPEECH) -> Ear:
    """The service, with the rules of its latest generation. Noise refuses last, and what was heard is kept without."""
    any_noise = replace(rules, min_snr_db=MIN_SNR_DB)

    def hear(body: bytes) -> Heard:
        heard = _once(kept, f"{pipeline.fingerprint} {any_noise}", body, pipeline_hears)
        too_noisy = not heard.refusal and heard.snr_db < rules.min_snr_db
        return replace(heard, embedding=None, refusal="AudioTooNoisy") if too_noisy else heard

    def pipeline_hears(body: bytes) -> Heard:
        return pipeline.hear(body, any_noise)[0]

    return hear


class Peer:
    """Resemblyzer in a process of its own, started at the first recording that is not kept."""

    def __init__(self, kept: KeptHearings) -> None:
        self._kept = kept
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = Lock()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.communicate(timeout=30)

    def hear(self, body: bytes) -> Heard:
        """Seconds are 1: Resemblyzer averages a speaker's recordings without weights."""
        return _once(self._kept, PEER, body, self._ask)

    def _ask(self, body: bytes) -> Heard:
        with self._asking:
            return self._answer(body)

    def _answer(self, body: bytes) -> Heard:
        samples, rate = soundfile.read(io.BytesIO(body), dtype="float32")
        if self._process is None:
            command = [str(peer_python(", or leave the peer out with --no-peer")), str(WORKER)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(struct.pack("<ii", rate, len(samples)) + samples.astype("<f4").tobytes())
        process.stdin.flush()
        embedding = np.frombuffer(process.stdout.read(4 * DIMENSION), "<f4")
        if len(embedding) != DIMENSION:
            raise PeerMissing(f"{PEER} ended while it was asked; see its message above.")
        heard_nothing = not embedding.any()
        return Heard(FULL, refusal="NoSpeech") if heard_nothing else Heard(FULL, embedding, 1.0, 1.0)


def _once(kept: KeptHearings, system: str, body: bytes, ear: Ear) -> Heard:
    key = hashlib.sha256(f"{system} {hashlib.sha256(_steady(body)).hexdigest()}".encode()).hexdigest()
    found = kept.get(key)
    if found is None:
        found = [ear(body)]
        kept.put(key, found)
    return found[0]


def _steady(body: bytes) -> bytes:
    """Without what differs each time that an Ogg stream is written: its pages' serial numbers, and their checksums."""
    if not body.startswith(b"OggS"):
        return body
    pages, start = [], 0
    while start < len(body):
        lacing = body[start + 27 : start + 27 + body[start + 26]]
        end = start + 27 + len(lacing) + sum(lacing)
        pages += [body[start : start + 14], body[start + 18 : start + 22], body[start + 26 : end]]
        start = end
    return b"".join(pages)
