"""The pipe to the peer, with a stand-in that speaks its language: the real one needs torch, in its own environment."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from shared.domain.recording import SAMPLE_RATE, Samples
from tools.calibration.hearing import as_wav
from tools.calibration.kept import KeptHearings
from tools.evaluation import ears
from tools.evaluation.ears import Peer
from tools.evaluation.peer_environment import PeerMissing

WORKER = """
import struct, sys
while header := sys.stdin.buffer.read(8):
    rate, count = struct.unpack("<ii", header)
    samples = struct.unpack(f"<{count}f", sys.stdin.buffer.read(4 * count))
    answer = [float(rate), float(count)] if max(samples) > 0 else [0.0, 0.0]
    sys.stdout.buffer.write(struct.pack("<256f", *answer, *[0.0] * 254))
    sys.stdout.buffer.flush()
"""


@pytest.fixture
def kept(tmp_path: Path) -> KeptHearings:
    return KeptHearings(tmp_path / "heard")


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    (folder / "peer_worker.py").write_text(program)
    monkeypatch.setattr(ears, "WORKER", folder / "peer_worker.py")
    monkeypatch.setattr(ears, "peer_python", lambda otherwise: Path(sys.executable))


def tone(seconds: float) -> Samples:
    return np.asarray(0.1 * np.sin(np.arange(round(seconds * SAMPLE_RATE)) / 10), np.float32)


def test_each_recording_is_asked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: KeptHearings) -> None:
    stand_in(monkeypatch, tmp_path, WORKER)
    with Peer(kept) as peer:
        first, second = (peer.hear(as_wav(tone(seconds))) for seconds in (1.0, 2.0))
    assert first.embedding is not None
    assert second.embedding is not None
    assert first.embedding[:2].tolist() == [16_000, 16_000]
    assert second.embedding[:2].tolist() == [16_000, 32_000]
    stand_in(monkeypatch, tmp_path, "raise SystemExit(1)")
    with Peer(kept) as peer:
        again = peer.hear(as_wav(tone(1.0))).embedding
    assert again is not None
    assert again.tolist() == first.embedding.tolist()


def test_silence_is_no_speech(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: KeptHearings) -> None:
    stand_in(monkeypatch, tmp_path, WORKER)
    with Peer(kept) as peer:
        heard = peer.hear(as_wav(np.zeros(SAMPLE_RATE, np.float32)))
    assert (heard.embedding, heard.refusal) == (None, "NoSpeech")


def test_a_peer_that_ends_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: KeptHearings) -> None:
    stand_in(monkeypatch, tmp_path, "import sys; sys.stdin.buffer.read(8)")
    with Peer(kept) as peer, pytest.raises(PeerMissing, match="ended while it was asked"):
        peer.hear(as_wav(tone(0.1)))
