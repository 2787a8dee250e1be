"""Takes away what nothing refers to, and mends what can be worked out anew. Everything else needs a person."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from shared.domain.profile import ProfileKey
from shared.storage.audit import RowAuditTrail
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import MAX_CHANGES, Insert, Replace, RowConflict
from shared.storage.key_index import KeyIndex
from shared.storage.layout import (
    RECOGNITION_PREFIX,
    SUBSCRIPTIONS_PARTITION,
    TALLY,
    data_key_row,
    end_of,
    member_row,
    parsed_profile_row,
)
from shared.storage.profiles.schedule import expire_due
from shared.storage.stores import Storage
from tools.orphans.findings import Finding, Problem


def repair(account: Storage, finding: Finding) -> bool:  # noqa: C901  one flat match
    """Whether something was done. Safe to repeat, and beside the running service."""
    owner, where = finding.subscription_id, finding.where
    match finding.problem:
        case Problem.AUDIO_WITHOUT_ENROLLMENT:
            account.audio.delete(where)
        case Problem.PACK_WITHOUT_ROW:
            account.packs.delete(where)
        case Problem.TURNS_WITHOUT_OPERATION:
            account.turns.delete(where)
        case Problem.RECOGNITION_OF_NOBODY:
            place = where.split(":", 3)[3]
            remove_silently(account.voices, owner, RECOGNITION_PREFIX + place, where)
        case Problem.MEMBER_OF_NOBODY:
            _, profile_id, group_id = where.split(":")
            remove_silently(account.voices, owner, member_row(group_id, profile_id), where)
        case (
            Problem.ENROLLMENT_WITHOUT_PROFILE
            | Problem.WATCH_OF_NOBODY
            | Problem.OPEN_WITHOUT_OPERATION
            | Problem.LEFT_OF_VERIFY
        ):
            remove_silently(account.voices, owner, where)
        case Problem.LEFT_OF_DELETED:
            _take_away(account, owner, where)
        case Problem.DATA_KEY_ALIVE:
            remove_silently(account.subscriptions, SUBSCRIPTIONS_PARTITION, data_key_row(owner))
        case Problem.TALLY_WRONG:
            _count(account, owner)
        case Problem.EXPIRY_UNWATCHED:
            _watch(account, owner, where)
        case Problem.KEY_STALE:
            KeyIndex(account.keys).remove(bytes.fromhex(where), owner)
        case Problem.KEY_LOST:
            KeyIndex(account.keys).put(bytes.fromhex(where), owner)
        case _:
            return False
    return True


def _take_away(account: Storage, owner: str, where: str) -> None:
    if where == "audit":
        while RowAuditTrail(account.audit, account.voices, account.subscriptions).drop(owner, None, MAX_CHANGES):
            pass
    elif where.startswith(f"{owner}/"):
        account.audio.delete(where)
    else:
        remove_silently(account.voices, owner, where)


def _count(account: Storage, owner: str) -> None:
    """The tally is read before the profiles are counted: whoever creates or deletes one meanwhile changes its ETag."""
    tally = account.voices.get(owner, TALLY)
    count = sum(1 for _ in account.voices.query(owner, "profile:", end_of("profile:"), select=()))
    values = {"profiles": count}
    with suppress(RowConflict):
        account.voices.apply(owner, [Replace(TALLY, values, tally.etag) if tally else Insert(TALLY, values)])


def _watch(account: Storage, owner: str, profile: str) -> None:
    row = account.voices.get(owner, profile)
    armed_at = row.maybe("armed_at", datetime) if row else None
    if armed_at is not None:
        kind, profile_id = parsed_profile_row(profile)
        with suppress(RowConflict):
            account.voices.apply(owner, [expire_due(armed_at, ProfileKey(owner, kind, profile_id))])
