"""What one tick of the retention timer costs, against the number of profiles that are kept.

    python -m tests.performance.retention_curve [--azurite] [--most 100000]

Every kept profile has a policy, and so a place in the index of expiry, a year from now. A tick removes ten profiles
whose time is over; an idle tick has nothing to do. Both must cost the same however many are kept: the calls to storage
and the rows they bring back are exact figures, the milliseconds are this machine's. In memory unless ``--azurite``:
filling Azurite with 100,000 profiles takes minutes, and up to 10,000 are a subscription's default limit.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from localhost.azurite import Azurite
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.subscription import RetentionPolicy, Subscription, SubscriptionSettings
from shared.services.audit import Audit, RecordExpiry, TrimAudit
from shared.services.retain import Retain
from shared.storage.account import StorageAccount
from shared.storage.audit import RowAuditTrail
from shared.storage.blobs import AzureBlobs
from shared.storage.data_keys import DataKeys
from shared.storage.due import expire_due
from shared.storage.key_encryption import LocalKeyEncryption
from shared.storage.layout import TALLY, profile_row
from shared.storage.memory import MemoryBlobs, MemoryRows
from shared.storage.ports import MAX_CHANGES, Blobs, Change, Insert, Row, Rows
from shared.storage.purge import SubscriptionPurge
from shared.storage.records import SealedVoice, profile_values
from shared.storage.subscriptions import RowSubscriptionStore
from shared.storage.tables import TableRows
from shared.storage.upkeep import RowUpkeep

KEPT = (100, 1_000, 10_000, 100_000)
DUE = 10
TICKS = 5
SUBSCRIPTION = "curve"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


@dataclass
class Counted:
    """Rows behind a counter of calls and of the rows that came back."""

    rows: Rows
    calls: int = 0
    read: int = 0

    def get(self, partition: str, key: str) -> Row | None:
        self.calls += 1
        self.read += 1
        return self.rows.get(partition, key)

    def query(
        self, partition: str, start: str, end: str, *, limit: int | None = None, select: Sequence[str] | None = None
    ) -> Iterator[Row]:
        self.calls += 1
        found = list(self.rows.query(partition, start, end, limit=limit, select=select))
        self.read += len(found)
        return iter(found)

    def apply(self, partition: str, changes: Sequence[Change]) -> None:
        self.calls += 1
        self.rows.apply(partition, changes)


@dataclass(frozen=True)
class Tick:
    milliseconds: float
    calls: int
    rows_read: int


@dataclass(frozen=True)
class Point:
    """Medians over the ticks."""

    kept: int
    idle: Tick
    busy: Tick


def point(kept: int, new_rows: Callable[[], Rows], audio: Blobs) -> Point:
    """The cost of a tick with ``kept`` profiles in the index that are not due."""
    voices = Counted(new_rows())
    subscription_rows = new_rows()
    data_keys = DataKeys(subscription_rows, LocalKeyEncryption(bytes(32)))
    subscriptions = RowSubscriptionStore(subscription_rows, new_rows(), data_keys)
    policy = SubscriptionSettings(retention=RetentionPolicy(max_idle_days=float(YEAR.days)))
    subscriptions.create(Subscription(SUBSCRIPTION, settings=policy), {})
    fill(voices.rows, kept, used_at=NOW + timedelta(days=1))
    voices.rows.apply(SUBSCRIPTION, [Insert(TALLY, {"profiles": kept + TICKS * DUE})])
    trail = RowAuditTrail(new_rows())
    expired = RecordExpiry(Audit(trail, _now, _new_id))
    upkeep = RowUpkeep(voices, audio, lambda one: subscriptions.get(one).settings.retention, _new_id, expired)
    eraser = SubscriptionPurge(voices, audio, trail, subscriptions)
    retain = Retain(subscriptions, upkeep, eraser, TrimAudit(subscriptions, trail, _now), _now)
    idle, busy = [], []
    for _ in range(TICKS):
        idle.append(_measured(voices, retain, expected=0))
        fill(voices.rows, DUE, used_at=NOW - YEAR)
        busy.append(_measured(voices, retain, expected=DUE))
    return Point(kept, _median(idle), _median(busy))


def fill(rows: Rows, count: int, used_at: datetime) -> None:
    """Profiles of which the timer is to look at each a year after its last use, as the store writes them."""
    changes: list[Change] = []
    for number in range(count):
        key = ProfileKey(SUBSCRIPTION, ProfileKind.IDENTIFICATION, _new_id())
        at = used_at + timedelta(microseconds=number)
        profile = Profile(key, "en-US", created_at=at, last_action_at=at)
        changes.append(Insert(profile_row(key), profile_values(profile, 0, SealedVoice(), at + YEAR)))
        changes.append(expire_due(at + YEAR, key))
        if len(changes) == MAX_CHANGES or number == count - 1:
            rows.apply(SUBSCRIPTION, changes)
            changes = []


def _measured(voices: Counted, retain: Retain, expected: int) -> Tick:
    voices.calls = voices.read = 0
    started = time.perf_counter()
    done = retain()
    milliseconds = 1_000 * (time.perf_counter() - started)
    if done != expected:
        raise AssertionError(f"the tick worked on {done} items instead of {expected}")
    return Tick(milliseconds, voices.calls, voices.read)


def _median(ticks: Sequence[Tick]) -> Tick:
    return Tick(
        statistics.median(tick.milliseconds for tick in ticks),
        max(tick.calls for tick in ticks),
        max(tick.rows_read for tick in ticks),
    )


def _now() -> datetime:
    """Late enough for the profiles that are due, and for them only."""
    return NOW + timedelta(seconds=1)


def _new_id() -> str:
    return str(uuid.uuid4())


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description="Cost of a retention tick against kept profiles.")
    options.add_argument("--azurite", action="store_true", help="on Azurite instead of in memory")
    options.add_argument("--most", type=int, default=KEPT[-1], help="the largest number of kept profiles")
    chosen = options.parse_args(arguments)
    print(f"storage: {'Azurite' if chosen.azurite else 'memory'}; a busy tick removes {DUE} profiles")
    print(f"{'kept':>8} {'idle ms':>9} {'calls':>6} {'rows':>6} {'busy ms':>9} {'calls':>6} {'rows':>6}")
    with ExitStack() as stack:
        new_rows: Callable[[], Rows] = MemoryRows
        audio: Blobs = MemoryBlobs()
        if chosen.azurite:
            running = stack.enter_context(Azurite())
            account = StorageAccount(connection_string=running.connection_string)
            new_rows = lambda: TableRows(account, f"t{uuid.uuid4().hex}")  # noqa: E731
            audio = AzureBlobs(account, "audio")
        for kept in (number for number in KEPT if number <= chosen.most):
            found = point(kept, new_rows, audio)
            idle, busy = found.idle, found.busy
            print(
                f"{kept:>8,} {idle.milliseconds:>9.2f} {idle.calls:>6} {idle.rows_read:>6} "
                f"{busy.milliseconds:>9.2f} {busy.calls:>6} {busy.rows_read:>6}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
