"""Types of settings: how a value is read from JSON, changed, shown, stored in a row, and described.

Reading refuses a value by its name with ``ParameterInvalid``, or a field inside it with ``FieldUnknown``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, TypeAlias

from shared.domain import limits
from shared.domain.calibration import (
    CALIBRATION_VALUES,
    HIGHEST_RATE,
    Calibration,
    FalseMatchRate,
    SiteCalibration,
    calibration_from_json,
)
from shared.domain.errors import ParameterInvalid
from shared.domain.json_values import json_object, kind_of, known_fields, number, text, within
from shared.domain.limits import QUALITY_BOUNDS, QualityLimits
from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE, ANY, Phrases, normalise_phrase

Schema: TypeAlias = dict[str, object]


@dataclass(frozen=True)
class SettingType:
    """``rule`` says what is valid, in refusals and in docs/management.md; ``schema`` is JSON Schema, for openapi.json.

    ``stored`` gives the row's cell, of the type ``cell`` (``None``: no cell), and ``restored`` takes it back.
    ``recorded`` is what the audit trail says of a value, where that is less than what ``shown`` gives.
    ``changed`` makes the new value of the one before and what was read, for types that change in parts.
    """

    read: Callable[[str, object], object]
    rule: str
    schema: Schema
    cell: type[Any] = str
    optional: bool = False
    schema_of_change: Schema | None = None
    changed: Callable[[Any, Any], Any] = lambda _, change: change
    shown: Callable[[Any], object] = lambda value: value
    stored: Callable[[Any], Any] = lambda value: value
    restored: Callable[[Any], Any] = lambda cell: cell
    recorded: Callable[[Any], object] | None = None

    def noted(self, value: Any) -> object:
        return (self.recorded or self.shown)(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ParameterInvalid(name, kind_of(value), FLAG.rule)
    return value


FLAG: Final = SettingType(_flag, "It must be true or false.", {"type": "boolean"}, bool)


def whole(most: int) -> SettingType:
    """From 1 to ``most``."""
    rule = f"It must be a whole number from 1 to {most:,}."

    def read(name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ParameterInvalid(name, kind_of(value), rule)
        return value

    return SettingType(read, rule, {"type": "integer", "minimum": 1, "maximum": most}, int)


def between(least: float, most: float, unit: str = "", *, above: bool = False, optional: bool = False) -> SettingType:
    """A number from ``least`` (``above``: that is more than ``least``) to ``most``. ``unit`` is such as ``of days``."""
    bounds = f"above {least:,g}, up to {most:,g}" if above else f"from {least:,g} to {most:,g}"
    rule = f"It must be a number {f'{unit} ' if unit else ''}{bounds}{', or null' if optional else ''}."

    def fits(value: float) -> bool:
        return (least < value if above else least <= value) and value <= most

    def read(name: str, value: object) -> float | None:
        return None if value is None and optional else number(name, value, rule, fits)

    lower = "exclusiveMinimum" if above else "minimum"
    schema: Schema = {"type": ["number", "null"] if optional else "number", lower: least, "maximum": most}
    return SettingType(read, rule, schema, float, optional)


def choice(values: type[StrEnum]) -> SettingType:
    """One of an enumeration's texts."""
    names = [value.value for value in values]
    rule = f"It must be {', '.join(names[:-1])} or {names[-1]}."

    def read(name: str, value: object) -> StrEnum:
        if value not in names:
            raise ParameterInvalid(name, kind_of(value), rule)
        return values(value)

    return SettingType(
        read, rule, {"enum": names}, shown=lambda value: value.value, stored=lambda value: value.value, restored=values
    )


SHARE_RULE: Final = "It must be a number between 0 and 1, both excluded."


def _share(name: str, value: object) -> float:
    return number(name, value, SHARE_RULE, lambda share: 0 < share < 1)


def _threshold(name: str, value: object) -> float | FalseMatchRate:
    if not isinstance(value, dict):
        return _share(name, value)
    received = known_fields(value, ("score", "falseMatchRate"), f"{name}.")
    if len(received) != 1:
        raise ParameterInvalid(name, kind_of(value), "It must have either score or falseMatchRate.")
    ((field, read),) = received.items()
    share = _share(f"{name}.{field}", read)
    return share if field == "score" else FalseMatchRate(f"{name}.{field}", share)


def _object(properties: Schema, *, required: bool) -> Schema:
    names = {"required": list(properties)} if required else {}
    return {"type": "object", "properties": properties, **names, "additionalProperties": False}


_SCORE: Final[Schema] = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
SCORE: Final = SettingType(_share, SHARE_RULE, _SCORE, float)

_RATE: Final[Schema] = {"type": "number", "exclusiveMinimum": 0, "maximum": HIGHEST_RATE}
THRESHOLD: Final = SettingType(
    _threshold,
    SHARE_RULE,
    _SCORE,
    float,
    schema_of_change={
        "oneOf": [_SCORE, _object({"score": _SCORE}, required=True), _object({"falseMatchRate": _RATE}, required=True)]
    },
)
"""A score, or the false-match rate that the score is to stand for."""


def _by_locale(
    name: str, value: object, locales: Collection[str], listed: Callable[[str, object, str], Phrases]
) -> dict[str, Phrases | None]:
    if value is None:
        return dict.fromkeys(locales)
    received = known_fields(json_object(name, value), locales, f"{name}.")
    return {
        locale: None if phrases is None else listed(f"{name}.{locale}", phrases, locale)
        for locale, phrases in received.items()
    }


def _phrase_list(name: str, value: object, locale: str) -> Phrases:
    if value == ANY:
        return ANY
    phrases = _listed(name, value, f'null, "{ANY}" or')
    return tuple(dict.fromkeys(_phrase(f"{name}[{place}]", phrase, locale) for place, phrase in enumerate(phrases)))


def _listed(name: str, value: object, or_else: str) -> list[object]:
    if not isinstance(value, list) or not 1 <= len(value) <= limits.MAX_PASSPHRASES:
        rule = f"It must be {or_else} a list of 1 to {limits.MAX_PASSPHRASES} phrases."
        raise ParameterInvalid(name, kind_of(value), rule)
    return value


def _phrase(name: str, value: object, locale: str) -> str:
    """A language that puts no spaces between words is counted by characters."""
    longest = limits.MAX_PASSPHRASE_CHARACTERS
    phrase = normalise_phrase(value) if isinstance(value, str) and len(value) <= longest else ""
    if locale in limits.LOCALES_BY_CHARACTER:
        phrase = phrase.replace(" ", "")
        count, fewest, most = len(phrase), limits.MIN_PASSPHRASE_SIGNS, limits.MAX_PASSPHRASE_SIGNS
        rule = f"A phrase has {fewest} to {most} characters."
    else:
        count, fewest, most = len(phrase.split()), limits.MIN_PASSPHRASE_WORDS, limits.MAX_PASSPHRASE_WORDS
        rule = f"A phrase has {fewest} to {most} words and at most {longest} characters."
    if len(phrase) > longest or not fewest <= count <= most:
        raise ParameterInvalid(name, kind_of(value), rule)
    return phrase


def _changed_by_locale(before: Mapping[str, Phrases], change: Mapping[str, Phrases | None]) -> dict[str, Phrases]:
    return {locale: phrases for locale, phrases in {**before, **change}.items() if phrases is not None}


PHRASES: Final = SettingType(
    lambda name, value: _by_locale(name, value, limits.LOCALES, _phrase_list),
    f'It must be an object by locale, each a list or "{ANY}".',
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [{"type": ["array", "null"], "items": {"type": "string"}}, {"const": ANY}],
        },
    },
    changed=_changed_by_locale,
    shown=lambda by_locale: {at: ANY if listed == ANY else list(listed) for at, listed in by_locale.items()},
    stored=lambda by_locale: json.dumps(dict(by_locale)) if by_locale else None,
    restored=lambda cell: {at: ANY if listed == ANY else tuple(listed) for at, listed in json.loads(cell).items()},
    recorded=lambda by_locale: {at: ANY if listed == ANY else len(listed) for at, listed in by_locale.items()},
)
"""Lists in normalised form by locale, or ``ANY``. A change names locales: ``None`` takes what is said of one away."""


def _activation_list(name: str, value: object, _: str) -> Phrases:
    phrases = _listed(name, value, "null or")
    return tuple(
        text(f"{name}[{place}]", phrase, limits.MAX_PASSPHRASE_CHARACTERS) for place, phrase in enumerate(phrases)
    )


ACTIVATION_LOCALES: Final = tuple(at for at in limits.LOCALES if at not in ACTIVATION_PHRASES_BY_LOCALE)
ACTIVATION_PHRASES: Final = replace(
    PHRASES,
    read=lambda name, value: _by_locale(name, value, ACTIVATION_LOCALES, _activation_list),
    rule="It must be an object of lists by locale.",
    schema={"type": "object", "additionalProperties": {"type": ["array", "null"], "items": {"type": "string"}}},
)
"""Lists as they are to be shown, by locale, but for the locales whose phrase was published."""


_LIMITS: Final = {
    "minSpeechSeconds": "min_speech_seconds",
    "minSnrDb": "min_snr_db",
    "maxClippedPercent": "max_clipped_percent",
    "minLevelDbfs": "min_level_dbfs",
    "minBandwidthHz": "min_bandwidth_hz",
}


def _quality(name: str, value: object) -> dict[str, float | None]:
    if value is None:
        return dict.fromkeys(_LIMITS.values())
    received = known_fields(json_object(name, value), _LIMITS, f"{name}.")
    return {
        _LIMITS[limit]: None if read is None else within(f"{name}.{limit}", read, *QUALITY_BOUNDS[_LIMITS[limit]])
        for limit, read in received.items()
    }


def _own_limits(quality: QualityLimits) -> dict[str, float]:
    return {field: limit for field, limit in asdict(quality).items() if limit is not None}


_QUALITY: Final = _object(
    {limit: between(*QUALITY_BOUNDS[field], optional=True).schema for limit, field in _LIMITS.items()}, required=False
)
QUALITY: Final = SettingType(
    _quality,
    "It must be an object of limits, each a number or null.",
    {**_QUALITY, "type": ["object", "null"]},
    changed=lambda before, change: replace(before, **change),
    shown=lambda quality: {
        limit: own for limit, field in _LIMITS.items() if (own := getattr(quality, field)) is not None
    },
    stored=lambda quality: json.dumps(_own_limits(quality)) if _own_limits(quality) else None,
    restored=lambda cell: QualityLimits(**json.loads(cell)),
)
"""``QualityLimits``. A change names limits: ``None`` gives one back to the generation of the API."""


def _calibration(name: str, value: object) -> SiteCalibration | None:
    if value is None:
        return None
    received = known_fields(json_object(name, value), ("modelId", "values"), f"{name}.")
    model_id = text(f"{name}.modelId", received.get("modelId"), 100)
    return SiteCalibration(model_id, calibration_from_json(f"{name}.values", received.get("values")))


def _calibration_shown(site: SiteCalibration | None) -> object:
    if site is None:
        return None
    values = {field: getattr(site.calibration, field) for field in CALIBRATION_VALUES}
    return {"modelId": site.model_id, "values": values}


def _calibration_recorded(site: SiteCalibration | None) -> object:
    if site is None:
        return None
    values = json.dumps(_calibration_shown(site), sort_keys=True)
    return {"modelId": site.model_id, "sha256": sha256(values.encode()).hexdigest()}


def _calibration_restored(cell: str) -> SiteCalibration:
    site = json.loads(cell)
    values = {field: site["calibration"][field] for field in CALIBRATION_VALUES}
    return SiteCalibration(site["model_id"], Calibration(**values))


_SITE: Final = _object({"modelId": {"type": "string"}, "values": {"type": "object"}}, required=True)
CALIBRATION: Final = SettingType(
    _calibration,
    "It must be an object of modelId and values, or null.",
    {**_SITE, "type": ["object", "null"]},
    optional=True,
    shown=_calibration_shown,
    stored=lambda site: json.dumps(asdict(site)) if site else None,
    restored=_calibration_restored,
    recorded=_calibration_recorded,
)
"""``SiteCalibration``, or ``None`` for the model's own."""


_KEPT_DAYS: Final = between(limits.MIN_RECOGNITION_DAYS, limits.MAX_RECOGNITION_DAYS, "of days")


def _kept_days(name: str, value: object) -> object:
    if value is None:
        return None
    received = known_fields(json_object(name, value), ("days",), f"{name}.")
    return _KEPT_DAYS.read(f"{name}.days", received.get("days"))


KEPT_DAYS: Final = SettingType(
    _kept_days,
    'It must be {"days": 1 to 400}, or null.',
    {**_object({"days": _KEPT_DAYS.schema}, required=True), "type": ["object", "null"]},
    float,
    optional=True,
    shown=lambda days: None if days is None else {"days": days},
)
"""A number of days in an object of its own, or ``None``."""
