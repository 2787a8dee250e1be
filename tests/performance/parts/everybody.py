"""Identify of 4 s over HTTP among everybody, from 10 to 100,000 speakers: warm, after one change, cold.

Each number of speakers has a storage emulator of its own, as the emulator slows down with the rows of a table, and a
service process of its own. What is compared with ten speakers takes turns with ten speakers. ``cold`` is the first
identify of a new process among them, when its networks are open already: what opening them costs is another part.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from localhost.azurite import Azurite
from shared.domain.profile import Signature
from shared.storage.gallery.compaction import FEWEST
from tests.api.later import IDENTIFICATION, V2021
from tests.performance import process
from tests.performance.bare import timed
from tests.performance.client import Client, Request, Unexpected
from tests.performance.figures import Cell, Measure, Result, Table, Target, milliseconds, ratio_of_pairs
from tests.performance.population import Population, signature_of
from tests.performance.recordings import SECONDS, material
from tests.performance.serving import Run, serving

SIZES, QUICK_MOST = (10, 100, 1_000, 10_000, 100_000), 1_000
ROUNDS, QUICK_ROUNDS = 30, 5
STARTS, QUICK_STARTS = 3, 1
TARGET: Final = Target("identify of 4 s among 100,000 speakers, warm, over the same among 10", 1.5)

_EVERYBODY = V2021.path(IDENTIFICATION, "/profiles:identifySingleSpeaker", "&profileIds=*&ignoreMinLength=true")


@dataclass(frozen=True)
class Place:
    """Storage with a crowd, and a few speakers of another subscription."""

    azurite: Azurite
    crowd: Population
    few: Population

    @classmethod
    def on(cls, azurite: Azurite, speakers: int, signature: Signature) -> Place:
        crowd = Population.on(azurite, "everybody", speakers, signature)
        return cls(azurite, crowd, Population.on(azurite, "few", 3, signature))

    @contextmanager
    def served(self) -> Iterator[Service]:
        """A new service process with open networks that knows nothing of the crowd."""
        with serving(self.azurite) as running:
            warming = Service(self.few, Client(running.url, self.few.key), running.process.pid)
            for _ in range(3):
                warming.identify()
            yield Service(self.crowd, Client(running.url, self.crowd.key), running.process.pid)

    def cold(self, starts: int) -> list[float]:
        """Seconds of the first identify of each of so many new processes."""
        seconds = []
        for _ in range(starts):
            with self.served() as service:
                seconds.append(service.identify())
        return seconds


@dataclass(frozen=True)
class Service:
    crowd: Population
    client: Client
    process_id: int

    def identify(self) -> float:
        """Seconds. Raises ``Unexpected`` unless the speaker is named."""
        answer = self.client.send(Request(_EVERYBODY, material().speech[SECONDS]))
        if answer.json["identifiedProfile"]["profileId"] != self.crowd.speaker:
            raise Unexpected("The speaker was not named among everybody.")
        return answer.seconds

    def identify_after_a_change(self) -> float:
        self.crowd.change_one()
        return self.identify()


def measured(run: Run) -> Result:
    """Raises ``CannotStart``, ``Unexpected``."""
    most = min(run.most, QUICK_MOST) if run.quick else run.most
    signature = signature_of(material().speakers[0])
    rows, ratios = [], {}
    with ExitStack() as stack:
        ten = stack.enter_context(Place.on(stack.enter_context(Azurite()), SIZES[0], signature).served())
        ten.identify_after_a_change()
        for speakers in (size for size in SIZES if size <= most):
            run.say(f"{speakers:,} speakers")
            with Azurite() as azurite:
                row, ratios[speakers] = _among(run, Place.on(azurite, speakers, signature), speakers, ten)
            rows.append(row)
    header = ["speakers", "warm p50", "over ten", "after a change", "over ten", "cold, packs", "cold, rows", "MB"]
    note = (
        "ms; ratios are medians over pairs of one identify here and one among ten. "
        f"Fewer than {FEWEST:,} speakers have no packs; MB of the service at the end."
    )
    largest = max(ratios)
    measure = Measure(TARGET, ratios.get(SIZES[-1]), f"{ratios[largest]:.2f} x among {largest:,}")
    return Result([Table("Identify among everybody", header, rows, note)], [measure])


def _among(run: Run, place: Place, speakers: int, ten: Service) -> tuple[list[Cell], float]:
    """A row of the table, and the ratio of a warm identify to one among ten."""
    starts, rounds = (QUICK_STARTS, QUICK_ROUNDS) if run.quick else (STARTS, ROUNDS)
    # Nothing is in the log of changes yet, so that no timer packs anything meanwhile.
    from_rows, from_packs = place.cold(1 if speakers > 10_000 else starts), list[float]()
    place.crowd.change_one()
    if speakers >= FEWEST:
        run.say(f"packing took {timed(place.crowd.compact):.1f} s")
        from_packs = place.cold(starts)
    with place.served() as service:
        service.identify()
        warm = [(service.identify(), ten.identify()) for _ in range(rounds)]
        changed = [(service.identify_after_a_change(), ten.identify_after_a_change()) for _ in range(rounds)]
        megabytes = process.megabytes(service.process_id)
    cells: list[Cell] = [f"{speakers:,}"]
    for pairs in (warm, changed):
        here, among_ten = ([pair[side] for pair in pairs] for side in (0, 1))
        cells += [milliseconds(here), ratio_of_pairs(here, among_ten)]
    ratio = cells[2]
    assert isinstance(ratio, float)
    return [*cells, milliseconds(from_packs), milliseconds(from_rows), megabytes], ratio
