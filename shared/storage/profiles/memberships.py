"""Who is in which group: two rows for each membership, found from the group and from the profile. How they go away."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from shared.domain.profile import ProfileKey
from shared.storage.backend.ports import MAX_CHANGES, Remove, Row, RowMissing, Rows
from shared.storage.backend.row_values import Fields
from shared.storage.layout import end_of, grouped_prefix, grouped_row, member_row, members_prefix

_MOST: Final = MAX_CHANGES // 2


def forget(rows: Rows, key: ProfileKey) -> None:
    """Take the profile, which is gone, out of every group: nobody can add it. Safe to run twice and side by side."""
    prefix = grouped_prefix(key.profile_id)
    groups = _some(rows, key.subscription_id, prefix)
    while groups:
        _take_away(rows, key.subscription_id, [(one, key.profile_id) for one in groups])
        groups = _some(rows, key.subscription_id, prefix) if len(groups) == _MOST else []


class Disbander:
    """Handles the row that a deleted group leaves: nobody can be added to it. Safe to run twice and side by side."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __call__(self, subscription_id: str, due: Row, at: datetime) -> None:  # noqa: ARG002
        group_id = Fields(due).text("group_id")
        prefix = members_prefix(group_id)
        members = _some(self._rows, subscription_id, prefix)
        while members:
            _take_away(self._rows, subscription_id, [(group_id, one) for one in members])
            members = _some(self._rows, subscription_id, prefix) if len(members) == _MOST else []
        with suppress(RowMissing):
            self._rows.apply(subscription_id, [Remove(due.key)])


def _some(rows: Rows, subscription_id: str, prefix: str) -> list[str]:
    """What stands behind the prefix in the first rows that have it; fewer than ``_MOST`` are all."""
    found = rows.query(subscription_id, prefix, end_of(prefix), limit=_MOST, select=())
    return [row.key.removeprefix(prefix) for row in found]


def _take_away(rows: Rows, subscription_id: str, memberships: Sequence[tuple[str, str]]) -> None:
    """Both rows of each (group, profile): at once, or one by one where another instance takes them away too."""
    keys = [key for one, other in memberships for key in (member_row(one, other), grouped_row(other, one))]
    try:
        rows.apply(subscription_id, [Remove(key) for key in keys])
    except RowMissing:
        for key in keys:
            with suppress(RowMissing):
                rows.apply(subscription_id, [Remove(key)])
