"""A named group of identification profiles: whom an identify is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

EVERYONE: Final = "*"
GROUP_PREFIX: Final = "group:"
"""How candidates that are no list are written: everyone, and before a group's name."""


@dataclass(frozen=True)
class Group:
    """``group_id`` tells it from an earlier one of the same name."""

    subscription_id: str
    name: str
    group_id: str
    created_at: datetime


@dataclass(frozen=True)
class Everyone:
    """As candidates: every enrolled profile of the subscription."""


@dataclass(frozen=True)
class InGroup:
    """As candidates: every enrolled profile in the group of this name."""

    name: str


Candidates: TypeAlias = Sequence[str] | Everyone | InGroup
"""Whom an identify is to choose from: ids, or one of the above."""
