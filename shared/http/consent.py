"""The wire of a speaker's permission: ``.../{profileId}/consent``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from shared.domain.consent import ConsentRecord
from shared.domain.errors import ParameterInvalid, ParameterMissing
from shared.domain.profile import Profile
from shared.http.api import Call
from shared.http.fields import known_fields
from shared.http.reply import Reply, date
from shared.http.request import json_object

MAX_TEXT_CHARACTERS: Final = 256
"""Of each text in a consent record: ids and names, not the statement itself."""

_TEXTS: Final = ("statementId", "channel", "reference")
_FIELDS: Final = ("statementId", "recordedDateTime", "channel", "reference")


def consent_record(call: Call, now: datetime) -> ConsentRecord:
    """``statementId`` is needed; ``recordedDateTime`` is now unless it is said.

    Raises ``BodyMissing``, ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterMissing``, ``ParameterInvalid``.
    """
    received = known_fields(json_object(call.request), _FIELDS)
    statement_id, channel, reference = (_text(name, received.get(name)) for name in _TEXTS)
    if statement_id is None:
        raise ParameterMissing("statementId", "It names the statement that the speaker agreed to.")
    return ConsentRecord(statement_id, _moment(received.get("recordedDateTime"), now), channel, reference)


def consent_shown(profile: Profile) -> Reply:
    consent, record = profile.consent, profile.consent.record
    state = "given" if consent.given else "none" if consent.withdrawn_at is None else "withdrawn"
    return Reply(
        200,
        {
            "profileId": profile.key.profile_id,
            "state": state,
            "statementId": record.statement_id if record else None,
            "recordedDateTime": date(record.recorded_at) if record else None,
            "channel": record.channel if record else None,
            "reference": record.reference if record else None,
            "withdrawnDateTime": date(consent.withdrawn_at) if consent.withdrawn_at else None,
        },
    )


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT_CHARACTERS or not value.isprintable():
        rule = f"It must be a text of 1 to {MAX_TEXT_CHARACTERS} printable characters."
        raise ParameterInvalid(name, "a text" if isinstance(value, str) else type(value).__name__, rule)
    return value


def _moment(value: object, now: datetime) -> datetime:
    if value is None:
        return now
    rule = "It must be a time in ISO 8601, not in the future, such as 2026-11-22T12:00:00Z."
    received = value if isinstance(value, str) else type(value).__name__
    try:
        read = datetime.fromisoformat(received)
        moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ParameterInvalid("recordedDateTime", received, rule) from error
    if not _EARLIEST <= moment <= now:
        raise ParameterInvalid("recordedDateTime", received, rule)
    return moment


_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
