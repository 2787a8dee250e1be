"""Challenges on the wire: ``.../{profileId}/challenges``."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from shared.domain.errors import ParameterInvalid, PathUnknown
from shared.domain.json_values import kind_of, known_fields
from shared.domain.limits import MAX_CHALLENGE_DIGITS, MIN_CHALLENGE_DIGITS
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.times import date
from shared.http.api import Call
from shared.http.reply import Reply
from shared.http.request import json_object
from shared.services.challenges import Drawn

_RULE: Final = f"It must be a whole number from {MIN_CHALLENGE_DIGITS} to {MAX_CHALLENGE_DIGITS}."


def read_whom(call: Call) -> ProfileKey:
    """The profile. Raises ``PathUnknown``: nobody is identified by a challenge."""
    key = call.api.read_profile(call)
    if key.kind is ProfileKind.IDENTIFICATION:
        raise PathUnknown(urlsplit(call.request.url).path)
    return key


def read_count(call: Call) -> int:
    """How many digits; no body asks for the least. Raises ``BodyNotUnderstood``, ``FieldUnknown``,
    ``ParameterInvalid``."""
    received = known_fields(json_object(call.request), ("digits",)) if call.request.get_body() else {}
    count = received.get("digits", MIN_CHALLENGE_DIGITS)
    if type(count) is not int or not MIN_CHALLENGE_DIGITS <= count <= MAX_CHALLENGE_DIGITS:
        raise ParameterInvalid("digits", kind_of(count), _RULE)
    return count


def write_challenge(drawn: Drawn) -> Reply:
    body: dict[str, object] = {
        "challengeId": drawn.challenge.challenge_id,
        "profileId": drawn.challenge.key.profile_id,
        "locale": drawn.locale,
        "text": drawn.text,
        "expiresDateTime": date(drawn.challenge.expires_at),
    }
    return Reply(201, body, {"Cache-Control": "no-store"})
