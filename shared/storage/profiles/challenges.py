"""Challenges as rows of their profile: five places, so that there are never more, however many are drawn at once.

A challenge is written in one transaction with the profile's own row, which must stay as it was, and with the row that
lets the timer take it away: none is left of a profile that is deleted or reset at that moment.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from shared.domain.challenge import Challenge
from shared.domain.errors import ChallengeUnusable, ProfileBusy, ProfileNotFound, TooManyChallenges
from shared.domain.profile import ProfileKey
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import Insert, Merge, Remove, Row, RowConflict, Rows, Value
from shared.storage.layout import CHALLENGE, challenge_row, challenges_prefix, due_row, end_of, profile_row
from shared.storage.sealing.envelope import Envelope, Place, Secret


class RowChallenges:
    """Implements ``ChallengeStore``. ``voices`` is the table of voice data."""

    def __init__(self, voices: Rows, envelope: Envelope) -> None:
        self._voices, self._envelope = voices, envelope

    def add(self, challenge: Challenge, maximum: int, at: datetime) -> None:
        key, due = challenge.key, _due(challenge.challenge_id, challenge.expires_at)
        values: dict[str, Value] = {
            "challenge_id": challenge.challenge_id,
            "expires_at": challenge.expires_at,
            "digits": self._envelope.seal(_place(challenge), challenge.digits.encode()),
        }

        def attempt() -> None:
            profile = self._profile(challenge)
            row, former = self._free_place(challenge, maximum, at)
            taking = Merge(row, values, former.etag) if former else Insert(row, values)
            unchanged = Merge(profile.key, {"epoch": challenge.epoch}, profile.etag)
            self._voices.apply(key.subscription_id, [unchanged, taking, Insert(due, {"row": row})])

        compare_and_swap(attempt, ProfileBusy(key.profile_id))

    def _profile(self, challenge: Challenge) -> Row:
        """The row of the profile that the challenge was drawn for."""
        key = challenge.key
        profile = self._voices.get(key.subscription_id, profile_row(key))
        if profile is None:
            raise ProfileNotFound(key.profile_id)
        if profile.get("epoch", int) != challenge.epoch:
            raise ProfileBusy(key.profile_id)
        return profile

    def _free_place(self, challenge: Challenge, maximum: int, at: datetime) -> tuple[str, Row | None]:
        """The key of a row, and the expired challenge that stands in it, if one does."""
        rows = {row.key: row for row in self._rows(challenge.key, challenge.epoch)}
        for place in range(maximum):
            key = challenge_row(challenge.key, challenge.epoch, place)
            former = rows.get(key)
            if former is None or _expiry(former) <= at:
                return key, former
        soonest = min(map(_expiry, rows.values()))
        raise TooManyChallenges(maximum, math.ceil((soonest - at).total_seconds()))

    def get(self, key: ProfileKey, epoch: int, challenge_id: str, at: datetime) -> Challenge:
        for row in self._rows(key, epoch):
            if row.get("challenge_id", str) == challenge_id and _expiry(row) > at:
                challenge = Challenge(challenge_id, key, epoch, "", _expiry(row), row)
                digits = self._envelope.open(_place(challenge), row.get("digits", bytes))
                return replace(challenge, digits=digits.decode())
        raise ChallengeUnusable

    def spend(self, challenge: Challenge) -> None:
        assert isinstance(challenge.version, Row), "a challenge that was not read from this store"
        row, due = challenge.version, _due(challenge.challenge_id, challenge.expires_at)
        try:
            self._voices.apply(row.partition, [Remove(row.key, row.etag), Remove(due)])
        except RowConflict:
            raise ChallengeUnusable from None

    def _rows(self, key: ProfileKey, epoch: int) -> list[Row]:
        prefix = challenges_prefix(key, epoch)
        return list(self._voices.query(key.subscription_id, prefix, end_of(prefix)))


def take_away_challenge(voices: Rows, due: Row) -> None:
    """Nobody has answered it. In its place may stand a later challenge by now. Safe to run twice and at once."""
    row = voices.get(due.partition, due.get("row", str))
    if row is not None and due.key == _due(row.get("challenge_id", str), _expiry(row)):
        with suppress(RowConflict):  # spent meanwhile, or taken away: then this row has gone with it
            voices.apply(due.partition, [Remove(row.key, row.etag), Remove(due.key)])
    else:
        remove_silently(voices, due.partition, due.key)


def _expiry(row: Row) -> datetime:
    return row.get("expires_at", datetime)


def _due(challenge_id: str, expires_at: datetime) -> str:
    return due_row(expires_at, CHALLENGE, challenge_id)


def _place(challenge: Challenge) -> Place:
    return Place(challenge.key, Secret.CHALLENGE, challenge.epoch, "", challenge.challenge_id)
