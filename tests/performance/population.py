"""Synthesised speakers, written straight into a subscription's rows: enrolling 100,000 would take hours."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from shared import config
from shared.domain.profile import EnrollmentStatus, Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Vector
from shared.inference.model_card import read_catalogue
from shared.inference.speaker_model import speaker_model
from shared.storage.backend.ports import MAX_CHANGES, Change, Insert, Merge, Rows
from shared.storage.layout import TALLY, profile_row
from shared.storage.profiles.change_log import logged
from shared.storage.profiles.records import SealedVoice, profile_values, signature_bytes
from shared.storage.profiles.schedule import expire_due
from shared.storage.sealing.envelope import Envelope, Place, Secret
from tests.contract.stores import NOW, new_id

SEED = 7
CARD = read_catalogue().speaker(config.MODEL.default or "")
SPEAKER_MODEL = speaker_model(CARD)
MODEL = CARD.model_id


WRITERS = 3
"""Threads: the SDK's share of a transaction is this process's, the emulator's another's."""

_AT_ONCE = 10 * WRITERS
"""Transactions between two reports of progress."""


@dataclass(frozen=True)
class Population:
    """One subscription's. ``kept_for``: each profile stands in the index of expiry too, so long after its last use."""

    rows: Rows
    envelope: Envelope
    subscription_id: str
    kept_for: timedelta | None = None
    used_at: datetime = NOW

    def fill(self, speakers: int) -> Iterator[int]:
        """Yields how many there are, from time to time. Of one number the same voices every time."""
        room = MAX_CHANGES // (2 if self.kept_for else 1)
        shares = [(start, min(room, speakers - start)) for start in range(0, speakers, room)]
        with ThreadPoolExecutor(WRITERS) as pool:
            for first in range(0, len(shares), _AT_ONCE):
                some = shares[first : first + _AT_ONCE]
                list(pool.map(self._write, some))
                yield sum(some[-1])

    def _write(self, share: tuple[int, int]) -> None:
        start, number = share
        random = np.random.default_rng([SEED, start])
        changes = [one for _ in range(number) for one in self.speaker(made_up(random))]
        self.rows.apply(self.subscription_id, changes)

    def count(self, speakers: int) -> None:
        """The number of profiles as the service keeps it; a fill leaves it alone."""
        exists = self.rows.get(self.subscription_id, TALLY) is not None
        values = {"profiles": speakers}
        self.rows.apply(self.subscription_id, [Merge(TALLY, values) if exists else Insert(TALLY, values)])

    def change_one(self) -> None:
        """One more speaker, as another instance would write it."""
        key = self.new_key()
        changes = [*self.speaker(made_up(np.random.default_rng()), key), *logged(self.rows, key)]
        self.rows.apply(self.subscription_id, changes)

    def speaker(self, signature: Signature, key: ProfileKey | None = None) -> list[Change]:
        """Enrolled with one recording."""
        key = key or self.new_key()
        sealed = SealedVoice(
            self.envelope.seal(Place(key, Secret.SIGNATURE, 0, MODEL), signature_bytes(signature)),
        )
        at = self.used_at
        profile = Profile(key, "en-US", at, at, EnrollmentStatus.ENROLLED, at, 1, 9.0, 8.0, model_id=MODEL)
        if self.kept_for is None:
            return [Insert(profile_row(key), profile_values(profile, 1, sealed))]
        until = at + self.kept_for
        return [Insert(profile_row(key), profile_values(profile, 1, sealed, until)), expire_due(until, key)]

    def new_key(self) -> ProfileKey:
        return ProfileKey(self.subscription_id, ProfileKind.IDENTIFICATION, new_id())


def made_up(random: np.random.Generator) -> Signature:
    return Signature(voice(random), MODEL, float(random.uniform(5, 60)))


def voice(random: np.random.Generator) -> Vector:
    vector = random.normal(size=CARD.dimension)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
