"""Recordings of one voice and of two, and the section that is written of them."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.recording import SAMPLE_RATE
from tools.meetings.voices import trimmed
from tools.second_voices.counts import Count
from tools.second_voices.page import replaced, section, written
from tools.second_voices.recordings import (
    BEGINNING,
    FIRST_SECONDS,
    LONG,
    MOOD,
    SENTENCE,
    TURNS,
    Mixture,
    Speaker,
    halves,
    second_voices,
    single_voices,
)


def speaker(name: str, hertz: float, recordings: int, seconds: float = 4.0) -> Speaker:
    """Hums, with a pause in the middle of each recording."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    hum = 0.1 * np.sin(2.0 * np.pi * hertz * times) * (np.abs(times - seconds / 2.0) > 0.3)
    samples = np.asarray(hum, np.float32)
    return Speaker(name, "hums", "", (samples,) * recordings, (trimmed(samples),) * recordings)


PEOPLE = [speaker("l1688", 200.0, 9), speaker("l1998", 500.0, 9), speaker("a", 900.0, 1), speaker("b", 900.0, 1, 12.0)]


def strength(samples: np.ndarray, hertz: float) -> float:
    """Of a hum, in seconds of it as loud as the loudest."""
    frames = samples[: len(samples) // 1600 * 1600].reshape(-1, 1600) * np.exp(
        -2j * np.pi * hertz * np.arange(1600) / SAMPLE_RATE
    )
    levels = np.abs(frames.sum(axis=1))
    return float(levels.sum() / levels.max() * 0.1)


@pytest.fixture(scope="module")
def mixtures() -> list[Mixture]:
    return list(second_voices(PEOPLE[:2]))


def test_nobody_is_of_both_halves() -> None:
    fitting, counted = halves(PEOPLE)
    assert [one.name for one in fitting] == ["l1688", "a"]
    assert [one.name for one in counted] == ["l1998", "b"]


def test_single_voices_are_every_recording_beginnings_and_long_ones() -> None:
    kinds = [one.kind for one in single_voices(PEOPLE[1:])]
    assert {kind: kinds.count(kind) for kind in kinds} == {SENTENCE: 11, BEGINNING: 1, LONG: 2, MOOD: 2}


@pytest.mark.parametrize("kind", TURNS)
def test_a_second_voice_speaks_as_long_as_its_turns(mixtures: list[Mixture], kind: str) -> None:
    found = [one for one in mixtures if one.kind == kind]
    assert [(one.first, one.second) for one in found] == [("l1688", "l1998")] * 2 + [("l1998", "l1688")] * 2
    for one in found[:2]:
        assert strength(one.samples, 500.0) == pytest.approx(sum(TURNS[kind]), abs=0.7)
        assert FIRST_SECONDS[0] - 0.7 < strength(one.samples, 200.0) < FIRST_SECONDS[1] + 0.7


def test_the_same_mixtures_are_drawn_again(mixtures: list[Mixture]) -> None:
    again = next(second_voices(PEOPLE[:2]))
    assert (mixtures[0].samples == again.samples).all()


def test_an_interval_is_wilsons() -> None:
    assert Count(0, 300).bounds == pytest.approx((0.0, 0.01264), abs=1e-4)
    assert Count(65, 92).bounds == pytest.approx((0.6065, 0.7898), abs=1e-3)


def test_the_section_takes_the_place_of_the_one_before() -> None:
    counts = {kind: Count(1, 4) for kind in (SENTENCE, LONG, MOOD, *TURNS)}
    first, second = (section(date, 9, {"as recorded": counts}) for date in ("2026-12-01", "2026-12-02"))
    page = f"before\n\n{first}\n\nbehind\n"
    assert written(page) == first
    assert replaced(page, second) == f"before\n\n{second}\n\nbehind\n"
    assert "| **a second voice, all together** | 4 of 16: 25 % (10 to 49) |" in first
