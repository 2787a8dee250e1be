"""(c) Identify of 4 s over HTTP among everybody, from 10 to 100,000 speakers: warm, after one change, cold.

Each number of speakers has a storage emulator of its own, as the emulator slows down with the rows of a table, and a
service process of its own. What is compared with ten speakers takes turns with ten speakers. ``cold`` is the first
identify of a new process among them, when its networks are open already: what opening them costs is another part.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from localhost.azurite import Azurite
from shared.domain.profile import Signature
from shared.storage.profiles.change_log import last_change, news
from tests.performance.bare import timed
from tests.performance.client import Client
from tests.performance.figures import Cell, Times, ratio_of_pairs
from tests.performance.process import resident_megabytes
from tests.performance.reporting.found import Curve, Found, Run, Table
from tests.performance.reporting.targets import EVERYBODY, Measure
from tests.performance.rounds import BREAKDOWN_SECONDS
from tests.performance.serving import serving
from tests.performance.world import Crowd, World, signature_of

SIZES = (10, 100, 1_000, 10_000, 100_000)
QUICK_MOST = 1_000
PACKED_FROM = 1_000
"""Fewer are not packed (``shared.storage.gallery.compaction``)."""
ROUNDS, QUICK_ROUNDS = 30, 5
SAY_SECONDS = 10.0
FEW = 3
"""Speakers of the other subscription, which opens a new process's networks and connections."""


@dataclass(frozen=True)
class Among:
    """One number of speakers. Milliseconds; ``ten`` are the turns in between, among ten speakers."""

    speakers: int
    filling_seconds: float
    from_rows: Times
    packing_seconds: float | None
    from_packs: Times | None
    warm: Times
    warm_ten: Times
    changed: Times
    changed_ten: Times
    log_range: Times
    """The range that is asked for after a change, by itself: what of that growth is the emulator's."""
    megabytes: float | None

    @property
    def warm_ratio(self) -> float:
        return ratio_of_pairs(self.warm, self.warm_ten)

    @property
    def changed_ratio(self) -> float:
        return ratio_of_pairs(self.changed, self.changed_ten)

    def over_ten(self, times: Times | None) -> float | None:
        return times.p50 / self.warm_ten.p50 if times else None


@dataclass(frozen=True)
class Place:
    """A world with its crowds."""

    world: World
    crowd: Crowd
    few: Crowd
    wav: bytes = field(repr=False)

    @contextmanager
    def served(self) -> Iterator[Service]:
        """A new service process with open networks that knows nothing of the crowd."""
        with serving(self.world.azurite, self.world.folder) as service:
            warming = self.world.client(service, self.few)
            for _ in range(3):
                self.few.identify(warming, self.wav)
            warming.close()
            client = self.world.client(service, self.crowd)
            yield Service(self, client, service.process.pid)
            client.close()

    def first_times(self, starts: int) -> Times:
        """The first identify of each of so many new processes."""
        found = []
        for _ in range(starts):
            with self.served() as service:
                found.append(service.ask())
        return Times.of_seconds(found)

    def log_range(self, rounds: int) -> Times:
        rows, subscription_id = self.world.storage.voices, self.crowd.population.subscription_id
        known = last_change(rows, subscription_id) - 1
        return Times.of_seconds(timed(lambda: news(rows, subscription_id, known)) for _ in range(rounds))


@dataclass(frozen=True)
class Service:
    place: Place
    client: Client
    process_id: int

    def ask(self) -> float:
        """Seconds."""
        return self.place.crowd.identify(self.client, self.place.wav)

    def ask_after_a_change(self) -> float:
        self.place.crowd.population.change_one()
        return self.ask()


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, ``Unexpected``."""
    most = min(run.most, QUICK_MOST) if run.quick else run.most
    signature = signature_of(run.spoken.speakers[0])
    found = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="timbre-everybody-")))
        ten, _ = _place(run, stack.enter_context(Azurite()), folder / "ten", SIZES[0], signature)
        base = stack.enter_context(ten.served())
        base.ask_after_a_change()
        for speakers in [one for one in SIZES if one <= most]:
            with Azurite() as azurite:
                place, filling_seconds = _place(run, azurite, folder / str(speakers), speakers, signature)
                found.append(_among(run, place, speakers, filling_seconds, base))
    return found_in(found)


def _place(run: Run, azurite: Azurite, folder: Path, speakers: int, signature: Signature) -> tuple[Place, float]:
    """And the seconds that it took."""
    started = said = time.perf_counter()
    world = World.on(azurite, folder)

    def say(there: int) -> None:
        nonlocal said
        if time.perf_counter() - said > SAY_SECONDS:
            said = time.perf_counter()
            run.say(f"{speakers:,} speakers: {there:,} written")

    crowd = world.crowd("everybody", speakers, signature, say)
    few = world.crowd("few", FEW, signature, lambda _: None)
    place = Place(world, crowd, few, run.spoken.speech[BREAKDOWN_SECONDS])
    return place, time.perf_counter() - started


def _among(run: Run, place: Place, speakers: int, filling_seconds: float, base: Service) -> Among:
    run.say(f"{speakers:,} speakers: cold, from rows")
    starts = 1 if run.quick or speakers > 10_000 else 3
    # Nothing is in the log of changes yet, so that no timer packs anything meanwhile.
    from_rows = place.first_times(starts)
    place.crowd.population.change_one()
    packing, from_packs = None, None
    if speakers >= PACKED_FROM:
        run.say(f"{speakers:,} speakers: packing")
        packing = timed(lambda: place.world.compact(place.crowd))
        from_packs = place.first_times(1 if run.quick else 3)
    run.say(f"{speakers:,} speakers: warm, and after a change")
    rounds = QUICK_ROUNDS if run.quick else ROUNDS
    with place.served() as service:
        service.ask()
        warm = [(service.ask(), base.ask()) for _ in range(rounds)]
        changed = [(service.ask_after_a_change(), base.ask_after_a_change()) for _ in range(rounds)]
        megabytes = resident_megabytes(service.process_id)
    return Among(
        speakers=speakers,
        filling_seconds=filling_seconds,
        from_rows=from_rows,
        packing_seconds=packing,
        from_packs=from_packs,
        warm=Times.of_seconds(one for one, _ in warm),
        warm_ten=Times.of_seconds(ten for _, ten in warm),
        changed=Times.of_seconds(one for one, _ in changed),
        changed_ten=Times.of_seconds(ten for _, ten in changed),
        log_range=place.log_range(rounds),
        megabytes=megabytes,
    )


def found_in(found: Sequence[Among]) -> Found:
    times = Table(
        f"Identify of {BREAKDOWN_SECONDS} s among everybody, over HTTP",
        ["speakers", "warm p50", "p95", "after one change", "cold, packs", "cold, rows", "log range alone", "MB"],
        [
            [
                f"{one.speakers:,}",
                one.warm.p50,
                one.warm.p95,
                one.changed.p50,
                one.from_packs.p50 if one.from_packs else None,
                one.from_rows.p50,
                one.log_range.p50,
                one.megabytes,
            ]
            for one in found
        ],
        f"ms; fewer than {PACKED_FROM:,} speakers have no packs; MB of the service at the end",
    )
    header = ["speakers", "warm", "after one change", "cold, packs", "cold, rows"]
    ratios = Table("The same over ten speakers", header, [_ratios(one) for one in found], _RATIO_NOTE)
    rows: list[list[Cell]] = [[f"{one.speakers:,}", one.filling_seconds, one.packing_seconds] for one in found]
    work = Table("Behind it, seconds", ["speakers", "rows written", "packing everything"], rows)
    return Found([times, ratios, work], _curves(found), measures=[_measure(found)])


_RATIO_NOTE = (
    "warm and after one change: medians over pairs of one identify here and one among ten; cold: over the warm median "
    "among ten. After a change a range of the log is asked for, for which the emulator looks through all its rows; "
    "Azure goes by its index"
)


def _ratios(one: Among) -> list[Cell]:
    cold_packs, cold_rows = one.over_ten(one.from_packs), one.over_ten(one.from_rows)
    return [f"{one.speakers:,}", one.warm_ratio, one.changed_ratio, cold_packs, cold_rows]


def _curves(found: Sequence[Among]) -> list[Curve]:
    series: dict[str, list[tuple[float, float | None]]] = {
        "warm": [(one.speakers, one.warm_ratio) for one in found],
        "after one change": [(one.speakers, one.changed_ratio) for one in found],
        "cold, from packs": [(one.speakers, one.over_ten(one.from_packs)) for one in found],
        "cold, from rows": [(one.speakers, one.over_ten(one.from_rows)) for one in found],
    }
    panel = f"Identify of {BREAKDOWN_SECONDS} s among everybody"
    return [
        Curve(
            panel,
            "speakers",
            "times ten speakers, warm",
            label,
            [(x, y) for x, y in points if y is not None],
            log_x=True,
            log_y=True,
            limit=EVERYBODY.limit,
        )
        for label, points in series.items()
    ]


def _measure(found: Sequence[Among]) -> Measure:
    largest = found[-1]
    if largest.speakers < SIZES[-1]:
        return Measure(EVERYBODY, None, f"{largest.warm_ratio:.2f}x among {largest.speakers:,}, the most in this run")
    return Measure(
        EVERYBODY, largest.warm_ratio, f"median of {ROUNDS} pairs; {largest.changed_ratio:.2f}x after a change"
    )
