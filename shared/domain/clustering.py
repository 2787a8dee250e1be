"""Which local speakers are one person: agglomerative clustering, with as many clusters as there turn out to be.

Of two clusters the sums of their embeddings, each times its seconds, are compared, as signatures are. The two most
alike are joined until none are alike enough. Two who speak in one window are two people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Vector

Numbers: TypeAlias = npt.NDArray[np.float64]
Alike: TypeAlias = Callable[[Vector, float, Vector, Numbers], Numbers]
"""Scores [n] of one direction, made of so many seconds, against directions [n, d] made of seconds [n]."""

SAME_SPEAKER_SCORE: Final = 0.5
"""From which two clusters are joined."""
AT_ONCE: Final = 400
"""Clusters that are compared each with each; more are clustered part by part first. Bounds memory and time."""


@dataclass(frozen=True)
class Cluster:
    """``members`` are indices into what was clustered; ``windows`` those in which one of them speaks."""

    pooled: Vector = field(repr=False)
    seconds: float
    members: frozenset[int]
    windows: frozenset[int]

    @property
    def direction(self) -> Vector:
        return np.asarray(self.pooled / np.linalg.norm(self.pooled), np.float32)

    def joined(self, other: Cluster) -> Cluster:
        return Cluster(
            np.asarray(self.pooled + other.pooled, np.float32),
            self.seconds + other.seconds,
            self.members | other.members,
            self.windows | other.windows,
        )


def clustered(parts: Sequence[Cluster], alike: Alike, least: int, most: int) -> list[Cluster]:
    """At least and at most so many clusters as far as the parts and their windows allow it; parts in order of time."""
    clusters = list(parts)
    while len(clusters) > AT_ONCE:
        halves = [clusters[start : start + AT_ONCE // 2] for start in range(0, len(clusters), AT_ONCE // 2)]
        fewer = [cluster for half in halves for cluster in _joined(half, alike, least, len(half))]
        if len(fewer) == len(clusters):
            break
        clusters = fewer
    return _joined(clusters, alike, least, most)


def _joined(parts: Sequence[Cluster], alike: Alike, least: int, most: int) -> list[Cluster]:
    clusters: dict[int, Cluster] = dict(enumerate(parts))
    scores = np.full((len(parts), len(parts)), -1.0)
    for number in clusters:
        _compare(clusters, number, scores, alike)
    while len(clusters) > least:
        first, second = divmod(int(scores.argmax()), len(parts))
        score = scores[first, second]
        if score < 0.0 or (score < SAME_SPEAKER_SCORE and len(clusters) <= most):
            break
        clusters[first] = clusters[first].joined(clusters.pop(second))
        scores[second], scores[:, second] = -1.0, -1.0
        _compare(clusters, first, scores, alike)
    return list(clusters.values())


def _compare(clusters: dict[int, Cluster], number: int, scores: Numbers, alike: Alike) -> None:
    """Fills the row and the column; -1 for those that cannot be one person."""
    own = clusters[number]
    others = [other for other in clusters if other != number]
    scores[number], scores[:, number] = -1.0, -1.0
    if not others:
        return
    directions = np.stack([clusters[other].direction for other in others])
    seconds = np.array([clusters[other].seconds for other in others])
    found = alike(own.direction, own.seconds, directions, seconds)
    apart = [bool(own.windows & clusters[other].windows) for other in others]
    scores[number, others] = scores[others, number] = np.where(apart, -1.0, found)
