"""What is noted on one profile, on the wire: ``.../{profileId}/consent`` and ``.../{profileId}/retention``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from shared.domain.consent import ConsentRecord
from shared.domain.errors import BodyMissing, ParameterInvalid, ParameterMissing
from shared.domain.json_values import kind_of, known_fields, moment
from shared.domain.profile import Profile, RetentionOverride
from shared.domain.retention import effective
from shared.domain.subscription import RetentionPolicy, Unset
from shared.domain.times import date
from shared.http.api import Call
from shared.http.reply import Reply, expires
from shared.http.request import json_object
from shared.http.settings import retention_override, retention_shown

MAX_TEXT_CHARACTERS: Final = 256
"""Of each text in a consent record: ids and names, not the statement itself."""

_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)


def read_consent(call: Call, now: datetime) -> ConsentRecord:
    """``statementId`` is needed; ``recordedDateTime`` is now unless it is given.

    Raises ``BodyMissing``, ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterMissing``, ``ParameterInvalid``.
    """
    fields = ("statementId", "recordedDateTime", "channel", "reference")
    received = known_fields(json_object(call.request), fields)
    statement_id, channel, reference = (
        _text(name, received.get(name)) for name in ("statementId", "channel", "reference")
    )
    if statement_id is None:
        raise ParameterMissing("statementId", "It names the statement that the speaker agreed to.")
    given = received.get("recordedDateTime")
    rule = "It must be a time in ISO 8601, not in the future, such as 2026-11-22T12:00:00Z."
    at = now if given is None else moment("recordedDateTime", given, rule, lambda read: _EARLIEST <= read <= now)
    return ConsentRecord(statement_id, at, channel, reference)


def write_consent(profile: Profile) -> Reply:
    consent, record = profile.consent, profile.consent.record
    return Reply(
        200,
        {
            "profileId": profile.key.profile_id,
            "state": "given" if consent.given else "none" if consent.withdrawn_at is None else "withdrawn",
            "statementId": record and record.statement_id,
            "recordedDateTime": record and date(record.recorded_at),
            "channel": record and record.channel,
            "reference": record and record.reference,
            "withdrawnDateTime": date(consent.withdrawn_at),
        },
    )


def read_retention(call: Call) -> RetentionOverride:
    """A clock that is not named is the subscription's.

    Raises ``BodyMissing``, ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterInvalid``.
    """
    if not call.request.get_body():
        raise BodyMissing
    return retention_override(json_object(call.request), call.subscription.settings.min_retention_days)


def write_retention(profile: Profile, policy: RetentionPolicy) -> Reply:
    """The two clocks as they count for this profile, and under ``override`` those that are its own."""
    own = retention_shown(profile.retention)
    return Reply(
        200,
        {
            "profileId": profile.key.profile_id,
            **retention_shown(effective(policy, profile.retention)),
            "override": {name: days for name, days in own.items() if not isinstance(days, Unset)},
            **expires(profile),
        },
    )


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT_CHARACTERS or not value.isprintable():
        rule = f"It must be a text of 1 to {MAX_TEXT_CHARACTERS} printable characters."
        raise ParameterInvalid(name, kind_of(value), rule)
    return value
