"""Which stretches of speech are one person's: agglomerative clustering, with as many people as there turn out to be.

Of two clusters the sums of their embeddings, each times its seconds, are compared, as signatures are. The two most
alike are joined until none are alike enough. Then the other stretches go to the clusters that they are most like, with
a little weight on what their window's network said: who else is the same local speaker, and who is another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, TypeAlias

import numpy as np

from shared.domain.heard_speech import HeardStretch
from shared.domain.recording import Numbers, Vector
from shared.domain.two_voices import settled

Alike: TypeAlias = Callable[[Vector, float, Vector, Numbers], Numbers]
"""Scores [n] of one direction, made of so many seconds, against directions [n, d] made of seconds [n]."""

SAME_SPEAKER: Final = 0.0
SAME_SPEAKER_GROWTH: Final = 0.3
LONG_SECONDS: Final = 24.0
"""Log odds of the score from which two clusters are joined: so much for the shortest speech, more by the growth times
the logarithm of how much more the shorter one has, up to 24 s. What one speaker says in one recording is far more alike
than what he says in two, the more so the more of it there is. Fitted, as are the numbers below:
docs/internals/turns.md."""
CORE_SECONDS: Final = 1.5
"""Of clean speech of a stretch that makes clusters; shorter ones join those that there are."""
SMALL_SECONDS: Final = 4.0
SMALL_SHARE: Final = 0.1
"""A cluster of less, and of less than this share of all, is nobody: what one breath says twice in two windows."""
DIVIDED_SECONDS: Final = 15.0
DIVIDED: Final = 3.0
"""Log odds of the score of a cluster's two halves, each of so much speech, below which they are two people. Halves of
one person's speech have 3.3 and more, though they are made where it is widest; those of two alike people about 1."""
LEAST_SCORE: Final = 0.01
"""A short stretch that is less like every cluster is nobody's."""
WINDOW_LOG_ODDS: Final = 1.0
"""Weight of the window's network against the embedding's log odds."""
SPEAKS_ALREADY: Final = 2.0
"""Log odds that whoever speaks at once in the same window is somebody else: what is heard of two voices is most like
the louder one."""
AT_ONCE: Final = 400
"""Clusters that are compared each with each; of more, each half of that many is clustered first. Bounds memory and
time: 4 hours have 12,000 stretches."""
_NOTHING: Final = 1e-9
"""In the place of 0 as a divisor."""


@dataclass(frozen=True)
class Cluster:
    """``pooled`` is a sum of embeddings, each times its seconds; ``members`` are indices into what was clustered."""

    pooled: Vector = field(repr=False)
    seconds: float
    members: tuple[int, ...]

    @property
    def direction(self) -> Vector:
        """Of length 1, or of length 0 where embeddings cancel each other: like nobody."""
        return np.asarray(self.pooled / max(float(np.linalg.norm(self.pooled)), _NOTHING), np.float32)

    def joined(self, other: Cluster) -> Cluster:
        pooled = np.asarray(self.pooled + other.pooled, np.float32)
        return Cluster(pooled, self.seconds + other.seconds, self.members + other.members)


def people(
    stretches: Sequence[HeardStretch], model_id: str, alike: Alike, least: int, most: int
) -> list[list[HeardStretch]]:
    """The stretches of each person, at least and at most so many people if there are as many stretches; in order.

    Stretches that are too short to tell, and that nothing else in their window explains, are nobody's.
    """
    alone = [number for number, one in enumerate(stretches) if one.alone]
    core = [number for number in alone if stretches[number].clean_seconds >= CORE_SECONDS] or alone
    parts = []
    for number in core:
        made, seconds = stretches[number].embeddings[model_id], stretches[number].clean_seconds
        parts.append(Cluster(np.asarray(made * np.float32(seconds), np.float32), seconds, (number,)))
    clusters = clustered(parts, alike, least, most)
    if not clusters:
        return []
    labels = _assigned(stretches, clusters, model_id, alike)
    found = [[one for one, label in zip(stretches, labels, strict=True) if label == k] for k in range(len(clusters))]
    return [person for person in found if any(one.alone for one in person)]


def clustered(parts: Sequence[Cluster], alike: Alike, least: int, most: int) -> list[Cluster]:
    """At least and at most so many clusters, if there are as many parts. Parts are in order of time."""
    clusters = list(parts)
    while len(clusters) > AT_ONCE:
        halves = [clusters[start : start + AT_ONCE // 2] for start in range(0, len(clusters), AT_ONCE // 2)]
        fewer = [cluster for half in halves for cluster in _joined(half, alike, least, SAME_SPEAKER)]
        if len(fewer) == len(clusters):
            break
        clusters = fewer
    stretches = {part.members: part for part in parts}
    joined = _joined(clusters, alike, least, SAME_SPEAKER)
    clusters = [half for cluster in joined for half in _divided(cluster, stretches, alike)]
    small = min(SMALL_SECONDS, SMALL_SHARE * sum(cluster.seconds for cluster in clusters))
    largest = sorted(clusters, key=lambda cluster: -cluster.seconds)
    kept = [cluster for number, cluster in enumerate(largest) if number < least or cluster.seconds >= small]
    return _joined(kept, alike, most, -np.inf) if len(kept) > most else kept


def _joined(parts: Sequence[Cluster], alike: Alike, least: int, enough: float) -> list[Cluster]:
    """The most alike are joined, until no two are alike enough or ``least`` are left."""
    clusters: dict[int, Cluster] = dict(enumerate(parts))
    odds = np.full((len(parts), len(parts)), -np.inf)
    for number in clusters:
        _compare(clusters, number, odds, alike)
    while len(clusters) > least:
        first, second = divmod(int(odds.argmax()), len(parts))
        if odds[first, second] < enough:
            break
        clusters[first] = clusters[first].joined(clusters.pop(second))
        odds[second], odds[:, second] = -np.inf, -np.inf
        _compare(clusters, first, odds, alike)
    return list(clusters.values())


def _divided(cluster: Cluster, stretches: Mapping[tuple[int, ...], Cluster], alike: Alike) -> list[Cluster]:
    """Alike voices that were joined by chains of mixed or short stretches, apart again. ``stretches`` by member."""
    if cluster.seconds < 2 * DIVIDED_SECONDS:
        return [cluster]
    halves = _halves([stretches[number,] for number in cluster.members])
    if len(halves) < 2 or min(half.seconds for half in halves) < DIVIDED_SECONDS:
        return [cluster]
    first, second = halves
    scores = alike(first.direction, first.seconds, second.direction[np.newaxis], np.array([second.seconds]))
    if log_odds(scores)[0] >= DIVIDED:
        return [cluster]
    return [one for half in halves for one in _divided(half, stretches, alike)]


def _halves(stretches: Sequence[Cluster]) -> list[Cluster]:
    """Two means of directions, begun at the two sides of the widest direction. One where nothing is wide."""
    pooled = np.stack([one.pooled for one in stretches]).astype(np.float64)
    directions = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    mean = pooled.sum(axis=0)
    aside = directions - np.outer(directions @ mean, mean) / max(float(mean @ mean), _NOTHING)
    side = settled(pooled, directions, aside @ np.linalg.eigh(aside.T @ aside)[1][:, -1] > 0.0)
    if side is None:
        return list(stretches[:1])
    parts = [[one for one, other in zip(stretches, side, strict=True) if other == which] for which in (False, True)]
    return [_together(part) for part in parts if part]


def _together(parts: Sequence[Cluster]) -> Cluster:
    pooled = np.asarray(np.sum([one.pooled for one in parts], axis=0), np.float32)
    return Cluster(pooled, sum(one.seconds for one in parts), tuple(m for one in parts for m in one.members))


def _compare(clusters: dict[int, Cluster], number: int, odds: Numbers, alike: Alike) -> None:
    """Fills the row and the column with log odds, less what the lengths ask for."""
    own, others = clusters[number], [other for other in clusters if other != number]
    if others:
        directions = np.stack([clusters[other].direction for other in others])
        seconds = np.array([clusters[other].seconds for other in others])
        scores = alike(own.direction, own.seconds, directions, seconds)
        shorter = np.clip(np.minimum(seconds, own.seconds), CORE_SECONDS, LONG_SECONDS)
        asked = SAME_SPEAKER_GROWTH * np.log(shorter / CORE_SECONDS)
        odds[number, others] = odds[others, number] = log_odds(scores) - asked


def log_odds(scores: Numbers) -> Numbers:
    """Bounded at scores of 1e-15 from 0 and 1."""
    return np.asarray(np.log(np.maximum(scores, 1e-15) / np.maximum(1.0 - scores, 1e-15)))


def _assigned(
    stretches: Sequence[HeardStretch], clusters: Sequence[Cluster], model_id: str, alike: Alike
) -> list[int | None]:
    """The number of each stretch's cluster; ``None`` is nobody. Those that made clusters stay in theirs.

    In each window first what is heard of one voice alone is told, then what is heard of several, then what has no
    embedding.
    """
    centres = _Centres(np.stack([one.direction for one in clusters]), np.array([one.seconds for one in clusters]))
    core = {member: number for number, cluster in enumerate(clusters) for member in cluster.members}
    labels = [core.get(number) for number in range(len(stretches))]
    for _, numbered in groupby(enumerate(stretches), key=lambda pair: pair[1].window):
        window = list(numbered)
        known = [(core[number], heard) for number, heard in window if number in core]
        others = [(number, heard) for number, heard in window if number not in core]
        for _, rank in groupby(sorted(others, key=_clearest_first), key=_clearest_first):
            told = [(number, one, _label(one, known, centres, model_id, alike)) for number, one in rank]
            for number, one, label in told:
                labels[number] = label
                known += [] if label is None else [(label, one)]
    return labels


@dataclass(frozen=True)
class _Centres:
    """``directions`` [n, d] of the clusters, made of ``seconds`` [n]."""

    directions: Vector
    seconds: Numbers


_Known: TypeAlias = Sequence[tuple[int, HeardStretch]]
"""Stretches of a window with the numbers of their clusters."""


def _clearest_first(numbered: tuple[int, HeardStretch]) -> int:
    _, one = numbered
    return 0 if one.alone else 1 if one.embeddings else 2


def _label(one: HeardStretch, known: _Known, centres: _Centres, model_id: str, alike: Alike) -> int | None:
    if not one.embeddings:
        same = [(heard.clean_seconds, number) for number, heard in known if heard.local == one.local]
        return max(same)[1] if same else None
    seconds = one.clean_seconds if one.alone else one.seconds
    scores = alike(one.embeddings[model_id], seconds, centres.directions, centres.seconds)
    if one.alone and scores.max() < LEAST_SCORE:
        return None
    votes = log_odds(scores) + _votes(one, known, len(centres.seconds))
    if not one.alone:
        votes[[number for number, heard in known if heard.local != one.local and _at_once(one, heard)]] -= (
            SPEAKS_ALREADY
        )
    return int(votes.argmax())


def _at_once(one: HeardStretch, other: HeardStretch) -> bool:
    return any(start < until and since < end for start, end in one.active for since, until in other.active)


def _votes(one: HeardStretch, known: _Known, clusters: int) -> Numbers:
    """For each cluster: what its stretches in the same window weigh, those of another local speaker against it."""
    votes = np.zeros(clusters)
    for number, heard in known:
        votes[number] += heard.clean_seconds if heard.local == one.local else -heard.clean_seconds
    return WINDOW_LOG_ODDS * votes / (sum(heard.clean_seconds for _, heard in known) or 1.0)
