"""(d) What the timers cost against the number of profiles that are kept: retention, erasure of a subscription, packing.

Every kept profile has a policy, and so a place in the index of expiry, a year from now. A busy tick of retention
removes ten profiles whose time is over; an idle tick has nothing to do. Both must cost the same however many are kept:
the calls to storage and the rows they bring back are exact figures, the milliseconds are this machine's.
"""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from localhost.azurite import Azurite
from shared.domain.subscription import KeySlot, Subscription, SubscriptionSettings
from shared.services.audit import TrimAudit
from shared.services.retain import Retain
from shared.storage.backend.account import StorageAccount
from shared.storage.gallery.compaction import PACK_PROFILES
from shared.storage.layout import GALLERIES, VOICES
from shared.storage.stores import Storage
from tests.contract.stores import NOW, Clock, instance, new_id
from tests.performance.bare import timed
from tests.performance.figures import Cell
from tests.performance.in_process import Ledger, TimedBlobs, TimedRows
from tests.performance.population import Population
from tests.performance.reporting.found import Curve, Found, Run, Table
from tests.performance.reporting.targets import TICK, Measure

KEPT = (100, 1_000, 10_000, 100_000)
QUICK_MOST = 1_000
MOST_ON_AZURITE = 10_000
DUE = 10
TICKS = 5
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Cost:
    """``calls`` to storage of voices and packs, and the ``rows`` that they brought."""

    milliseconds: float
    calls: int
    rows: int


@dataclass(frozen=True)
class Point:
    """Ticks are medians. ``packing`` is of everything, ``packing_one`` with one change."""

    storage: str
    kept: int
    idle: Cost
    busy: Cost
    packing: Cost
    packing_idle: Cost
    packing_one: Cost
    erasure: Cost


@dataclass
class Site:
    """One subscription whose profiles are kept for a year, on storage whose calls are counted."""

    below: Storage
    ledger: Ledger = field(default_factory=Ledger)
    clock: Clock = field(default_factory=lambda: Clock(NOW + timedelta(seconds=1)))
    """Late enough for the profiles that are due, and for them only."""

    def __post_init__(self) -> None:
        below = self.below
        self.storage = Storage(
            lambda name: TimedRows(below.rows(name), self.ledger) if name == VOICES else below.rows(name),
            lambda name: TimedBlobs(below.blobs(name), self.ledger) if name == GALLERIES else below.blobs(name),
        )
        self.stores = instance(self.storage, clock=self.clock, pack_profiles=PACK_PROFILES)
        self.subscription_id = new_id()
        settings = SubscriptionSettings(max_idle_days=float(YEAR.days))
        subscription = Subscription(self.subscription_id, settings=settings, created_at=NOW)
        self.stores.subscriptions.create(subscription, {KeySlot.PRIMARY: new_id()})

    def population(self, used_at: datetime = NOW) -> Population:
        """Writes past the ledger."""
        return Population(self.below.voices, self.stores.envelope, self.subscription_id, YEAR, used_at)

    def tick(self) -> int:
        subscriptions, clock = self.stores.subscriptions, self.clock
        trim = TrimAudit(subscriptions, self.stores.trail, clock)
        return Retain(subscriptions, self.stores.upkeep, self.stores.eraser, trim, clock)()

    def compact(self) -> int:
        return self.stores.compaction.compact(self.subscription_id)

    def erase(self) -> None:
        """All ticks that a deleted subscription takes until nothing of it is left."""
        self.stores.subscriptions.begin_deletion(self.subscription_id, self.clock(), "bench")
        while self.tick():
            pass

    def cost(self, work: Callable[[], object]) -> Cost:
        self.ledger.taken()
        seconds = timed(work)
        calls = self.ledger.taken()
        return Cost(1_000 * seconds, len(calls), sum(one.rows for one in calls))


def measured(run: Run) -> Found:
    """Raises ``CannotStart``."""
    most = min(run.most, QUICK_MOST) if run.quick else run.most
    points = []
    for kept in [one for one in KEPT if one <= most]:
        run.say(f"{kept:,} kept, in memory")
        points.append(point("memory", kept, in_memory()))
    with ExitStack() as stack:
        azurite = stack.enter_context(Azurite())
        for kept in [one for one in KEPT if one <= min(most, MOST_ON_AZURITE)]:
            run.say(f"{kept:,} kept, on Azurite")
            points.append(point("Azurite", kept, on(azurite)))
    return found_in(points)


def in_memory() -> Site:
    return Site(Storage.in_memory())


def on(azurite: Azurite) -> Site:
    """Tables of its own: a range takes the emulator longer the more rows stand in the table."""
    account, mark = StorageAccount(connection_string=azurite.connection_string), uuid.uuid4().hex[:10]
    return Site(Storage.in_azure(account, f"t{mark}"))


def point(storage: str, kept: int, site: Site) -> Point:
    everybody, over = site.population(), site.population(NOW - YEAR)
    _written(everybody.fill(kept))
    everybody.count(kept + TICKS * DUE)
    idle, busy = [], []
    for _ in range(TICKS):
        idle.append(site.cost(lambda: _expected(site.tick(), 0)))
        _written(over.fill(DUE))
        busy.append(site.cost(lambda: _expected(site.tick(), DUE)))
    packing, packing_idle = site.cost(site.compact), site.cost(site.compact)
    everybody.change_one()
    packing_one = site.cost(site.compact)
    return Point(storage, kept, _median(idle), _median(busy), packing, packing_idle, packing_one, site.cost(site.erase))


def _written(fill: Iterator[int]) -> None:
    for _ in fill:
        pass


def _expected(done: int, expected: int) -> None:
    if done != expected:
        raise AssertionError(f"the tick worked on {done} items instead of {expected}")


def _median(ticks: Sequence[Cost]) -> Cost:
    """The largest number of calls and of rows: what is to be flat must be so each time."""
    return Cost(
        statistics.median(tick.milliseconds for tick in ticks),
        max(tick.calls for tick in ticks),
        max(tick.rows for tick in ticks),
    )


def found_in(points: Sequence[Point]) -> Found:
    ticks = _table(
        "Retention tick",
        points,
        {"idle": lambda one: one.idle, f"removes {DUE}": lambda one: one.busy},
        "ms, storage calls, rows that came back; storage of voices alone, as everywhere in this part",
    )
    packing = _table(
        "Compaction",
        points,
        {
            "everything": lambda one: one.packing,
            "nothing": lambda one: one.packing_idle,
            "one change": lambda one: one.packing_one,
        },
        "as above; fewer than 1,000 profiles are not packed",
    )
    erasure = Table(
        "Erasure of a subscription",
        ["storage", "profiles", "ms", "calls", "rows", "calls for 1,000", "ms for 1,000"],
        [_erasure(one) for one in points],
        "each profile has two rows; as many ticks as it takes, and no recordings",
    )
    return Found([ticks, packing, erasure], _curves(points), measures=[_measure(points)])


def _table(title: str, points: Sequence[Point], costs: dict[str, Callable[[Point], Cost]], note: str) -> Table:
    header = ["storage", "kept", *(cell for name in costs for cell in (name, "calls", "rows"))]
    rows: list[list[Cell]] = []
    for one in points:
        cells: list[Cell] = []
        for cost_of in costs.values():
            cost = cost_of(one)
            cells += [cost.milliseconds, cost.calls, cost.rows]
        rows.append([one.storage, f"{one.kept:,}", *cells])
    return Table(title, header, rows, note)


def _erasure(one: Point) -> list[Cell]:
    thousands, cost = one.kept / 1_000, one.erasure
    each = [cost.calls / thousands, cost.milliseconds / thousands]
    return [one.storage, f"{one.kept:,}", cost.milliseconds, cost.calls, cost.rows, *each]


def _curves(points: Sequence[Point]) -> list[Curve]:
    costs: dict[str, Callable[[Point], Cost]] = {
        "retention, idle": lambda one: one.idle,
        f"retention, {DUE} removed": lambda one: one.busy,
        "packing one change": lambda one: one.packing_one,
        "packing everything": lambda one: one.packing,
        "erasure of all": lambda one: one.erasure,
    }
    kept = [one for one in points if one.storage == "memory"]
    return [
        Curve(
            "Timers: storage calls of a tick",
            "profiles kept",
            "calls",
            label,
            [(one.kept, cost_of(one).calls) for one in kept],
            log_x=True,
            log_y=True,
        )
        for label, cost_of in costs.items()
    ]


def _measure(points: Sequence[Point]) -> Measure:
    kept = [one for one in points if one.storage == "memory"]
    fewest, most = kept[0], kept[-1]
    pairs = [
        (of_most, of_fewest)
        for many, few in ((most.idle, fewest.idle), (most.busy, fewest.busy))
        for of_most, of_fewest in ((many.calls, few.calls), (many.rows, few.rows))
    ]
    # Nothing read by either is as flat as can be.
    growth = max(many / few if few else 1.0 + many for many, few in pairs)
    idle, busy = (
        many.milliseconds / few.milliseconds for many, few in ((most.idle, fewest.idle), (most.busy, fewest.busy))
    )
    remark = f"{fewest.kept:,} to {most.kept:,}; time in memory {idle:.1f}x idle, {busy:.1f}x with {DUE} removed"
    return Measure(TICK, growth, remark)
