"""The kept takes are complete and small, and a missing one says how to add it."""

from __future__ import annotations

import pytest
import soundfile

from tests.speech.make import FOLDER, RATE, path_of
from tests.voices import PASSPORT, flite

MAX_BYTES = 5_200_000


def test_every_take_is_named_by_what_it_says() -> None:
    for path in FOLDER.glob("*.flac"):
        voice, pace, _ = path.name.split("-", 2)
        with soundfile.SoundFile(path) as file:
            assert (file.samplerate, file.channels, file.subtype) == (RATE, 1, "PCM_16")
            assert path == path_of(file.title, voice, float(pace))


def test_the_takes_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.flac")) <= MAX_BYTES


def test_a_caller_may_change_what_it_was_given() -> None:
    flite(PASSPORT)[:] = 0.0
    assert flite(PASSPORT).any()


def test_a_missing_take_says_how_to_add_it() -> None:
    with pytest.raises(FileNotFoundError, match=r'python -m tests\.speech\.make "nobody said this" rms 1\.00$'):
        flite("nobody said this", "rms")
