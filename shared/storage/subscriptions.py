"""Subscriptions as rows, opened by keys of which only the SHA-256 is stored.

The subscription's own row says which keys open it; ``key_index.py`` finds the row. So a rotation is one change of one
row.
"""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

from shared.domain.access import AccessKey, Role
from shared.domain.audit import AuditEntry, key_changes, settings_changes
from shared.domain.counts import Counts
from shared.domain.erasure import Erasure
from shared.domain.errors import (
    KeyNotFound,
    SubscriptionBusy,
    SubscriptionExists,
    SubscriptionNotActive,
    SubscriptionNotFound,
    SubscriptionUnknown,
    TooManyKeys,
)
from shared.domain.subscription import (
    KeySlot,
    RetentionPolicy,
    SettingsChange,
    Subscription,
    SubscriptionSettings,
    SubscriptionState,
)
from shared.domain.token import FINGERPRINT_DIGITS, Token
from shared.services.ports.clock_and_ids import Clock
from shared.storage.audit import subscription_record_of, written_once
from shared.storage.backend.cache import TimedCache
from shared.storage.backend.compare_and_swap import compare_and_swap
from shared.storage.backend.ports import Change, Insert, Merge, Replace, Row, RowChanged, RowConflict, Rows, Value
from shared.storage.key_index import KeyIndex, digest
from shared.storage.layout import SUBSCRIPTION_PREFIX, SUBSCRIPTIONS_PARTITION, end_of, subscription_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.subscription_records import (
    STRAY,
    StoredKey,
    changed_values,
    counted_values,
    creation_values,
    deleted_values,
    digests_of,
    key_values,
    keys_of,
    strays_of,
    subscription_of,
)

Keys: TypeAlias = dict[str, StoredKey]
"""By their names."""

LOOK_UP_SECONDS: Final = 30.0
"""How long a key that opened is not looked up again, and so how long a revoked key may still open elsewhere."""

MAX_LOOK_UPS: Final = 1_000

MAX_KNOWN: Final = 10_000
"""Keys of which a process remembers, by their digest, that they have opened."""


class RowSubscriptionStore:
    """Implements ``SubscriptionStore``. ``subscriptions`` is the table that ``data_keys`` is in too."""

    def __init__(
        self,
        subscriptions: Rows,
        keys: Rows,
        data_keys: DataKeys,
        clock: Clock,
        *,
        look_up_seconds: float = LOOK_UP_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscriptions, self._index, self._data_keys, self._clock = subscriptions, KeyIndex(keys), data_keys, clock
        self._opened = TimedCache[bytes | str, tuple[Subscription, AccessKey]](
            look_up_seconds, 2 * MAX_LOOK_UPS, monotonic
        )
        """By the digest of a key, by the issuer of a token, and by the subscription's id."""
        self._known = TimedCache[bytes | str, bool](math.inf, MAX_KNOWN, monotonic)

    def opened_by(self, key: str) -> tuple[Subscription, AccessKey]:
        """The active subscription that this key opens now, and as which of its keys; else ``SubscriptionUnknown``."""
        hashed = digest(key)
        return self._loaded(hashed, lambda: self._look_up(hashed))

    def issuer_of(self, token: Token) -> tuple[Subscription, AccessKey]:
        """The active subscription and the key that the token says it is from, or ``SubscriptionUnknown``: also when
        there is another key under its name by now."""
        return self._loaded(_issuer(token), lambda: self._look_up_issuer(token))

    def has_issued(self, token: Token) -> bool:
        return self._known.get(_issuer(token)) is not None

    def has_opened(self, key: str) -> bool:
        """Whether this process has seen the key open a subscription, and not refused since; for longer than a look-up
        counts, so that many wrong keys from its address lock no app out that calls every few minutes."""
        return self._known.get(digest(key)) is not None

    def retention(self, subscription_id: str) -> RetentionPolicy:
        """The policy as the last look-up of one of its keys gave it, or as it is now."""
        opened = self._opened.get(subscription_id)
        return (opened[0] if opened else self.get(subscription_id)).settings.retention

    def ensure(
        self, subscription_id: str, keys: Mapping[KeySlot, str], created_at: datetime | None = None
    ) -> Subscription:
        """Create the subscription with its data key, or give an existing one these keys; a slot that is not
        named keeps its key. Safe to repeat.

        A subscription that is being deleted, or was, stays as it is.
        """
        with suppress(SubscriptionExists):
            return self.create(Subscription(subscription_id, created_at=created_at), keys)
        subscription = self.get(subscription_id)
        if subscription.state is SubscriptionState.ACTIVE:
            for slot, key in keys.items():
                self.replace_key(subscription_id, slot, key)
        return subscription

    def get(self, subscription_id: str) -> Subscription:
        return subscription_of(self._row(subscription_id))

    def page(self, after: str | None, limit: int) -> Sequence[Subscription]:
        start = SUBSCRIPTION_PREFIX if after is None else f"{subscription_row(after)}!"
        rows = self._subscriptions.query(SUBSCRIPTIONS_PARTITION, start, end_of(SUBSCRIPTION_PREFIX), limit=limit)
        return [subscription_of(row) for row in rows]

    def create(
        self, subscription: Subscription, keys: Mapping[KeySlot, str], record: AuditEntry | None = None
    ) -> Subscription:
        """First the row with its data key, then the keys' index: what is cut off in between opens to nobody, is listed
        in the row, and can be given new keys.
        """
        subscription_id = subscription.subscription_id
        digests = {slot: digest(key) for slot, key in keys.items()}
        insert = Insert(subscription_row(subscription_id), creation_values(subscription, digests))
        creation = self._data_keys.creation(subscription_id)
        try:
            recording = subscription_record_of(record)
            self._subscriptions.apply(SUBSCRIPTIONS_PARTITION, [insert, creation, *recording])
        except RowConflict:
            # A row with these very keys is this write, whose first answer was lost.
            row = self._row(subscription_id)
            if not digests or digests_of(row) != digests:
                raise SubscriptionExists(subscription_id) from None
            subscription = subscription_of(row)
        for hashed in digests.values():
            self._index.put(hashed, subscription_id)
        return subscription

    def change(
        self,
        subscription_id: str,
        change: SettingsChange,
        record: AuditEntry | None = None,
        allowed: Callable[[SubscriptionSettings], None] = lambda _: None,
    ) -> Subscription:
        def changes(row: Row) -> list[Change]:
            before = subscription_of(row).settings
            after = change.applied(before)
            allowed(after)
            entry = record and replace(record, changes=settings_changes(before, after))
            return [Replace(row.key, changed_values(row, after), row.etag), *subscription_record_of(entry)]

        self._changed(subscription_id, changes)
        return self.get(subscription_id)

    def keys(self, subscription_id: str) -> Sequence[AccessKey]:
        return [key.access for key in keys_of(self._row(subscription_id)).values()]

    def replace_key(
        self, subscription_id: str, name: str, key: str, at: datetime | None = None, record: AuditEntry | None = None
    ) -> None:
        new = digest(key)
        if new in digests_of(self._row(subscription_id)).values():
            self._index.put(new, subscription_id)
            return

        def replaced(keys: Keys) -> Keys:
            if name not in (*KeySlot, *keys):
                raise KeyNotFound(name)
            before = keys[name].access if name in keys else AccessKey(name, Role.MANAGE)
            return {**keys, name: StoredKey(replace(before, created_at=at), new)}

        self._change_keys(subscription_id, replaced, new, record)

    def put_key(
        self, subscription_id: str, access: AccessKey, key: str, maximum: int, record: AuditEntry | None = None
    ) -> tuple[AccessKey, bool]:
        name, new = access.name, digest(key)
        if name in digests_of(self._row(subscription_id)):
            new = b""  # the one that there is keeps its secret

        def put(keys: Keys) -> Keys:
            if name not in keys and not new:
                raise SubscriptionBusy(subscription_id)  # deleted meanwhile
            if name not in keys and len(keys.keys() - set(KeySlot)) >= maximum:
                raise TooManyKeys(maximum)
            before = keys.get(name, StoredKey(access, new))
            return {**keys, name: replace(before, access=replace(access, created_at=before.access.created_at))}

        stored = self._change_keys(subscription_id, put, new, record)[name]
        return stored.access, stored.digest == new

    def remove_key(self, subscription_id: str, name: str, record: AuditEntry | None = None) -> None:
        def removed(keys: Keys) -> Keys:
            return {kept: key for kept, key in keys.items() if kept != name}

        self._change_keys(subscription_id, removed, b"", record)

    def begin_deletion(self, subscription_id: str, at: datetime, request_id: str) -> Subscription:
        state: dict[str, Value] = {
            "state": SubscriptionState.DELETING.value,
            "deleted_at": at,
            "deleted_by_request": request_id,
        }

        def changes(row: Row) -> list[Change]:
            return [Merge(row.key, state, row.etag), self._data_keys.destruction(subscription_id)]

        with suppress(SubscriptionNotActive):  # asked for before, or this very write, whose first answer was lost
            self._changed(subscription_id, changes)
        self.forget()
        self._data_keys.forget(subscription_id)
        return self.get(subscription_id)

    def remove_keys(self, subscription_id: str) -> int:
        """Take this subscription's rows out of the keys' index, for its erasure; returns how many it may have had."""
        row = self._row(subscription_id)
        known = [*digests_of(row).values(), *strays_of(row)]
        for hashed in known:
            self._index.remove(hashed, subscription_id)
        return len(known)

    def note_erasure(self, subscription_id: str, erasure: Erasure, before: Erasure | None) -> None:
        """The subscription is deleted: nothing else stays of it.

        ``RowConflict`` when the record is not, or no more, the one ``before``: another instance notes it too.
        """
        row = self._row(subscription_id)
        if subscription_of(row).erasure != before:
            raise RowChanged(row.key)
        replacing = Replace(row.key, deleted_values(row, erasure), row.etag)
        self._subscriptions.apply(SUBSCRIPTIONS_PARTITION, [replacing])

    def note_counts(self, subscription_id: str, counts: Counts) -> None:
        row = self._row(subscription_id)
        if subscription_of(row).state is SubscriptionState.ACTIVE:
            with suppress(RowConflict):  # the next tick counts that slice again
                change = Replace(row.key, counted_values(row, counts), row.etag)
                self._subscriptions.apply(SUBSCRIPTIONS_PARTITION, [change])

    def all_ids(self) -> Sequence[str]:
        """In every state: what is being deleted needs the timer most."""
        rows = self._subscriptions.query(
            SUBSCRIPTIONS_PARTITION, SUBSCRIPTION_PREFIX, end_of(SUBSCRIPTION_PREFIX), select=()
        )
        return [row.key.removeprefix(SUBSCRIPTION_PREFIX) for row in rows]

    def forget(self) -> None:
        """Drop every remembered look-up of this process: for whoever has just changed a key or a state."""
        self._opened.forget()

    def _loaded(
        self, name: bytes | str, look_up: Callable[[], tuple[Subscription, AccessKey]]
    ) -> tuple[Subscription, AccessKey]:
        try:
            opened = self._opened.load(name, look_up, lambda opened: opened[0].subscription_id)
            if opened[1].has_expired(self._clock()):
                raise SubscriptionUnknown
        except SubscriptionUnknown:
            self._known.forget(name)
            raise
        self._known.load(name, lambda: True)
        return opened

    def _changed(self, subscription_id: str, changes: Callable[[Row], list[Change]]) -> None:
        """Apply the changes to the active subscription as it is now, under its ETag; again when somebody was faster."""

        def attempt() -> None:
            row = self._row(subscription_id)
            state = subscription_of(row).state
            if state is not SubscriptionState.ACTIVE:
                raise SubscriptionNotActive(subscription_id, state)
            to_apply = changes(row)
            with written_once(to_apply):
                self._subscriptions.apply(SUBSCRIPTIONS_PARTITION, to_apply)

        compare_and_swap(attempt, SubscriptionBusy(subscription_id))
        self.forget()

    def _change_keys(
        self, subscription_id: str, changed: Callable[[Keys], Keys], new: bytes, record: AuditEntry | None
    ) -> Keys:
        """The keys as they are after one change of the row. ``new`` is the digest that comes with it; none is empty.

        Its index comes before the key counts, and that of a key that goes, goes after it counts no more. The row lists
        it as a stray all the while, so that a cut leaves nothing that cannot be found.
        """
        if new:
            changed(keys_of(self._row(subscription_id)))  # what it refuses leaves nothing
            self._changed(subscription_id, lambda row: [_merge(row, {}, add=[new])])
            self._index.put(new, subscription_id)
        after: Keys = {}
        gone: list[bytes] = []

        def changes(row: Row) -> list[Change]:
            nonlocal after
            before = keys_of(row)
            after = changed(before)
            counting = {key.digest for key in after.values()}
            known = [*(key.digest for key in before.values()), *([new] if new else [])]
            gone[:] = [hashed for hashed in known if hashed not in counting]
            entry = record and replace(record, changes=key_changes(_accesses(before), _accesses(after)))
            merge = _merge(row, key_values(after), add=gone, remove=counting)
            return [merge, *subscription_record_of(entry)]

        self._changed(subscription_id, changes)
        for hashed in gone:
            self._index.remove(hashed, subscription_id)
        if gone:
            self._changed(subscription_id, lambda row: [_merge(row, {}, remove=gone)])
        return after

    def _look_up(self, hashed: bytes) -> tuple[Subscription, AccessKey]:
        owner = self._index.owner(hashed)
        row = self._find(owner) if owner is not None else None
        if row is None:
            raise SubscriptionUnknown
        # All are compared, whichever fits, each in constant time.
        fitting = [key.access for key in keys_of(row).values() if hmac.compare_digest(key.digest, hashed)]
        subscription = subscription_of(row)
        if not fitting or subscription.state is not SubscriptionState.ACTIVE:
            raise SubscriptionUnknown
        return subscription, fitting[0]

    def _look_up_issuer(self, token: Token) -> tuple[Subscription, AccessKey]:
        row = self._find(token.subscription_id)
        key = keys_of(row).get(token.key_name) if row is not None else None
        if row is None or key is None:
            raise SubscriptionUnknown
        subscription, beginning = subscription_of(row), key.digest.hex()[:FINGERPRINT_DIGITS]
        if not hmac.compare_digest(beginning, token.fingerprint) or subscription.state is not SubscriptionState.ACTIVE:
            raise SubscriptionUnknown
        return subscription, key.access

    def _find(self, subscription_id: str) -> Row | None:
        return self._subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(subscription_id))

    def _row(self, subscription_id: str) -> Row:
        row = self._find(subscription_id)
        if row is None:
            raise SubscriptionNotFound(subscription_id)
        return row


def _issuer(token: Token) -> str:
    return f"{token.subscription_id}/{token.key_name}/{token.fingerprint}"


def _accesses(keys: Keys) -> dict[str, AccessKey]:
    return {name: key.access for name, key in keys.items()}


def _merge(row: Row, values: dict[str, Value], *, add: Collection[bytes] = (), remove: Collection[bytes] = ()) -> Merge:
    """These values, with digests put on the list of strays or taken off it."""
    strays = [stray for stray in strays_of(row) if stray not in add and stray not in remove]
    return Merge(row.key, {**values, STRAY: b"".join([*strays, *add])}, row.etag)
