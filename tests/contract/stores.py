"""Stores over given storage, and voices to put in them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest

from shared.domain.passphrase import PhraseTemplate
from shared.domain.profile import Enrollment, EnrollmentStatus, Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Vector
from shared.domain.subscription import KeySlot
from shared.storage.layout import KEYS, SUBSCRIPTIONS
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage, Stores
from tests.contract.cutting import CuttingBlobs, CuttingRows, Scissors

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
MODEL = "model-1"
DIMENSION = 16
PACK_FROM = 4
"""So that a test has a pack with few profiles."""

KEY_ENCRYPTION_KEY = bytes(range(32))


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def skew(self, since: float) -> timedelta:
        return timedelta()


def instance(
    storage: Storage,
    scissors: Scissors | None = None,
    clock: Clock | None = None,
    *,
    gallery_bytes: int = 100_000_000,
    pack_from: int = PACK_FROM,
) -> Stores:
    """One instance of the service on that storage. Without a clock it is ``NOW``.

    With scissors, its calls on voices, both containers and the audit trail go through them.
    """
    cut = storage if scissors is None else cutting(storage, scissors, whole=(SUBSCRIPTIONS, KEYS))
    return Stores.over(
        cut.rows,
        cut.blobs,
        LocalKeyEncryption(KEY_ENCRYPTION_KEY),
        clock or Clock(),
        new_id,
        gallery_bytes=gallery_bytes,
        pack_from=pack_from,
    )


def cutting(storage: Storage, scissors: Scissors, whole: Collection[str] = ()) -> Storage:
    """Every call goes through the scissors, but for those on the tables named ``whole``."""
    return Storage(
        lambda name: storage.rows(name) if name in whole else CuttingRows(storage.rows(name), scissors),
        lambda name: CuttingBlobs(storage.blobs(name), scissors),
        storage.clock,
    )


def new_id() -> str:
    return str(uuid4())


def new_subscription(stores: Stores) -> str:
    subscription_id = new_id()
    stores.subscriptions.ensure(subscription_id, {KeySlot.PRIMARY: new_id()})
    return subscription_id


def new_profile(subscription_id: str, kind: ProfileKind = ProfileKind.IDENTIFICATION, locale: str = "en-US") -> Profile:
    return Profile(ProfileKey(subscription_id, kind, new_id()), locale, created_at=NOW, last_action_at=NOW)


def voice(seed: int) -> Vector:
    vector = np.random.default_rng(seed).normal(size=DIMENSION)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def new_enrollment(seed: int = 1, speech_seconds: float = 4.25, at: datetime = NOW) -> Enrollment:
    return Enrollment(
        embedding=voice(seed),
        model_id=MODEL,
        audio_seconds=6.5,
        speech_seconds=speech_seconds,
        snr_db=21.5,
        created_at=at,
    )


def enrolled(profile: Profile, signature: Signature | None, enrollment: Enrollment) -> tuple[Profile, Signature]:
    """What the use case hands to the store: the profile's new state and its new signature."""
    after = replace(
        profile,
        status=EnrollmentStatus.ENROLLED,
        enrollments_count=profile.enrollments_count + 1,
        audio_seconds=profile.audio_seconds + enrollment.audio_seconds,
        speech_seconds=profile.speech_seconds + enrollment.speech_seconds,
        last_enrolled_at=enrollment.created_at,
        last_action_at=max(profile.last_action_at, enrollment.created_at),
        model_id=enrollment.model_id,
    )
    return after, signature.plus(enrollment) if signature else enrollment.signature


def enroll_onto(stores: Stores, read: Profile, seed: int = 1) -> Profile:
    """The first enrollment, onto the profile as it was read."""
    enrollment = new_enrollment(seed)
    after, signature = enrolled(read, None, enrollment)
    return stores.profiles.enroll(after, signature, enrollment, b"fLaC the audio")


def enroll(
    stores: Stores,
    key: ProfileKey,
    seed: int = 1,
    audio: bytes | None = b"fLaC the audio",
    phrase: str | None = None,
    template: PhraseTemplate | None = None,
) -> Profile:
    """Read, add one enrollment, write: as the use case does."""
    profile, signature = stores.profiles.get_with_signature(key)
    enrollment = replace(new_enrollment(seed), template=template)
    after, pooled = enrolled(profile, signature, enrollment)
    if phrase is not None:
        after = replace(after, passphrase=phrase)
    return stores.profiles.enroll(after, pooled, enrollment, audio)


def everything(storage: Storage, subscription_id: str) -> dict[str, object]:
    """All that is stored of the subscription's voices, by row key and blob name.

    The log of changes and what waits to be on record are left out: they hold ids alone, and ``test_changes.py`` and
    ``test_audit_trail.py`` look at them.
    """
    found = storage.voices.query(subscription_id, " ", "~")
    rows = {row.key: dict(row.values) for row in found if not row.key.startswith(("change:", "record:"))}
    blobs = {name: storage.audio.get(name) for name in storage.audio.names(f"{subscription_id}/")}
    return {**rows, **blobs}


def keys_of(stored: dict[str, object], prefix: str) -> list[str]:
    return sorted(key for key in stored if key.startswith(prefix))


def assert_same_signature(found: Signature | None, expected: Signature) -> None:
    assert found is not None
    assert np.array_equal(found.pooled, expected.pooled)
    assert found.pooled.dtype == np.float32
    assert (found.model_id, found.speech_seconds) == (expected.model_id, expected.speech_seconds)


def at_once(number: int, attempt: Callable[[int], object], *losing: type[Exception]) -> list[int]:
    """Who of so many at once succeeds: makes the attempt without such an error, and not False."""

    def succeeds(one: int) -> bool:
        try:
            return attempt(one) is not False
        except losing:
            return False

    with ThreadPoolExecutor(6) as threads:
        return [one for one, made in enumerate(threads.map(succeeds, range(number))) if made]


Erases = Callable[[Stores, ProfileKey], None]


def reset(stores: Stores, key: ProfileKey) -> None:
    stores.profiles.reset(key, NOW)


def withdraw_consent(stores: Stores, key: ProfileKey) -> None:
    stores.profiles.withdraw_consent(key, NOW)


def delete(stores: Stores, key: ProfileKey) -> None:
    stores.profiles.delete(key, NOW)


ERASURES = pytest.mark.parametrize("erases", [reset, withdraw_consent, delete], ids=lambda erases: erases.__name__)
"""All that takes a voice away at its owner's word."""
