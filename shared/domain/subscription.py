"""A subscription: whom the voices belong to, and what its owner has set.

``SubscriptionSettings`` is the table of settings. A new setting is one field there, which is its entry; reading
requests, the column in the row, showing it, its name in the audit trail, openapi.json and docs/management.md follow
(``python -m tools.doc_tables`` writes the last two).
"""
# ruff: noqa: RUF009  an entry is a call of ``dataclasses.field``

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from shared.domain import limits
from shared.domain.access import Role
from shared.domain.calibration import Calibration, FalseMatchRate, SiteCalibration
from shared.domain.counts import Counts
from shared.domain.decision import ACCEPT_SCORE
from shared.domain.erasure import Erasure
from shared.domain.limits import QualityLimits
from shared.domain.passphrase import (
    ACTIVATION_PHRASES_BY_LOCALE,
    ANY,
    BY_EXAMPLE,
    PASSPHRASES_BY_LOCALE,
    Phrases,
)
from shared.domain.setting_types import (
    ACTIVATION_PHRASES,
    CALIBRATION,
    FLAG,
    KEPT_DAYS,
    PHRASES,
    QUALITY,
    SCORE,
    THRESHOLD,
    SettingType,
    between,
    choice,
    whole,
)


class SubscriptionState(StrEnum):
    """``DELETING``: no key opens it and nothing of it can be read; what is left is being swept."""

    ACTIVE = "active"
    DELETING = "deleting"
    DELETED = "deleted"


class KeySlot(StrEnum):
    """The classic keys, which every subscription is made with."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class DetailsShown(StrEnum):
    """What answers say of a decision, and with how many digits of a score: ``ROUNDED`` gives two to those who may only
    recognise; with ``OFF`` nobody is told more than the answer itself, and the same hold."""

    FULL = "full"
    ROUNDED = "rounded"
    OFF = "off"


class ReplayAction(StrEnum):
    """What becomes of a recording that was accepted before."""

    OFF = "off"
    FLAG = "flag"
    REFUSE = "refuse"


@dataclass(frozen=True)
class RetentionPolicy:
    """How long a profile is kept, by two clocks; ``None`` lets a clock stand still.

    ``max_age_days`` counts from the last enrollment, ``max_idle_days`` from the last use; either counts as ``min_days``
    where it is less. Fractions count.
    """

    max_age_days: float | None = None
    max_idle_days: float | None = None
    min_days: float = 0.0


class Owner(StrEnum):
    """Who may set a setting; the operator may set the customer's too."""

    CUSTOMER = "customer"
    OPERATOR = "operator"


@dataclass(frozen=True)
class SubscriptionSetting:
    """``wire`` is the name in JSON: ``maxProfiles``, or ``retention.maxAgeDays`` for a member of an object.

    ``meaning`` is for docs/management.md, where ``rule`` of the type and ``default`` stand too.
    """

    wire: str
    type: SettingType
    owner: Owner
    default: object
    meaning: str


def _entry(owner: Owner, wire: str, kind: SettingType, default: object, meaning: str, *, private: bool = False) -> Any:
    """``private``: not in representations, and so not in logs."""
    entry = SubscriptionSetting(wire, kind, owner, default, meaning)
    return field(default_factory=lambda: default, repr=not private, metadata={"entry": entry})


_customer: Final = partial(_entry, Owner.CUSTOMER)
_operator: Final = partial(_entry, Owner.OPERATOR)
_DAYS: Final = between(0.0, limits.MAX_RETENTION_DAYS, "of days", above=True, optional=True)
_MIN_DAYS: Final = between(0.0, limits.MAX_RETENTION_DAYS, "of days")
_AUDIT_DAYS: Final = between(limits.MIN_AUDIT_DAYS, limits.MAX_AUDIT_DAYS, "of days")
_REPLAY_DAYS: Final = between(limits.MIN_REPLAY_DAYS, limits.MAX_REPLAY_DAYS, "of days")
_RATE: Final = between(limits.MIN_REQUESTS_PER_SECOND, limits.MAX_REQUESTS_PER_SECOND, optional=True)


@dataclass(frozen=True)
class SubscriptionSettings:
    """Each field is an entry; its name is the row's column and what the audit trail says.

    A setting that a row does not have is at its default: rows are older than settings that came later.
    """

    max_age_days: float | None = _customer(
        "retention.maxAgeDays", _DAYS, None, "Since the last enrollment; `null` keeps a profile until it is deleted."
    )
    max_idle_days: float | None = _customer(
        "retention.maxIdleDays", _DAYS, None, "Since the last use; `null` keeps a profile until it is deleted."
    )
    verification_threshold: float = _customer(
        "thresholds.verification",
        THRESHOLD,
        ACCEPT_SCORE,
        'The [score](scores.md) from which the answer is yes, or `{"falseMatchRate": 0.01}`.',
    )
    identification_threshold: float = _customer(
        "thresholds.identification", THRESHOLD, ACCEPT_SCORE, "The same, for identify."
    )
    max_candidates: int = _operator(
        "maxCandidates", whole(limits.MAX_CANDIDATES_SETTING), limits.MAX_CANDIDATES, "Profiles in one identify."
    )
    max_profiles: int = _operator(
        "maxProfiles", whole(limits.MAX_PROFILES_SETTING), limits.MAX_PROFILES, "Profiles of all kinds."
    )
    passphrases: Mapping[str, Phrases] = _customer(
        "passphrases",
        PHRASES,
        {},
        "By locale: in en-US 1 to 50 phrases of 4 to 20 words each, in the letters a to z, in place of the published "
        'ones; `"any"`, everywhere else the default, lets speakers choose [phrases of their own](phrases.md). '
        "`null`: the default.",
        private=True,
    )
    activation_phrases: Mapping[str, tuple[str, ...]] = _customer(
        "activationPhrases",
        ACTIVATION_PHRASES,
        {},
        "What lists of activation phrases say, by locale: 1 to 50 texts each. In en-US it is the published one.",
        private=True,
    )
    require_consent: bool = _operator("requireConsent", FLAG, False, "Enroll only with a consent record.")
    keep_identification_audio: bool = _operator(
        "keepIdentificationAudio",
        FLAG,
        True,
        "Keep recordings of identification enrollments, encrypted, to rebuild signatures for another model.",
    )
    audit_days: float = _operator("auditDays", _AUDIT_DAYS, limits.AUDIT_DAYS, "How long audit records are kept.")
    requests_per_second: float | None = _operator(
        "requestsPerSecond",
        _RATE,
        None,
        "To one worker process, of all kinds; [beyond it 429](overload.md). `null`: `TIMBRE_REQUESTS_PER_SECOND`.",
    )
    quality: QualityLimits = _customer(
        "quality",
        QUALITY,
        QualityLimits(),
        "[Limits on recordings](scores.md#limits-on-recordings); `null` is the generation's limit again.",
    )
    enrollment_cohesion: bool = _customer(
        "enrollmentCohesion",
        FLAG,
        True,
        "Refuse a second voice in an enrollment, and an enrollment that is unlike those before it.",
    )
    calibration: SiteCalibration | None = _customer(
        "calibration",
        CALIBRATION,
        None,
        "[Your own](scores.md#a-calibration-of-your-own) of a model; `null`: the model's.",
    )

    recognition_days: float | None = _customer(
        "recordRecognitions",
        KEPT_DAYS,
        None,
        "[Record each decision](management.md#recognitions) of verify, identify and turns, for so long; `null`: none.",
    )
    require_challenge: bool = _customer(
        "requireChallenge", FLAG, False, "Verify only with a [challenge](challenges.md)."
    )
    replay_action: ReplayAction = _customer(
        "replay.action",
        choice(ReplayAction),
        ReplayAction.OFF,
        "What becomes of [a recording that was accepted before](replay.md); `off` keeps nothing of recordings.",
    )
    replay_days: float = _customer(
        "replay.days", _REPLAY_DAYS, limits.REPLAY_DAYS, "How long what tells it again is kept, unless that is off."
    )
    details: DetailsShown = _customer(
        "details",
        choice(DetailsShown),
        DetailsShown.ROUNDED,
        "[Why a decision was made](explanations.md), and scores in two digits for those who may only recognise; "
        "`full` gives all digits to everyone, `off` no details.",
    )

    lock_settings: bool = _operator(
        "lockSettings", FLAG, False, "The primary and secondary keys have the role `enroll` in place of `manage`."
    )

    min_verification_threshold: float = _operator(
        "minThresholds.verification", SCORE, limits.MIN_THRESHOLD, "No threshold of the customer's gets under it."
    )
    min_identification_threshold: float = _operator(
        "minThresholds.identification", SCORE, limits.MIN_THRESHOLD, "The same, for identify."
    )
    min_retention_days: float = _operator(
        "minRetentionDays",
        _MIN_DAYS,
        limits.MIN_RETENTION_DAYS,
        "No retention of the customer's or of a single profile gets under it; the default is an hour.",
    )

    @property
    def classic_role(self) -> Role:
        """Of the primary and secondary keys."""
        return Role.ENROLL if self.lock_settings else Role.MANAGE

    @property
    def prints_kept(self) -> timedelta | None:
        """How long prints of accepted recordings are kept; ``None``: not at all."""
        return None if self.replay_action is ReplayAction.OFF else timedelta(days=self.replay_days)

    @property
    def retention(self) -> RetentionPolicy:
        return RetentionPolicy(self.max_age_days, self.max_idle_days, self.min_retention_days)

    def allowed_phrases(self, locale: str, bound_to: str | None = None) -> tuple[str, ...]:
        """What may be said in a canonical locale where phrases are listed.

        ``bound_to`` is the phrase of a profile that is enrolled already: taking a phrase off the list keeps it from
        new profiles, and locks nobody out.
        """
        choice = self._choice(locale)
        allowed = () if choice == ANY else choice
        return allowed if not bound_to or bound_to in allowed else (*allowed, bound_to)

    def by_example(self, locale: str, bound_to: str | None = None) -> bool:
        """Whether speakers choose their phrases; ``bound_to`` settles it for a profile that is enrolled already."""
        return self._choice(locale) == ANY if bound_to is None else bound_to == BY_EXAMPLE

    def activation_phrases_of(self, locale: str) -> tuple[str, ...]:
        return ACTIVATION_PHRASES_BY_LOCALE.get(locale) or self.activation_phrases.get(locale, ())

    def _choice(self, locale: str) -> Phrases:
        return self.passphrases.get(locale) or PASSPHRASES_BY_LOCALE.get(locale, ANY)


SETTINGS: Final[Mapping[str, SubscriptionSetting]] = MappingProxyType(
    {setting.name: setting.metadata["entry"] for setting in fields(SubscriptionSettings)}
)
"""The entries by the names of their fields."""


class Unset(Enum):
    """Told apart from ``None``, which is a value of some settings."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, init=False)
class SettingsChange:
    """What is to be different, by the names of the fields: two changes of different settings at once both count.

    ``passphrases`` and ``quality`` are changed in parts (``shared/domain/setting_types.py``). A threshold may be a
    ``FalseMatchRate`` until ``with_scores``.
    """

    values: Mapping[str, Any] = field(repr=False)

    def __init__(self, **values: Any) -> None:
        if unknown := values.keys() - SETTINGS.keys():
            raise TypeError(f"No such setting: {', '.join(sorted(unknown))}.")
        object.__setattr__(self, "values", values)

    @property
    def named(self) -> tuple[str, ...]:
        """The settings that the change names, in the order of the table; the values stay out of it."""
        return tuple(name for name in SETTINGS if self.values.get(name, {}) != {})

    def with_scores(self, calibration: Calibration | None) -> SettingsChange:
        """Each false-match rate as the score that stands for it. Raises ``ParameterInvalid``."""
        scores = {
            name: value.score(calibration) for name, value in self.values.items() if isinstance(value, FalseMatchRate)
        }
        return SettingsChange(**{**self.values, **scores})

    def applied(self, before: SubscriptionSettings) -> SubscriptionSettings:
        after = {name: SETTINGS[name].type.changed(getattr(before, name), value) for name, value in self.values.items()}
        return replace(before, **after)


@dataclass(frozen=True)
class Subscription:
    """``created_at`` None: made before that was noted. ``deleted_at`` is when its deletion was asked for, ``erasure``
    the record of it once everything is gone. ``counts`` are those of the last walk over its profiles, ``counting``
    those of the walk that is under way."""

    subscription_id: str
    state: SubscriptionState = SubscriptionState.ACTIVE
    settings: SubscriptionSettings = field(default_factory=SubscriptionSettings)
    created_at: datetime | None = field(default=None, compare=False)
    deleted_at: datetime | None = field(default=None, compare=False)
    erasure: Erasure | None = field(default=None, compare=False)
    counts: Counts | None = field(default=None, compare=False)
    counting: Counts = field(default=Counts(), compare=False)
