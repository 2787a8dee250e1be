"""A subscription's settings in JSON: read with every field checked, refused by name, and written.

What is absent stays as it is. ``null`` is a value where it says so: a clock of the retention that stands still, a
locale that gets its published passphrases back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from shared.domain import limits
from shared.domain.errors import FieldNotYours, ParameterInvalid
from shared.domain.passphrase import normalise_phrase
from shared.domain.subscription import UNSET, RetentionPolicy, SettingsChange, SubscriptionSettings
from shared.http import site_settings as site
from shared.http.fields import Json, json_object, kind_of, known_fields, number

CUSTOMER_FIELDS: Final = ("retention", "thresholds", "passphrases", "quality", "enrollmentCohesion", "calibration")
OPERATOR_FIELDS: Final = (
    *CUSTOMER_FIELDS, "maxCandidates", "maxProfiles", "requireConsent", "keepIdentificationAudio", "auditDays",
    "requestsPerSecond",
)  # fmt: skip


def customer_change(received: Json) -> SettingsChange:
    """Raises ``FieldNotYours``, ``FieldUnknown``, ``ParameterInvalid``."""
    theirs = [name for name in OPERATOR_FIELDS if name not in CUSTOMER_FIELDS]
    for name in theirs:
        if any(name.lower() == one.lower() for one in received):
            raise FieldNotYours(name, CUSTOMER_FIELDS)
    return _change(known_fields(received, CUSTOMER_FIELDS))


def operator_change(received: Json) -> SettingsChange:
    """Raises ``FieldUnknown``, ``ParameterInvalid``."""
    return _change(known_fields(received, OPERATOR_FIELDS))


def retention_change(received: Json, prefix: str = "") -> SettingsChange:
    """The two clocks of ``{"maxAgeDays", "maxIdleDays"}``; ``prefix`` goes before their names in a refusal."""
    clocks = known_fields(received, ("maxAgeDays", "maxIdleDays"), prefix)
    age, idle = (
        _days(f"{prefix}{name}", clocks[name]) if name in clocks else UNSET for name in ("maxAgeDays", "maxIdleDays")
    )
    return SettingsChange(max_age_days=age, max_idle_days=idle)


def retention_shown(policy: RetentionPolicy) -> dict[str, object]:
    return {"maxAgeDays": policy.max_age_days, "maxIdleDays": policy.max_idle_days}


def shown(settings: SubscriptionSettings, names: Collection[str] = OPERATOR_FIELDS) -> dict[str, object]:
    """The settings of these names. ``passphrases`` holds the lists that are the subscription's own."""
    everything: dict[str, object] = {
        "retention": retention_shown(settings.retention),
        "thresholds": {
            "verification": settings.thresholds.verification,
            "identification": settings.thresholds.identification,
        },
        "passphrases": {locale: list(phrases) for locale, phrases in settings.passphrases.items()},
        "maxCandidates": settings.max_candidates,
        "maxProfiles": settings.max_profiles,
        "requireConsent": settings.require_consent,
        "keepIdentificationAudio": settings.keep_identification_audio,
        "auditDays": settings.audit_days,
        "requestsPerSecond": settings.requests_per_second,
        "quality": site.quality_shown(settings.quality),
        "enrollmentCohesion": settings.enrollment_cohesion,
        "calibration": site.calibration_shown(settings.calibration),
    }
    return {name: everything[name] for name in names}


def _change(received: Json) -> SettingsChange:
    values: dict[str, object] = {}
    for name, value in received.items():
        values |= _READERS[name](name, value)
    return SettingsChange(**values)  # type: ignore[arg-type]  # each reader gives its own field's type


def _retention(name: str, value: object) -> dict[str, object]:
    if value is None:
        return {"max_age_days": None, "max_idle_days": None}
    change = retention_change(json_object(name, value), f"{name}.")
    return {field: getattr(change, field) for field in ("max_age_days", "max_idle_days")}


def _thresholds(name: str, value: object) -> dict[str, object]:
    received = known_fields(json_object(name, value), ("verification", "identification"), f"{name}.")
    return {f"{use}_threshold": _score(f"{name}.{use}", score) for use, score in received.items()}


def _passphrases(name: str, value: object) -> dict[str, object]:
    if value is None:
        return {name: dict.fromkeys(limits.LOCALES_TEXT_DEPENDENT)}
    received = known_fields(json_object(name, value), limits.LOCALES_TEXT_DEPENDENT, f"{name}.")
    return {name: {locale: _phrases(f"{name}.{locale}", phrases) for locale, phrases in received.items()}}


def _phrases(name: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    rule = f"It must be null or a list of 1 to {limits.MAX_PASSPHRASES} phrases."
    if not isinstance(value, list) or not 1 <= len(value) <= limits.MAX_PASSPHRASES:
        raise ParameterInvalid(name, kind_of(value), rule)
    return tuple(dict.fromkeys(_phrase(f"{name}[{number}]", one) for number, one in enumerate(value)))


def _phrase(name: str, value: object) -> str:
    fewest, most, longest = limits.MIN_PASSPHRASE_WORDS, limits.MAX_PASSPHRASE_WORDS, limits.MAX_PASSPHRASE_CHARACTERS
    phrase = normalise_phrase(value) if isinstance(value, str) and len(value) <= longest else ""
    if len(phrase) > longest or not fewest <= len(phrase.split()) <= most:
        rule = f"A phrase has {fewest} to {most} words and at most {longest} characters."
        raise ParameterInvalid(name, kind_of(value), rule)
    return phrase


def _days(name: str, value: object) -> float | None:
    if value is None:
        return None
    rule = f"It must be a number of days above 0, up to {limits.MAX_RETENTION_DAYS:,.0f}, or null."
    return number(name, value, rule, lambda days: 0 < days <= limits.MAX_RETENTION_DAYS)


def _audit_days(name: str, value: object) -> dict[str, object]:
    least, most = limits.MIN_AUDIT_DAYS, limits.MAX_AUDIT_DAYS
    rule = f"It must be a number of days from {least:,.0f} to {most:,.0f}."
    return {"audit_days": number(name, value, rule, lambda days: least <= days <= most)}


def _rate(name: str, value: object) -> dict[str, object]:
    least, most = limits.MIN_REQUESTS_PER_SECOND, limits.MAX_REQUESTS_PER_SECOND
    rule = f"It must be a number from {least:g} to {most:,.0f}, or null."
    rate = None if value is None else number(name, value, rule, lambda one: least <= one <= most)
    return {"requests_per_second": rate}


def _score(name: str, value: object) -> float:
    return number(name, value, "It must be a number between 0 and 1, both excluded.", lambda score: 0 < score < 1)


def _count(field: str, most: int) -> Callable[[str, object], dict[str, object]]:
    def read(name: str, value: object) -> dict[str, object]:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ParameterInvalid(name, kind_of(value), f"It must be a whole number from 1 to {most:,}.")
        return {field: value}

    return read


def _flag(field: str) -> Callable[[str, object], dict[str, object]]:
    def read(name: str, value: object) -> dict[str, object]:
        if not isinstance(value, bool):
            raise ParameterInvalid(name, kind_of(value), "It must be true or false.")
        return {field: value}

    return read


_READERS: Final[Mapping[str, Callable[[str, object], dict[str, object]]]] = {
    "retention": _retention,
    "thresholds": _thresholds,
    "passphrases": _passphrases,
    "maxCandidates": _count("max_candidates", limits.MAX_CANDIDATES_SETTING),
    "maxProfiles": _count("max_profiles", limits.MAX_PROFILES_SETTING),
    "requireConsent": _flag("require_consent"),
    "keepIdentificationAudio": _flag("keep_identification_audio"),
    "auditDays": _audit_days,
    "requestsPerSecond": _rate,
    "quality": site.quality,
    "enrollmentCohesion": _flag("enrollment_cohesion"),
    "calibration": site.calibration,
}
