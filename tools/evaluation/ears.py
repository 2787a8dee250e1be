"""The systems that are measured: bytes of a recording in, embedding out, and what was heard once is kept."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final

import numpy as np
import soundfile

from shared.domain.limits import V2021_SHORT_SPEECH
from tools.calibration.hearing import FULL, Heard, Pipeline
from tools.calibration.kept import KeptHearings
from tools.evaluation.peer_environment import PeerMissing, peer_python

WORKER: Final = Path(__file__).with_name("peer_worker.py")
PEER: Final = "Resemblyzer 0.1.4"
DIMENSION: Final = 256

Ear = Callable[[bytes], Heard]


def our_ear(pipeline: Pipeline, kept: KeptHearings) -> Ear:
    """The service, with the rules of its latest generation."""

    def hear(body: bytes) -> Heard:
        return _once(kept, f"{pipeline.fingerprint} {V2021_SHORT_SPEECH}", body, pipeline_hears)

    def pipeline_hears(body: bytes) -> Heard:
        return pipeline.hear(body, V2021_SHORT_SPEECH)[0]

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
    key = hashlib.sha256(f"{system} {hashlib.sha256(body).hexdigest()}".encode()).hexdigest()
    found = kept.get(key)
    if found is None:
        found = [ear(body)]
        kept.put(key, found)
    return found[0]
