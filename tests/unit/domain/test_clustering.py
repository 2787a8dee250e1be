"""Clusters of stretches: how alike two must be, how many there are, what is nobody's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from shared.domain import clustering
from shared.domain.clustering import Cluster, clustered, people
from shared.domain.heard_speech import HeardStretch
from shared.domain.recording import Numbers, Vector
from shared.domain.turns import MAX_SPEAKERS

RANDOM = np.random.default_rng(1)


def alike(direction: Vector, _: float, directions: Vector, __: Numbers) -> Numbers:
    """0.5 at a cosine of a half."""
    return np.asarray(1.0 / (1.0 + np.exp(-20.0 * (directions @ direction - 0.5))), np.float64)


def voices(count: int) -> Vector:
    return np.asarray(np.linalg.qr(RANDOM.normal(size=(32, count)))[0].T, np.float32)


def near(voice: Vector, noise: float = 0.3) -> Vector:
    moved = voice + noise / np.sqrt(32) * RANDOM.normal(size=32)
    return np.asarray(moved / np.linalg.norm(moved), np.float32)


def stretch(window: int, voice: Vector, seconds: float = 2.0, local: int = 0, noise: float = 0.3) -> HeardStretch:
    start = window * 296
    return HeardStretch(window, local, ((start, start + round(seconds * 59)),), seconds, {"m": near(voice, noise)})


def labels(stretches: Sequence[HeardStretch], found: Sequence[Sequence[HeardStretch]]) -> list[int | None]:
    return [next((k for k, person in enumerate(found) if one in person), None) for one in stretches]


def test_as_many_people_are_found_as_there_are() -> None:
    four = voices(4)
    said = [stretch(window, four[window % 4]) for window in range(40)]
    found = people(said, "m", alike, 1, MAX_SPEAKERS)
    told = labels(said, found)
    assert len(found) == 4
    assert all(len(set(told[number::4])) == 1 for number in range(4))


def test_many_stretches_are_clustered_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "AT_ONCE", 40)
    three = voices(3)
    said = [stretch(window, three[RANDOM.integers(3)]) for window in range(150)]
    assert len(people(said, "m", alike, 1, MAX_SPEAKERS)) == 3


def test_a_little_speech_that_is_like_nobodys_makes_no_person_of_its_own() -> None:
    three = voices(3)
    said = [*(stretch(window, three[window % 2]) for window in range(20)), stretch(21, three[2])]
    assert len(people(said, "m", alike, 1, MAX_SPEAKERS)) == 2
    assert len(people(said, "m", alike, 3, MAX_SPEAKERS)) == 3, "if it is asked for"


def test_short_stretches_follow_their_voice_and_then_their_window() -> None:
    ann, bob = voices(2)
    long = [stretch(0, ann, 4.0), stretch(0, bob, 4.0, local=1)]
    short = stretch(0, bob, 1.0, local=1)
    silent = HeardStretch(0, 1, ((500, 510),), 0.1)
    elsewhere = HeardStretch(5, 0, ((1500, 1510),), 0.1)
    said = [*long, short, silent, elsewhere]
    told = labels(said, people(said, "m", alike, 1, MAX_SPEAKERS))
    assert told[1] == told[2] == told[3] != told[0]
    assert told[4] is None


def test_what_is_heard_of_several_is_told_by_what_it_sounds_like_and_is_nobodys_who_speaks_already() -> None:
    ann, bob, eve = voices(3)
    long = [stretch(window, voice, 4.0, noise=0.0) for window, voice in enumerate((ann, bob, eve))]
    at_once = HeardStretch(0, 1, ((10, 40),), 0.0, {"m": near(0.55 * ann + 0.5 * bob, 0.0)})
    beside = HeardStretch(2, 1, ((1000, 1030),), 0.0, {"m": near(0.55 * ann + 0.5 * bob, 0.0)})
    said = [long[0], at_once, *long[1:], beside]
    told = labels(said, people(said, "m", alike, 1, MAX_SPEAKERS))
    assert told[1] == told[2], "the louder voice is heard anyway"
    assert told[4] == told[0]


def test_what_is_heard_of_several_makes_nobody() -> None:
    ann, bob = voices(2)
    mixed = HeardStretch(3, 1, ((1000, 1200),), 0.2, {"m": near(bob)})
    said = [stretch(0, ann, 4.0), mixed]
    assert [len(person) for person in people(said, "m", alike, 1, MAX_SPEAKERS)] == [2]
    assert people([mixed], "m", alike, 1, MAX_SPEAKERS) == []


def test_what_has_no_embedding_follows_its_local_speaker_or_is_nobodys() -> None:
    ann, bob = voices(2)
    long = [*(stretch(window, ann, 4.0) for window in range(3)), stretch(3, bob, 4.0)]
    own, another = HeardStretch(3, 0, ((1400, 1410),), 0.1), HeardStretch(3, 1, ((1420, 1430),), 0.1)
    said = [*long, own, another]
    told = labels(said, people(said, "m", alike, 1, MAX_SPEAKERS))
    assert told[4] == told[3]
    assert told[5] is None


def test_embeddings_that_cancel_each_other_are_like_nobody() -> None:
    voice = voices(1)[0]
    both = Cluster(2.0 * voice, 2.0, (0,)).joined(Cluster(-2.0 * voice, 2.0, (1,)))
    assert not both.direction.any()
    parts = [Cluster(sign * 2.0 * voice, 2.0, (number,)) for number, sign in enumerate((1.0, -1.0) * 10)]
    assert len(clustered(parts, lambda *_: np.full(len(_[2]), 0.99), 1, MAX_SPEAKERS)) == 1


def test_nothing_heard_is_nobody() -> None:
    assert people([], "m", alike, 1, MAX_SPEAKERS) == []
    assert people([HeardStretch(0, 0, ((0, 10),), 0.1)], "m", alike, 1, MAX_SPEAKERS) == []


def test_more_than_the_most_are_joined_by_likeness() -> None:
    five = voices(5)
    parts = [Cluster(10.0 * five[number], 10.0, (number,)) for number in range(5)]
    parts[4] = Cluster(np.asarray(10.0 * near(five[0] + 0.4 * five[1], 0.0), np.float32), 10.0, (4,))
    found = clustered(parts, alike, 1, 4)
    assert sorted(sorted(cluster.members) for cluster in found) == [[0, 4], [1], [2], [3]]


def two_seconds(number: int, degrees: float) -> Cluster:
    """Two seconds of a voice."""
    angle = math.radians(degrees)
    return Cluster(np.array([2 * math.cos(angle), 2 * math.sin(angle)], np.float32), 2.0, (number,))


def short_speech_is_alike(direction: Vector, seconds: float, directions: Vector, others: Numbers) -> Numbers:
    """Everybody is like everybody in less than 15 s; behind that the cosine is the score."""
    cosines = np.asarray(directions @ direction, np.float64)
    return np.where(np.minimum(others, seconds) < 15.0, 0.95, np.clip(cosines, 0.0, 1.0))


@pytest.mark.parametrize(("apart", "people"), [(50.0, 2), (30.0, 2), (0.0, 1)])
def test_a_cluster_of_two_alike_voices_is_divided_and_one_of_one_voice_is_not(apart: float, people: int) -> None:
    voices = [(number % 2, 6.0 * math.sin(number)) for number in range(24)]
    parts = [two_seconds(number, apart * voice + spread) for number, (voice, spread) in enumerate(voices)]
    found = clustered(parts, short_speech_is_alike, 1, 20)
    members = sorted(sorted(cluster.members) for cluster in found)
    everyone = list(range(24))
    assert members == ([everyone[::2], everyone[1::2]] if people == 2 else [everyone])


def test_little_speech_is_not_divided() -> None:
    parts = [two_seconds(number, 50.0 * (number % 2)) for number in range(12)]
    assert len(clustered(parts, short_speech_is_alike, 1, 20)) == 1
