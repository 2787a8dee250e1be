"""What is wrong with a census: pure, so that every rule can be tried on made-up rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.subscription import SubscriptionState
from shared.storage.layout import (
    MIGRATION,
    OPEN_TURNS,
    PACK,
    RECOGNISED,
    RECOGNITION_PREFIX,
    RECORD_PREFIX,
    TALLY,
    TURNS,
    TURNS_TIDY,
    VERIFY,
    audio_prefix,
    due_range,
    enrollments_prefix,
    pack_blob,
    time_in_key,
)
from shared.storage.profiles.schedule import ERASE, EXPIRE
from tools.orphans.census import Census

GRACE: Final = timedelta(hours=1)
"""How late the timer may be: it runs every five minutes, and postpones what failed by a quarter of an hour."""


KNOWN_ROWS: Final = (
    "profile:", "enrollment:", "due:", "change:", "group:", "member:", "grouped:", RECORD_PREFIX,
    RECOGNITION_PREFIX, RECOGNISED, OPEN_TURNS, VERIFY,
    TALLY, MIGRATION, PACK,
)  # fmt: skip
"""How the keys of a subscription's rows begin (``layout.py``)."""


class Problem(StrEnum):
    AUDIO_WITHOUT_ENROLLMENT = "audio that no enrollment refers to"
    ENROLLMENT_WITHOUT_AUDIO = "enrollment whose audio is missing"
    ENROLLMENT_WITHOUT_PROFILE = "enrollment that no profile counts"
    PROFILE_MISCOUNTED = "profile that counts other enrollments than there are"
    TALLY_WRONG = "number of profiles that is not the number of profiles"
    OVERDUE = "work of the timer that is late by more than an hour"
    EXPIRY_UNWATCHED = "profile that is to expire and that the timer will not look at"
    WATCH_OF_NOBODY = "row that would look for the expiry of a profile that is gone"
    PACK_WITHOUT_ROW = "pack of voices that no row names"
    TURNS_WITHOUT_OPERATION = "blob of a long recording that no operation names"
    OPEN_WITHOUT_OPERATION = "row of an open long recording that will never be taken away"
    MEMBER_OF_NOBODY = "membership of a profile that is gone"
    RECOGNITION_OF_NOBODY = "record of a recognition of a profile that is gone"
    LEFT_OF_VERIFY = "what a verification of a profile that is gone has left"
    UNKNOWN_ROW = "row of no known kind"
    DATA_KEY_MISSING = "active subscription without its data key"
    DATA_KEY_ALIVE = "data key of a subscription that is deleted"
    LEFT_OF_DELETED = "row, blob or record of a subscription that is gone"
    KEY_STALE = "index entry of a key that opens nothing"
    KEY_LOST = "key of a subscription that no index entry leads to"


@dataclass(frozen=True)
class Finding:
    """``where`` is the name of a row or a blob: ids, nothing else."""

    problem: Problem
    subscription_id: str
    where: str


def findings(census: Census, at: datetime) -> frozenset[Finding]:
    return frozenset(Finding(problem, census.subscription_id, where) for problem, where in _problems(census, at))


def pending(census: Census) -> int:
    """How much the timer has yet to do: no fault."""
    return len(census.keys("due:"))


def _problems(census: Census, at: datetime) -> Iterator[tuple[Problem, str]]:
    if census.state is SubscriptionState.ACTIVE:
        yield from _active(census)
        yield from _late(census, at)
        yield from ((Problem.KEY_STALE, key) for key in census.stale_keys)
        yield from ((Problem.KEY_LOST, key) for key in census.lost_keys)
        return
    if census.has_data_key:
        yield Problem.DATA_KEY_ALIVE, "datakey"
    if census.state is not None and not census.erased:
        return  # the timer is at it
    yield from ((Problem.LEFT_OF_DELETED, name) for name in (*census.rows, *census.blobs))
    yield from ((Problem.PACK_WITHOUT_ROW, name) for name in census.packs)
    yield from ((Problem.TURNS_WITHOUT_OPERATION, name) for name in census.turns)
    yield from ((Problem.KEY_STALE, key) for key in census.stale_keys)
    if census.audit_records:
        yield Problem.LEFT_OF_DELETED, "audit"


def _active(census: Census) -> Iterator[tuple[Problem, str]]:
    if not census.has_data_key:
        yield Problem.DATA_KEY_MISSING, "datakey"
    yield from _voices(census)
    yield from _audio(census)
    yield from _expiry(census)
    yield from _galleries(census)
    yield from _recognitions(census)
    yield from _long_recordings(census)
    yield from _verifications(census)
    profiles = len(census.keys("profile:"))
    if census.rows.get(TALLY, {"profiles": 0}).get("profiles") != profiles:
        yield Problem.TALLY_WRONG, TALLY
    known = KNOWN_ROWS
    yield from ((Problem.UNKNOWN_ROW, key) for key in census.rows if not key.startswith(known))


def _voices(census: Census) -> Iterator[tuple[Problem, str]]:
    doomed = tuple(rows for rows, _ in _doomed(census))
    profiles = {_own_enrollments(census, key): key for key in census.keys("profile:")}
    counted: Counter[str] = Counter()
    for enrollment in census.keys("enrollment:"):
        own = enrollment.rpartition(":")[0] + ":"
        if own in profiles:
            counted[own] += 1
        elif not enrollment.startswith(doomed):
            yield Problem.ENROLLMENT_WITHOUT_PROFILE, enrollment
    for own, key in profiles.items():
        if census.rows[key].get("enrollments_count") != counted[own]:
            yield Problem.PROFILE_MISCOUNTED, key


def _audio(census: Census) -> Iterator[tuple[Problem, str]]:
    kept = {str(census.rows[key]["blob"]): key for key in census.keys("enrollment:") if "blob" in census.rows[key]}
    due = {str(census.rows[key]["blob"]) for key in census.keys("due:") if "blob" in census.rows[key]}
    doomed = tuple(blobs for _, blobs in _doomed(census))
    for blob in census.blobs:
        if blob not in kept and blob not in due and not blob.startswith(doomed):
            yield Problem.AUDIO_WITHOUT_ENROLLMENT, blob
    for blob, enrollment in kept.items():
        if blob not in census.blobs and not blob.startswith(doomed):
            yield Problem.ENROLLMENT_WITHOUT_AUDIO, enrollment


def _expiry(census: Census) -> Iterator[tuple[Problem, str]]:
    """A profile that is to expire, and the row that makes the timer look, name each other."""
    values = [(key, census.rows[key]) for key in census.keys("due:") if _action(key) == EXPIRE]
    watched = {(row["kind"], row["profile_id"], row["armed_at"]) for _, row in values}
    gone = _gone(census)
    for profile in census.keys("profile:"):
        armed_at = census.rows[profile].get("armed_at")
        if armed_at is not None and (*profile.split(":")[1:], armed_at) not in watched:
            yield Problem.EXPIRY_UNWATCHED, profile
    for due, row in values:
        if gone(str(row["kind"]), str(row["profile_id"])):
            yield Problem.WATCH_OF_NOBODY, due


def _galleries(census: Census) -> Iterator[tuple[Problem, str]]:
    """The row names the pack; a member is an identification profile."""
    named = {pack_blob(census.subscription_id, str(census.rows[key]["blob"])) for key in census.keys(PACK)}
    yield from ((Problem.PACK_WITHOUT_ROW, name) for name in census.packs - named)
    gone = _gone(census)
    for row in census.keys("grouped:"):
        if gone(ProfileKind.IDENTIFICATION.value, row.split(":")[1]):
            yield Problem.MEMBER_OF_NOBODY, row


def _recognitions(census: Census) -> Iterator[tuple[Problem, str]]:
    gone = _gone(census)
    for pointer in census.keys(RECOGNISED):
        if gone(*pointer.split(":")[1:3]):
            yield Problem.RECOGNITION_OF_NOBODY, pointer


def _long_recordings(census: Census) -> Iterator[tuple[Problem, str]]:
    """Whatever there is of an operation, a row that is due names it."""
    due = {(action, key.split(":", 3)[3]) for key in census.keys("due:") for action in (_action(key),)}
    for key in census.keys(OPEN_TURNS):
        if (TURNS, census.rows[key].get("operation_id")) not in due:
            yield Problem.OPEN_WITHOUT_OPERATION, key
    for name in census.turns:
        operation_id = name.split("/")[1]
        if not {(TURNS, operation_id), (TURNS_TIDY, operation_id)} & due:
            yield Problem.TURNS_WITHOUT_OPERATION, name


def _verifications(census: Census) -> Iterator[tuple[Problem, str]]:
    """What a verification left stands under its profile, in the epoch of now."""
    doomed = tuple(rows for rows, _ in _doomed(census))
    kept = tuple(_own_enrollments(census, key).replace("enrollment:", VERIFY, 1) for key in census.keys("profile:"))
    for row in census.keys(VERIFY):
        if not row.startswith(kept) and not row.replace(VERIFY, "enrollment:", 1).startswith(doomed):
            yield Problem.LEFT_OF_VERIFY, row


def _late(census: Census, at: datetime) -> Iterator[tuple[Problem, str]]:
    _, end = due_range(at - GRACE)
    yield from ((Problem.OVERDUE, key) for key in census.keys("due:") if key < end)
    records = RECORD_PREFIX + time_in_key(at - GRACE)
    yield from ((Problem.OVERDUE, key) for key in census.keys(RECORD_PREFIX) if key < records)


def _doomed(census: Census) -> Iterator[tuple[str, str]]:
    """The prefixes of rows and of blobs that tombstones name."""
    for due in census.keys("due:"):
        if _action(due) == ERASE:
            values = census.rows[due]
            key = ProfileKey(census.subscription_id, ProfileKind(str(values["kind"])), str(values["profile_id"]))
            epoch = values.get("epoch")
            assert epoch is None or isinstance(epoch, int)
            yield enrollments_prefix(key, epoch), audio_prefix(key, epoch)


def _gone(census: Census) -> Callable[[str, str], bool]:
    """Whether there is no such profile, of this kind and id, and no tombstone that takes away what it left."""
    doomed = tuple(rows for rows, _ in _doomed(census))

    def gone(kind: str, profile_id: str) -> bool:
        named = f"{kind}:{profile_id}"
        return f"profile:{named}" not in census.rows and not f"enrollment:{named}:".startswith(doomed)

    return gone


def _own_enrollments(census: Census, profile_row: str) -> str:
    _, kind, profile_id = profile_row.split(":")
    epoch = census.rows[profile_row].get("epoch")
    assert isinstance(epoch, int)
    return enrollments_prefix(ProfileKey(census.subscription_id, ProfileKind(kind), profile_id), epoch)


def _action(due: str) -> str:
    return due.split(":", 3)[2]
