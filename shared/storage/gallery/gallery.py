"""The enrolled speakers of one subscription in memory, ready to be compared with a recording.

The directions of speakers of one model stand in one contiguous matrix: N comparisons are one matrix product.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Vector
from shared.domain.subscription import RetentionPolicy
from shared.services.ports import Ranked, Scorer
from shared.storage.gallery.speakers import FACTS, Numbers, Speaker, Speakers, ends, seconds_of_speech

Places = npt.NDArray[np.int64]

ID_BYTES: Final = 200
"""What an id costs in memory, in the list and in the index, about."""

_GROWTH: Final = 1.25
_FEWEST: Final = 16


class Columns:
    """The speakers of one model, in no order. Not safe for use by several threads: ``Gallery`` sees to that."""

    def __init__(self, blocks: Sequence[Speakers]) -> None:
        number = sum(len(one.ids) for one in blocks)
        self._ids: list[str] = [profile_id for one in blocks for profile_id in one.ids]
        self._directions = np.empty((max(number, _FEWEST), blocks[0].directions.shape[1]), np.float32)
        self._facts = np.empty((max(number, _FEWEST), FACTS))
        np.concatenate([one.directions for one in blocks], out=self._directions[:number])
        np.concatenate([one.facts for one in blocks], out=self._facts[:number])
        self._places = {profile_id: place for place, profile_id in enumerate(self._ids)}
        self._ends: tuple[RetentionPolicy, Numbers] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> Sequence[str]:
        return self._ids

    @property
    def directions(self) -> Vector:
        return self._directions[: len(self._ids)]

    def block(self, model_id: str) -> Speakers:
        return Speakers(model_id, self._ids, self.directions, self._facts[: len(self._ids)])

    @property
    def speech_seconds(self) -> Numbers:
        return seconds_of_speech(self._facts[: len(self._ids)])

    @property
    def bytes_held(self) -> int:
        return self._directions.nbytes + self._facts.nbytes + len(self._ids) * ID_BYTES

    def put(self, one: Speaker) -> None:
        self._ends = None
        place = self._places.get(one.profile_id)
        if place is None:
            place = self._new_place(one.profile_id)
        self._directions[place], self._facts[place] = one.direction, one.facts

    def drop(self, profile_id: str) -> None:
        """The last one moves to its place. Nothing of its voice stays behind."""
        place = self._places.pop(profile_id, None)
        if place is None:
            return
        self._ends = None
        last = len(self._ids) - 1
        if place != last:
            self._directions[place], self._facts[place] = self._directions[last], self._facts[last]
            self._ids[place] = self._ids[last]
            self._places[self._ids[place]] = place
        self._ids.pop()
        self._directions[last] = 0.0

    def places(self, ids: Collection[str]) -> Places:
        return np.fromiter((self._places[one] for one in ids if one in self._places), np.int64)

    def ends(self, policy: RetentionPolicy) -> Numbers:
        """When each expires, seconds since 1970."""
        if self._ends is None or self._ends[0] != policy:
            self._ends = policy, ends(self._facts[: len(self._ids)], policy)
        return self._ends[1]

    def _new_place(self, profile_id: str) -> int:
        place = len(self._ids)
        if place == len(self._directions):
            room = int(place * _GROWTH) + _FEWEST
            directions = np.empty((room, self._directions.shape[1]), np.float32)
            facts = np.empty((room, FACTS))
            directions[:place], facts[:place] = self._directions, self._facts
            self._directions, self._facts = directions, facts
        self._ids.append(profile_id)
        self._places[profile_id] = place
        return place


class Gallery:
    """Safe for use by several threads: each method sees and leaves a whole state."""

    def __init__(self, blocks: Sequence[Speakers]) -> None:
        self._lock = Lock()
        by_model: dict[str, list[Speakers]] = {}
        for one in blocks:
            by_model.setdefault(one.model_id, []).append(one)
        self._columns = {model_id: Columns(some) for model_id, some in by_model.items()}

    @property
    def bytes_held(self) -> int:
        with self._lock:
            return sum(one.bytes_held for one in self._columns.values())

    @property
    def models(self) -> list[str]:
        with self._lock:
            return [model_id for model_id, columns in self._columns.items() if len(columns)]

    def put(self, one: Speaker) -> None:
        """In the place of whatever the gallery holds of this profile."""
        with self._lock:
            self._drop(one.profile_id, but=one.model_id)
            if one.model_id in self._columns:
                self._columns[one.model_id].put(one)
                return
            block = Speakers(one.model_id, [one.profile_id], one.direction[None], one.facts[None])
            self._columns[one.model_id] = Columns([block])

    def drop(self, profile_id: str) -> None:
        with self._lock:
            self._drop(profile_id)

    def blocks(self) -> list[Speakers]:
        """Everybody, a block for each model: of a gallery that nobody changes meanwhile, as nothing is copied."""
        with self._lock:
            return [columns.block(model_id) for model_id, columns in self._columns.items() if len(columns)]

    def over(self, policy: RetentionPolicy, at: float) -> set[str]:
        """Whose time was over at that moment, as far as the gallery knows: it does not see a profile being used."""
        with self._lock:
            return {
                columns.ids[int(place)]
                for columns in self._columns.values()
                for place in np.flatnonzero(columns.ends(policy) <= at)
            }

    def find(
        self,
        scorers: Mapping[str, Scorer],
        policy: RetentionPolicy,
        at: float,
        most: int,
        only: Collection[str] | None = None,
    ) -> Ranked:
        """The best of those who live at that moment, of ``only`` these ids; ``scorers`` by model.

        Speakers of a model without a scorer are no candidates.
        """
        best: list[tuple[str, float]] = []
        candidates = 0
        with self._lock:
            for model_id, score in scorers.items():
                if model_id in self._columns:
                    number, some = _best(self._columns[model_id], score, policy, at, most, only)
                    candidates += number
                    best += some
        return Ranked(sorted(best, key=lambda pair: -pair[1])[:most], candidates)

    def _drop(self, profile_id: str, but: str | None = None) -> None:
        for model_id, columns in self._columns.items():
            if model_id != but:
                columns.drop(profile_id)

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter([profile_id for columns in self._columns.values() for profile_id in columns.ids])


def _best(
    columns: Columns, score: Scorer, policy: RetentionPolicy, at: float, most: int, only: Collection[str] | None
) -> tuple[int, list[tuple[str, float]]]:
    lives = columns.ends(policy) > at
    places = None if only is None else columns.places(only)
    if places is None:
        scores = score(columns.directions, columns.speech_seconds)
    elif 4 * len(places) < len(columns):
        scores = score(columns.directions[places], columns.speech_seconds[places])
        lives = lives[places]
    else:
        scores, lives = score(columns.directions, columns.speech_seconds)[places], lives[places]
    candidates = int(np.count_nonzero(lives))
    some = min(most, candidates)
    if not some:
        return 0, []
    top = np.argpartition(np.where(lives, -scores, np.inf), some - 1)[:some]
    ids = columns.ids
    return candidates, [(ids[one if places is None else places[one]], float(scores[one])) for one in top]
