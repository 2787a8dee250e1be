"""The enrolled speakers of one subscription in memory, ready to be compared with a recording.

The directions of speakers of one model stand in one contiguous matrix: N comparisons are one operation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.recording import Vector
from shared.domain.subscription import RetentionPolicy
from shared.services.ports.keeping import Ranked, Scorer
from shared.storage.gallery.speakers import FACTS, Numbers, Speakers, ends, seconds_of_speech

ID_BYTES: Final = 200
"""What an id costs in memory, in the list and in the index, about."""

_GROWTH: Final = 1.25
_FEWEST: Final = 16


class Columns:
    """The speakers of one model, in no order. Not safe for use by several threads: ``Gallery`` sees to that."""

    def __init__(self, blocks: Sequence[Speakers]) -> None:
        self._ids: list[str] = [profile_id for block in blocks for profile_id in block.ids]
        self._directions = np.concatenate([block.directions for block in blocks]).astype(np.float32, copy=False)
        self._facts = np.concatenate([block.facts for block in blocks])
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

    @property
    def facts(self) -> Numbers:
        return self._facts[: len(self._ids)]

    @property
    def bytes_held(self) -> int:
        return self._directions.nbytes + self._facts.nbytes + len(self._ids) * ID_BYTES

    def put(self, speaker: Speakers) -> None:
        self._ends = None
        (profile_id,) = speaker.ids
        place = self._places.get(profile_id)
        if place is None:
            place = self._new_place(profile_id)
        self._directions[place], self._facts[place] = speaker.directions[0], speaker.facts[0]

    def drop(self, profile_id: str) -> None:
        """The last speaker moves to the place. Nothing of the voice stays behind."""
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

    def places(self, ids: Collection[str]) -> npt.NDArray[np.int64]:
        return np.fromiter((self._places[name] for name in ids if name in self._places), np.int64)

    def ends(self, policy: RetentionPolicy) -> Numbers:
        """When each expires, seconds since 1970."""
        if self._ends is None or self._ends[0] != policy:
            self._ends = policy, ends(self.facts, policy)
        return self._ends[1]

    def best(
        self, score: Scorer, policy: RetentionPolicy, at: float, most: int, only: Collection[str] | None
    ) -> tuple[int, list[tuple[str, float]]]:
        """The number of candidates, and ids and scores of the best, in no order: more than ``most`` where the last of
        them are equal."""
        places = np.arange(len(self)) if only is None else self.places(only)
        seconds = seconds_of_speech(self.facts)
        if 4 * len(places) < len(self):
            scores = score(self.directions[places], seconds[places])
        else:
            scores = score(self.directions, seconds)[places]
        lives = self.ends(policy)[places] > at
        candidates = int(np.count_nonzero(lives))
        if not candidates:
            return 0, []
        behind = np.where(lives, -scores, np.inf)
        last = min(most, candidates) - 1
        top = np.flatnonzero(behind <= np.partition(behind, last)[last])
        return candidates, [(self._ids[places[index]], float(scores[index])) for index in top]

    def _new_place(self, profile_id: str) -> int:
        place = len(self._ids)
        if place == len(self._directions):
            more = int(place * (_GROWTH - 1)) + _FEWEST
            room = np.empty((more, self._directions.shape[1]), np.float32)
            self._directions = np.concatenate([self._directions, room])
            self._facts = np.concatenate([self._facts, np.empty((more, FACTS))])
        self._ids.append(profile_id)
        self._places[profile_id] = place
        return place


class Gallery:
    """Safe for use by several threads: each method sees and leaves a whole state."""

    def __init__(self, blocks: Sequence[Speakers]) -> None:
        self._lock = Lock()
        by_model: dict[str, list[Speakers]] = {}
        for block in blocks:
            by_model.setdefault(block.model_id, []).append(block)
        self._columns = {model_id: Columns(same) for model_id, same in by_model.items()}

    @property
    def bytes_held(self) -> int:
        with self._lock:
            return sum(columns.bytes_held for columns in self._columns.values())

    @property
    def models(self) -> list[str]:
        with self._lock:
            return [model_id for model_id, columns in self._columns.items() if len(columns)]

    def blocks(self) -> list[Speakers]:
        """Everybody, a block for each model: of a gallery that nobody changes meanwhile, as nothing is copied."""
        with self._lock:
            return [
                Speakers(model_id, columns.ids, columns.directions, columns.facts)
                for model_id, columns in self._columns.items()
                if len(columns)
            ]

    def put(self, speaker: Speakers) -> None:
        """One speaker, in the place of whatever the gallery holds of the profile."""
        with self._lock:
            self._drop(speaker.ids[0], but=speaker.model_id)
            if speaker.model_id in self._columns:
                self._columns[speaker.model_id].put(speaker)
            else:
                self._columns[speaker.model_id] = Columns([speaker])

    def drop(self, profile_id: str) -> None:
        with self._lock:
            self._drop(profile_id)

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
        best: list[tuple[str, float, str]] = []
        candidates = 0
        with self._lock:
            for model_id, score in scorers.items():
                if model_id in self._columns:
                    number, ranked = self._columns[model_id].best(score, policy, at, most, only)
                    candidates += number
                    best += [(profile_id, scored, model_id) for profile_id, scored in ranked]
        return Ranked.of(best, most, candidates)

    def _drop(self, profile_id: str, but: str | None = None) -> None:
        for model_id, columns in self._columns.items():
            if model_id != but:
                columns.drop(profile_id)
