"""Who spoke when in a short meeting of synthetic voices, through the service itself: names, the stranger, two channels.

The full meetings are measured by ``python dev.py evaluate --turns``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.domain.recording import Samples
from tools.calibration.hearing import as_wav
from tools.meetings.measures import naming
from tools.meetings.simulation import simulated, with_stranger
from tools.meetings.systems import Kept, Timbre
from tools.meetings.voices import Voice, voice

SPEECH = Path(__file__).resolve().parents[2] / "speech"
TAKES = 9


def recordings(speaker: str) -> list[Samples]:
    """The longest takes of a synthetic voice at its own pace, so that no sentence comes twice."""
    files = sorted(SPEECH.glob(f"{speaker}-1.00-*.flac"), key=lambda file: -file.stat().st_size)[:TAKES]
    return [np.asarray(soundfile.read(file, dtype="float32")[0], np.float32) for file in files]


@pytest.fixture(scope="module")
def voices() -> dict[str, Voice]:
    return {name: voice(name, recordings(name), enrolled) for name, enrolled in (("slt", 3), ("awb", 3), ("rms", 1))}


@pytest.fixture(scope="module")
def timbre(tmp_path_factory: pytest.TempPathFactory) -> Timbre:
    return Timbre(Kept(tmp_path_factory.mktemp("kept")))


def test_a_minute_of_two_enrolled_people_and_a_stranger(timbre: Timbre, voices: dict[str, Voice]) -> None:
    people = [voices["slt"], voices["awb"], voices["rms"]]
    meeting = with_stranger(simulated("minute", people, 60.0, np.random.default_rng(1)), [])
    found = timbre(meeting, as_wav(meeting.samples[0]))
    names = naming(meeting.turns, found.turns, meeting.strangers)
    assert names.right / names.enrolled > 0.85
    assert names.other / names.enrolled < 0.05
    assert names.strangers_named / names.strangers < 0.15


def test_a_call_on_two_channels_keeps_its_channels_apart(timbre: Timbre, voices: dict[str, Voice]) -> None:
    call = simulated("call", [voices["slt"], voices["awb"]], 30.0, np.random.default_rng(2), channels=2)
    found = timbre(call, as_wav(call.samples.T))
    assert {(turn.speaker, turn.channel) for turn in found.turns} == {("slt", 0), ("awb", 1)}
    names = naming(call.turns, found.turns, ())
    assert names.right / names.enrolled > 0.9
