"""Tokens for one purpose: what a browser or kiosk may do in the place of a key, signed and for minutes.

``timbre1.<payload>.<HMAC-SHA256>``, both in base64url without padding. There is one algorithm and no header that names
it. The payload says which key issued the token, so that the token ends with it; nothing is stored of a token until it
is spent.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from shared.domain.access import Role
from shared.domain.errors import OutsideToken, SubscriptionUnknown
from shared.domain.group import EVERYONE, GROUP_PREFIX, Candidates, Everyone, InGroup

PREFIX: Final = "timbre1."
MAX_CHARACTERS: Final = 16_384
"""Our choice: the ids of 200 candidates take 10,500."""

FINGERPRINT_DIGITS: Final = 16

_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,63}")


class TokenOperation(StrEnum):
    """What a token can be for."""

    VERIFY = "verify"
    IDENTIFY = "identify"
    IDENTIFY_TURNS = "identifyTurns"
    ENROLL = "enroll"
    RESET = "reset"
    CHALLENGE = "challenge"
    READ = "read"


NEEDED_ROLE: Final[Mapping[TokenOperation, Role]] = MappingProxyType(
    {
        TokenOperation.VERIFY: Role.RECOGNISE,
        TokenOperation.IDENTIFY: Role.RECOGNISE,
        TokenOperation.IDENTIFY_TURNS: Role.RECOGNISE,
        TokenOperation.CHALLENGE: Role.RECOGNISE,
        TokenOperation.READ: Role.RECOGNISE,
        TokenOperation.ENROLL: Role.ENROLL,
        TokenOperation.RESET: Role.ENROLL,
    }
)
"""Of the key that issues a token, when it does and whenever the token is used."""

OF_ONE_PROFILE: Final = frozenset({TokenOperation.VERIFY, TokenOperation.ENROLL, TokenOperation.RESET})
"""A token for one of these names its profile."""

AMONG_CANDIDATES: Final = frozenset({TokenOperation.IDENTIFY, TokenOperation.IDENTIFY_TURNS})
"""A token for one of these names its candidates."""


@dataclass(frozen=True)
class Scope:
    """``profile_id`` None: any profile may be read. ``candidates`` None: nobody can be identified."""

    operations: tuple[TokenOperation, ...]
    profile_id: str | None = None
    candidates: Candidates | None = None

    @property
    def role(self) -> Role:
        """The least role that may do all of it."""
        return max((NEEDED_ROLE[operation] for operation in self.operations), key=list(Role).index)

    def require(self, admitted: Collection[TokenOperation]) -> None:
        """One of these. Raises ``OutsideToken``."""
        if not set(admitted) & set(self.operations):
            raise OutsideToken(f"is for {', '.join(self.operations)} only")

    def require_profile(self, profile_id: str | None) -> None:
        """``None``: all of them. Raises ``OutsideToken``."""
        if self.profile_id not in (None, profile_id):
            raise OutsideToken(f"is for the profile {self.profile_id} only")

    def require_candidates(self, candidates: Candidates) -> None:
        """Those of the token, or some of its list. Raises ``OutsideToken``."""
        granted = self.candidates
        if isinstance(granted, Everyone) or granted == candidates:
            return
        if isinstance(granted, Sequence) and isinstance(candidates, Sequence) and set(candidates) <= set(granted):
            return
        raise OutsideToken("is for other candidates")


@dataclass(frozen=True)
class Token:
    """``fingerprint`` is that of the key with the name ``key_name``, which issued it. Times are whole seconds."""

    token_id: str
    subscription_id: str
    key_name: str
    fingerprint: str
    scope: Scope
    issued_at: datetime
    expires_at: datetime
    once: bool = False

    def signed(self, key: bytes) -> str:
        """The token's text. ``key``: 32 bytes of the subscription's own."""
        body = PREFIX + _encoded(json.dumps(_payload(self), separators=(",", ":")).encode())
        return f"{body}.{_signature(body, key)}"


@dataclass(frozen=True)
class SignedToken:
    """What was received: true only if ``require_signature`` says so."""

    token: Token
    body: str = field(repr=False)
    signature: str = field(repr=False)

    @classmethod
    def parse(cls, received: str) -> SignedToken:
        """``SubscriptionUnknown`` for what is no token."""
        body, _, signature = received.rpartition(".")
        if len(received) > MAX_CHARACTERS or not received.isascii() or not body.startswith(PREFIX):
            raise SubscriptionUnknown
        try:
            token = _token(json.loads(base64.urlsafe_b64decode(body.removeprefix(PREFIX) + "==")))
        except (ValueError, TypeError, LookupError, OverflowError, OSError, RecursionError):
            raise SubscriptionUnknown from None
        return cls(token, body, signature)

    def require_signature(self, key: bytes) -> None:
        """Raises ``SubscriptionUnknown``."""
        if not hmac.compare_digest(self.signature, _signature(self.body, key)):
            raise SubscriptionUnknown


def fingerprint(key: str) -> str:
    """The beginning of a key's SHA-256 in hex: another key of the same name has another one."""
    return sha256(key.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def _signature(body: str, key: bytes) -> str:
    return _encoded(hmac.new(key, body.encode(), sha256).digest())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _payload(token: Token) -> dict[str, object]:
    scope = token.scope
    return {
        "id": token.token_id,
        "subscription": token.subscription_id,
        "key": token.key_name,
        "fingerprint": token.fingerprint,
        "operations": list(scope.operations),
        "profileId": scope.profile_id,
        "candidates": _written(scope.candidates),
        "issued": int(token.issued_at.timestamp()),
        "expires": int(token.expires_at.timestamp()),
        "once": token.once,
    }


def _token(payload: Mapping[str, Any]) -> Token:
    """Names are checked before the signature is: storage is asked by them. Raises what a wrong shape raises."""
    if not all(_NAME.fullmatch(payload[name]) for name in ("id", "subscription", "key", "fingerprint")):
        raise ValueError("no name")
    operations = tuple(TokenOperation(name) for name in payload["operations"])
    return Token(
        token_id=payload["id"],
        subscription_id=payload["subscription"],
        key_name=payload["key"],
        fingerprint=payload["fingerprint"],
        scope=Scope(operations, payload["profileId"], _candidates(payload["candidates"])),
        issued_at=datetime.fromtimestamp(payload["issued"], UTC),
        expires_at=datetime.fromtimestamp(payload["expires"], UTC),
        once=payload["once"],
    )


def _written(candidates: Candidates | None) -> object:
    if isinstance(candidates, Everyone):
        return EVERYONE
    if isinstance(candidates, InGroup):
        return GROUP_PREFIX + candidates.name
    return candidates and list(candidates)


def _candidates(written: Any) -> Candidates | None:
    if written == EVERYONE:
        return Everyone()
    if isinstance(written, str):
        return InGroup(written.removeprefix(GROUP_PREFIX))
    return written and [str(profile_id) for profile_id in written]
