"""Speakers in columns: ids, directions, and what their expiry is worked out from. How rows become them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.errors import SealBroken
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.recording import Vector
from shared.domain.subscription import RetentionPolicy, Unset
from shared.storage.backend.ports import Row, Rows
from shared.storage.layout import profiles_range
from shared.storage.profiles.candidates import point_reads
from shared.storage.profiles.records import PUBLIC_PROFILE, profile_of, sealed_voice_of, signature_from
from shared.storage.sealing.envelope import Envelope, Place, Secret

Numbers = npt.NDArray[np.float64]

FACTS: Final = 5
"""Columns of ``facts``: seconds of speech; when the age and the idle time count from (seconds since 1970); the
profile's own days of each, NaN where it has none of its own and infinite where its clock stands still."""

_SECONDS_OF_SPEECH, _AGE_FROM, _IDLE_FROM, _AGE_DAYS, _IDLE_DAYS = range(FACTS)
_DAY: Final = 86_400.0


@dataclass(frozen=True)
class Speakers:
    """Of one model. ``directions`` [n, dimension] of unit length, float32; ``facts`` [n, ``FACTS``]."""

    model_id: str
    ids: Sequence[str]
    directions: Vector = field(repr=False)
    facts: Numbers = field(repr=False)


def seconds_of_speech(facts: Numbers) -> Numbers:
    return np.asarray(facts[:, _SECONDS_OF_SPEECH])


def ends(facts: Numbers, policy: RetentionPolicy) -> Numbers:
    """When each expires, seconds since 1970, infinite for never: ``shared.domain.retention.expiry`` in columns."""
    age = _days(facts[:, _AGE_DAYS], policy.max_age_days)
    idle = _days(facts[:, _IDLE_DAYS], policy.max_idle_days)
    return np.asarray(np.minimum(facts[:, _AGE_FROM] + age * _DAY, facts[:, _IDLE_FROM] + idle * _DAY))


def _days(own: Numbers, subscriptions: float | None) -> Numbers:
    return np.where(np.isnan(own), np.inf if subscriptions is None else subscriptions, own)


class SpeakerReader:
    """Reads enrolled identification profiles. One whose seal is broken is no speaker: the envelope raises the alarm."""

    def __init__(self, voices: Rows, envelope: Envelope) -> None:
        self._voices, self._envelope = voices, envelope

    def by_ids(self, subscription_id: str, ids: Sequence[str]) -> Mapping[str, Speakers | None]:
        """Each alone; ``None`` for who is absent or not enrolled."""
        keys = [ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, profile_id) for profile_id in ids]
        rows = point_reads(self._voices, keys)
        return {profile_id: self._speaker(row) if row else None for profile_id, row in zip(ids, rows, strict=True)}

    def all(self, subscription_id: str) -> list[Speakers]:
        """Each alone."""
        start, end = profiles_range(ProfileKind.IDENTIFICATION, None)
        rows = self._voices.query(subscription_id, start, end, select=(*PUBLIC_PROFILE, "signature"))
        return [speaker for row in rows if (speaker := self._speaker(row))]

    def _speaker(self, row: Row) -> Speakers | None:
        profile, sealed = profile_of(row), sealed_voice_of(row).signature
        if sealed is None or not profile.is_enrolled or profile.model_id is None:
            return None
        place = Place(profile.key, Secret.SIGNATURE, profile.epoch, profile.model_id)
        try:
            signature = signature_from(self._envelope.open(place, sealed), profile.model_id)
        except SealBroken:
            return None
        facts = _facts(profile, signature.speech_seconds)
        return Speakers(profile.model_id, [profile.key.profile_id], signature.direction[None], facts[None])


def _facts(profile: Profile, speech_seconds: float) -> Numbers:
    age_from, idle_from = profile.last_enrolled_at or profile.last_action_at, profile.last_action_at
    days = (_own_days(profile.retention.max_age_days), _own_days(profile.retention.max_idle_days))
    return np.array([speech_seconds, age_from.timestamp(), idle_from.timestamp(), *days])


def _own_days(days: float | Unset | None) -> float:
    if days is None:
        return float("inf")
    return float("nan") if isinstance(days, Unset) else days
