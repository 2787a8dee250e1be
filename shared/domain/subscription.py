"""A subscription: whom the voices belong to, and what its owner has set.

Settings are changed through a ``SettingsChange``, which names only what is to be different: two changes of different
settings at once both count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final, TypeVar

from shared.domain.calibration import SiteCalibration
from shared.domain.decision import ACCEPT_SCORE
from shared.domain.erasure import Erasure
from shared.domain.limits import AUDIT_DAYS, MAX_CANDIDATES, MAX_PROFILES, QualityLimits
from shared.domain.passphrase import PASSPHRASES_BY_LOCALE

T = TypeVar("T")


class SubscriptionState(StrEnum):
    """``DELETING``: no key opens it and nothing of it can be read; what is left is being swept."""

    ACTIVE = "active"
    DELETING = "deleting"
    DELETED = "deleted"


class KeySlot(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True)
class RetentionPolicy:
    """How long a profile is kept, by two clocks; ``None`` lets a clock stand still.

    ``max_age_days`` counts from the last enrollment, ``max_idle_days`` from the last use. Fractions count.
    """

    max_age_days: float | None = None
    max_idle_days: float | None = None


@dataclass(frozen=True)
class Thresholds:
    """The calibrated scores, in (0, 1), from which a decision is Accept."""

    verification: float = ACCEPT_SCORE
    identification: float = ACCEPT_SCORE


@dataclass(frozen=True)
class SubscriptionSettings:
    """``passphrases`` replace the published list of their locale, in normalised form; another locale keeps its own.
    ``requests_per_second`` None: as many as the deployment grants whoever has no number of its own.
    ``enrollment_cohesion``: an enrollment must be of one voice, and of the voice of those before it."""

    retention: RetentionPolicy = RetentionPolicy()
    thresholds: Thresholds = Thresholds()
    max_candidates: int = MAX_CANDIDATES
    max_profiles: int = MAX_PROFILES
    passphrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    require_consent: bool = False
    keep_identification_audio: bool = True
    audit_days: float = AUDIT_DAYS
    requests_per_second: float | None = None
    quality: QualityLimits = field(default_factory=QualityLimits)
    enrollment_cohesion: bool = True
    calibration: SiteCalibration | None = None

    def allowed_phrases(self, locale: str, bound_to: str | None = None) -> tuple[str, ...]:
        """What may be said in a canonical locale.

        ``bound_to`` is the phrase of a profile that is enrolled already: taking a phrase off the list keeps it from
        new profiles, and locks nobody out.
        """
        allowed = self.passphrases.get(locale, PASSPHRASES_BY_LOCALE.get(locale, ()))
        return allowed if bound_to is None or bound_to in allowed else (*allowed, bound_to)


class Unset(Enum):
    """Told apart from ``None``, which is a value of some settings."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True)
class SettingsChange:
    """What is to be different. ``passphrases`` names locales: ``None`` gives one its published list back. ``quality``
    names fields of ``QualityLimits``: ``None`` gives one back to the generation of the API."""

    max_age_days: float | Unset | None = UNSET
    max_idle_days: float | Unset | None = UNSET
    verification_threshold: float | Unset = UNSET
    identification_threshold: float | Unset = UNSET
    max_candidates: int | Unset = UNSET
    max_profiles: int | Unset = UNSET
    passphrases: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict, repr=False)
    require_consent: bool | Unset = UNSET
    keep_identification_audio: bool | Unset = UNSET
    audit_days: float | Unset = UNSET
    requests_per_second: float | Unset | None = UNSET
    quality: Mapping[str, float | None] = field(default_factory=dict)
    enrollment_cohesion: bool | Unset = UNSET
    calibration: SiteCalibration | Unset | None = UNSET

    @property
    def named(self) -> tuple[str, ...]:
        """The settings that the change names, in the order above; the values stay out of it."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) not in (UNSET, {}))

    def retention(self, before: RetentionPolicy) -> RetentionPolicy:
        return RetentionPolicy(
            _or(self.max_age_days, before.max_age_days), _or(self.max_idle_days, before.max_idle_days)
        )

    def applied(self, before: SubscriptionSettings) -> SubscriptionSettings:
        thresholds = before.thresholds
        phrases = {**before.passphrases, **self.passphrases}
        return replace(
            before,
            retention=self.retention(before.retention),
            thresholds=Thresholds(
                _or(self.verification_threshold, thresholds.verification),
                _or(self.identification_threshold, thresholds.identification),
            ),
            max_candidates=_or(self.max_candidates, before.max_candidates),
            max_profiles=_or(self.max_profiles, before.max_profiles),
            passphrases={locale: listed for locale, listed in phrases.items() if listed is not None},
            require_consent=_or(self.require_consent, before.require_consent),
            keep_identification_audio=_or(self.keep_identification_audio, before.keep_identification_audio),
            audit_days=_or(self.audit_days, before.audit_days),
            requests_per_second=_or(self.requests_per_second, before.requests_per_second),
            quality=replace(before.quality, **self.quality),
            enrollment_cohesion=_or(self.enrollment_cohesion, before.enrollment_cohesion),
            calibration=_or(self.calibration, before.calibration),
        )


@dataclass(frozen=True)
class Subscription:
    """``created_at`` None: made before that was noted. ``deleted_at`` is when its deletion was asked for, ``erasure``
    the record of it once everything is gone."""

    subscription_id: str
    state: SubscriptionState = SubscriptionState.ACTIVE
    settings: SubscriptionSettings = field(default_factory=SubscriptionSettings)
    created_at: datetime | None = field(default=None, compare=False)
    deleted_at: datetime | None = field(default=None, compare=False)
    erasure: Erasure | None = field(default=None, compare=False)


def _or(value: T | Unset, before: T) -> T:
    return before if isinstance(value, Unset) else value
