"""What whoever calls may do: roles, each of which contains the one before it, and the keys that have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """In their order: ``recognise`` uses voices, ``enroll`` changes profiles, ``manage`` decides for all of them."""

    RECOGNISE = "recognise"
    ENROLL = "enroll"
    MANAGE = "manage"

    def contains(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class AccessKey:
    """A key that opens a subscription, without its secret. ``expires_at`` None: until it is deleted.

    ``created_at`` is when its secret was made. None: not noted, as for the classic keys.
    """

    name: str
    role: Role
    created_at: datetime | None = None
    expires_at: datetime | None = None

    def has_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at
