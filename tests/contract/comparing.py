"""What an instance's gallery holds, seen through its answers."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from shared.domain.errors import SubscriptionUnknown
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Numbers, Vector
from shared.services.ports.keeping import Scorer
from shared.storage.backend.ports import Row
from shared.storage.gallery.packs import Packs
from shared.storage.layout import PACK
from shared.storage.stores import Stores
from tests.contract.stores import MODEL, enroll, new_id, new_profile, voice

EVERYBODY = 1_000_000


def cosine_with(direction: Vector) -> dict[str, Scorer]:
    def score(directions: Vector, seconds: Numbers) -> Numbers:
        assert len(directions) == len(seconds)
        return np.asarray(directions @ direction, np.float64)

    return {MODEL: score}


def scores(stores: Stores, subscription_id: str, seed: int = 1, only: set[str] | None = None) -> dict[str, float]:
    """Of everybody who is a candidate, by id, against the voice of that seed."""
    gallery = stores.galleries.up_to_date(subscription_id)
    ranked = gallery.best(cosine_with(voice(seed)), EVERYBODY, only)
    assert ranked.candidates == len(ranked.best)
    return dict(ranked.best)


def from_the_rows(stores: Stores, subscription_id: str, seed: int = 1) -> dict[str, float]:
    """The same, worked out from what the store says of each profile."""
    profiles = stores.profiles.list(subscription_id, ProfileKind.IDENTIFICATION)
    read = stores.profiles.get_many_with_signatures([one.key for one in profiles])
    return {
        profile.key.profile_id: float(signature.direction @ voice(seed))
        for profile, signature in read
        if signature is not None and profile.is_enrolled
    }


def new_speaker(stores: Stores, subscription_id: str, seed: int = 1) -> ProfileKey:
    profile = stores.profiles.create(new_profile(subscription_id), 10_000)
    enroll(stores, profile.key, seed, audio=None)
    return profile.key


def assert_same(found: dict[str, float], expected: dict[str, float]) -> None:
    assert found.keys() == expected.keys()
    np.testing.assert_allclose([found[one] for one in expected], list(expected.values()), atol=1e-6)


def packs_of(stores: Stores, subscription_id: str) -> list[set[str]]:
    """Ids of the speakers in each blob, whether a row names it or not, as far as it can be opened."""
    packs = Packs(stores.storage.voices, stores.storage.packs, stores.envelope, new_id)
    found = []
    for name in stores.storage.packs.names(f"{subscription_id}/"):
        row = Row(subscription_id, PACK, {"blob": name.partition("/")[2]})
        with suppress(SubscriptionUnknown):
            pack = packs.read(subscription_id, row)
            found.append({profile_id for block in (pack.blocks if pack else ()) for profile_id in block.ids})
    return found
