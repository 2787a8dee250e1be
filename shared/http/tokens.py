"""Tokens on the wire: what is asked for, and which operation of a token a request is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.domain.errors import ParameterInvalid, TooManyCandidates
from shared.domain.group import Candidates
from shared.domain.json_values import kind_of, known_fields
from shared.domain.times import date
from shared.domain.token import AMONG_CANDIDATES, OF_ONE_PROFILE, Scope, Token, TokenOperation
from shared.http import request
from shared.http.api import Call
from shared.http.origins import KEY_HEADER
from shared.http.reply import Reply

ADMITTED: Final[Mapping[tuple[str, str], frozenset[TokenOperation]]] = MappingProxyType(
    {
        ("verify", "POST"): frozenset({TokenOperation.VERIFY}),
        ("identify", "POST"): frozenset({TokenOperation.IDENTIFY}),
        ("identifyTurns", "POST"): frozenset({TokenOperation.IDENTIFY_TURNS}),
        ("long_operation", "GET"): frozenset({TokenOperation.IDENTIFY_TURNS, TokenOperation.READ}),
        ("enroll", "POST"): frozenset({TokenOperation.ENROLL}),
        ("reset", "POST"): frozenset({TokenOperation.RESET}),
        ("challenges", "POST"): frozenset({TokenOperation.CHALLENGE}),
        **{
            (name, "GET"): frozenset({TokenOperation.READ}) for name in ("profiles", "profile", "phrases", "operations")
        },
        ("caller", "GET"): frozenset(TokenOperation),
    }
)
"""Which tokens a handler's operation and method take. What is not here takes none."""

MAX_MINUTES: Final = 60
DEFAULT_MINUTES: Final = 10

_OPERATIONS_RULE: Final = f"It must be a list of one or more of {', '.join(TokenOperation)}."
_MINUTES_RULE: Final = f"It must be a whole number from 1 to {MAX_MINUTES}."
_USES_RULE: Final = "It must be 1, or null for any number."


@dataclass(frozen=True)
class NewToken:
    scope: Scope
    minutes: int
    once: bool


def read_new_token(call: Call) -> NewToken:
    """Raises ``BodyMissing``, ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterInvalid``, ``IdMalformed``,
    ``TooManyCandidates``."""
    fields = ("operations", "profileId", "profileIds", "minutes", "uses")
    received = known_fields(request.json_object(call.request), fields)
    operations = _operations(received.get("operations"))
    profile_id = _text("profileId", received.get("profileId"), operations, OF_ONE_PROFILE)
    candidates = _text("profileIds", received.get("profileIds"), operations, AMONG_CANDIDATES)
    scope = Scope(
        operations,
        request.guid(profile_id) if profile_id is not None else None,
        _candidates(call, candidates) if candidates is not None else None,
    )
    minutes, uses = received.get("minutes", DEFAULT_MINUTES), received.get("uses")
    if type(minutes) is not int or not 1 <= minutes <= MAX_MINUTES:
        raise ParameterInvalid("minutes", kind_of(minutes), _MINUTES_RULE)
    if uses is not None and (type(uses) is not int or uses != 1):
        raise ParameterInvalid("uses", kind_of(uses), _USES_RULE)
    return NewToken(scope, minutes, once=uses == 1)


def issuing_key(call: Call) -> str:
    """A token makes no token, so the request came with a key."""
    return str(call.request.headers[KEY_HEADER])


def write_token(token: Token, text: str) -> Reply:
    return Reply(201, {"token": text, "expiresDateTime": date(token.expires_at)}, {"Cache-Control": "no-store"})


def _operations(value: object) -> tuple[TokenOperation, ...]:
    known = {operation.value: operation for operation in TokenOperation}
    names = value if isinstance(value, list) else []
    unknown = [name for name in names if not isinstance(name, str) or name not in known]
    if not names or unknown:
        raise ParameterInvalid("operations", _received(unknown[0]) if unknown else kind_of(value), _OPERATIONS_RULE)
    return tuple(dict.fromkeys(known[name] for name in names))


def _received(name: object) -> str:
    return name if isinstance(name, str) else kind_of(name)


def _text(name: str, value: object, operations: Collection[str], needing: Collection[str]) -> str | None:
    """``None`` where it is absent and none of the operations needs it."""
    if value is None and (needed := [operation for operation in operations if operation in needing]):
        raise ParameterInvalid(name, kind_of(value), f"A token for {' and '.join(needed)} has to name it.")
    if value is not None and not isinstance(value, str):
        raise ParameterInvalid(name, kind_of(value), "It must be a text or null.")
    return value


def _candidates(call: Call, received: str) -> Candidates:
    candidates, maximum = request.candidates("profileIds", received), call.subscription.settings.max_candidates
    if isinstance(candidates, list) and len(candidates) > maximum:
        raise TooManyCandidates(len(candidates), maximum)
    return candidates
