"""Directions in which an encoder's states tell sounds are found in recordings whose sounds are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tools.models.phrase_states import FIRST_SECONDS, STEP_SECONDS, Stretch, directions, read

FRAMES_OF_SOUND = 18


def recording(order: list[int], voice: float) -> tuple[npt.NDArray[np.float32], list[Stretch]]:
    """States of which the first number tells the sound and the second, louder, the voice."""
    random = np.random.default_rng(int(voice))
    loudness = voice * random.choice((-1.0, 1.0), len(order) * FRAMES_OF_SOUND)
    sounds = np.repeat(order, FRAMES_OF_SOUND).astype(np.float64)
    states = np.stack([sounds, loudness, *random.normal(0.0, 0.1, (38, len(sounds)))], axis=1)
    starts = FIRST_SECONDS - STEP_SECONDS / 2 + STEP_SECONDS * FRAMES_OF_SOUND * np.arange(len(order))
    stretches = [
        Stretch(at, at + STEP_SECONDS * FRAMES_OF_SOUND, str(sound)) for at, sound in zip(starts, order, strict=True)
    ]
    return np.asarray(states, np.float32), stretches


def test_the_direction_of_sounds_is_found_beside_a_louder_one_of_voices() -> None:
    first = directions([recording([0, 1, 2, 3, 1, 0], 20.0), recording([3, 2, 1, 0, 2, 3], 30.0)])[:, 0]
    assert abs(first[0]) / np.linalg.norm(first) > 0.95


def test_what_has_no_sound_counts_for_nothing() -> None:
    states, stretches = recording([0, 1, 2, 3], 20.0)
    known = directions([(states, stretches)])
    more = np.concatenate([states, np.full((50, states.shape[1]), 1e3, np.float32)])
    assert directions([(more, stretches)]) == pytest.approx(known)


def test_the_manifest_has_a_line_for_each_sound(tmp_path: Path) -> None:
    manifest = tmp_path / "sounds.csv"
    manifest.write_text("path,start,end,sound\na.wav,0,0.1,AH\nb.wav,0,0.2,S\na.wav,0.1,0.25,T\n", encoding="utf-8")
    assert read(manifest) == {
        "a.wav": [Stretch(0.0, 0.1, "AH"), Stretch(0.1, 0.25, "T")],
        "b.wav": [Stretch(0.0, 0.2, "S")],
    }
