"""What is stored of one subscription, by name: never a sealed value, never the content of a blob."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from shared.domain.subscription import SubscriptionState
from shared.storage.key_index import KeyIndex
from shared.storage.layout import (
    SUBSCRIPTIONS_PARTITION,
    data_key_row,
    end_of,
    records_prefix,
    subscription_row,
)
from shared.storage.stores import Storage
from shared.storage.subscription_records import digests_of, strays_of, subscription_of

T = TypeVar("T")

ALL: Final = (" ", "~")
"""A range that holds every row key: keys are printable ASCII, and none of ours starts with a tilde."""

_READ: Final = (
    "epoch", "enrollments_count", "blob", "profiles", "kind", "profile_id", "operation_id", "armed_at",
)  # fmt: skip
"""The values that refer to something. Signatures, embeddings and phrases stay where they are."""

EVERY: Final = 10_000
"""Items between two reports of progress."""

Progress = Callable[[int], None]
"""Told how many rows and blobs have been read so far."""


@dataclass(frozen=True)
class Census:
    """One subscription at one reading. ``state`` None: there is no such subscription, only things under its id.
    ``erased``: the timer has seen that nothing is left of it, and never looks at it again.

    ``rows`` are those of its partition in the table of voices. ``stale_keys`` are the entries of the keys' index that
    lead to this subscription, which neither has nor lists them; ``lost_keys`` those of its keys that have no entry.
    """

    subscription_id: str
    state: SubscriptionState | None
    erased: bool
    has_data_key: bool
    rows: Mapping[str, Mapping[str, object]] = field(repr=False)
    blobs: frozenset[str] = field(repr=False)
    packs: frozenset[str] = field(repr=False)
    turns: frozenset[str] = field(repr=False)
    audit_records: int
    stale_keys: tuple[str, ...] = ()
    lost_keys: tuple[str, ...] = ()

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.rows if key.startswith(prefix)]


def take(account: Storage, subscription_id: str, indexed: Iterable[str], progress: Progress = lambda _: None) -> Census:
    """``indexed``: the row keys (SHA-256 in hex) in the table of keys that name this subscription.

    Blobs are listed first: one that appears with an enrollment afterwards is then no stray, only unseen.
    """
    counted = _Counter(progress)
    blobs = frozenset(counted.over(account.audio.names(f"{subscription_id}/")))
    packs = frozenset(counted.over(account.packs.names(f"{subscription_id}/")))
    turns = frozenset(counted.over(account.turns.names(f"{subscription_id}/")))
    rows = {row.key: row.values for row in counted.over(account.voices.query(subscription_id, *ALL, select=_READ))}
    waiting = records_prefix(subscription_id)
    records = (
        account.audit.query(subscription_id, *ALL, select=()),
        account.subscriptions.query(SUBSCRIPTIONS_PARTITION, waiting, end_of(waiting), select=()),
    )
    audit_records = sum(1 for rows in records for _ in counted.over(rows))
    own = account.subscriptions.get(SUBSCRIPTIONS_PARTITION, subscription_row(subscription_id))
    data_key = account.subscriptions.get(SUBSCRIPTIONS_PARTITION, data_key_row(subscription_id))
    opening = frozenset(one.hex() for one in digests_of(own).values()) if own else frozenset()
    listed = frozenset(one.hex() for one in strays_of(own)) if own else frozenset()
    entries, index = frozenset(indexed), KeyIndex(account.keys)
    subscription = subscription_of(own) if own else None
    erasure = subscription.erasure if subscription else None
    return Census(
        subscription_id=subscription_id,
        state=subscription.state if subscription else None,
        erased=erasure is not None and erasure.verified_at is not None,
        has_data_key=data_key is not None,
        rows=rows,
        blobs=blobs,
        packs=packs,
        turns=turns,
        audit_records=audit_records,
        stale_keys=tuple(sorted(entries - opening - listed)),
        lost_keys=tuple(sorted(one for one in opening - entries if index.owner(bytes.fromhex(one)) is None)),
    )


class _Counter:
    def __init__(self, progress: Progress) -> None:
        self._progress, self._count = progress, 0

    def over(self, items: Iterator[T]) -> Iterator[T]:
        for item in items:
            self._count += 1
            if self._count % EVERY == 0:
                self._progress(self._count)
            yield item
