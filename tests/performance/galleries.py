"""Identify among everybody: warm, after one change, cold; from 10 to 100,000 synthesised speakers on Azurite.

    python -m tests.performance.galleries [--most 100000] [--json FILE]

Times are of the storage and the scoring alone: listening and the network cost the same whoever is compared. Rows are
written straight into the table, as enrolling 100,000 speakers would take hours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np

from localhost.azurite import Azurite
from shared.domain.decision import open_set
from shared.domain.recording import Vector
from shared.services.ports import Scorer
from shared.storage.backend.account import StorageAccount
from shared.storage.gallery.compaction import PACK_PROFILES
from shared.storage.gallery.galleries import RowGalleries
from shared.storage.stores import Storage
from tests.contract.cutting import Scissors
from tests.contract.stores import instance
from tests.performance.population import MODEL, SPEAKER_MODEL, Population, voice

SIZES = (10, 100, 1_000, 10_000, 100_000)


@dataclass(frozen=True)
class Figures:
    """Milliseconds, medians; calls are storage calls of one identify before and after the audio."""

    speakers: int
    cold_from_rows: float
    packing: float
    cold_from_packs: float
    warm: float
    warm_calls: Sequence[str]
    after_one_change: float
    change_calls: Sequence[str]
    scoring: float
    megabytes: float


@dataclass
class Bench:
    storage: Storage
    subscription_id: str
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    scissors: Scissors = field(default_factory=Scissors)

    def __post_init__(self) -> None:
        self.stores = instance(self.storage, pack_profiles=PACK_PROFILES)
        self.stores.subscriptions.ensure(self.subscription_id, {})
        self.population = Population(self.storage.voices, self.stores.envelope, self.subscription_id)

    def new_instance(self) -> RowGalleries:
        return instance(self.storage, self.scissors, gallery_bytes=10**9).galleries

    def compact(self) -> None:
        self.stores.compaction.compact(self.subscription_id)

    def identify(self, galleries: RowGalleries) -> None:
        gallery = galleries.up_to_date(self.subscription_id)
        ranked = gallery.best({MODEL: scorer(voice(self.random))}, 5)
        assert [open_set(score, ranked.candidates) for _, score in ranked.best]


def scorer(embedding: Vector) -> Scorer:
    return partial(SPEAKER_MODEL.scores_of_all, embedding, 4.0)


def measured(bench: Bench, speakers: int, rounds: int) -> Figures:
    for _ in bench.population.fill(speakers):
        pass
    bench.population.count(speakers)
    cold = milliseconds(lambda: bench.identify(bench.new_instance()), 1)
    bench.population.change_one()
    packing = milliseconds(bench.compact, 1)
    galleries = bench.new_instance()
    from_packs = milliseconds(lambda: bench.identify(bench.new_instance()), 3)
    bench.identify(galleries)
    bench.scissors.calls.clear()
    bench.identify(galleries)
    warm_calls = tuple(bench.scissors.calls)
    warm = milliseconds(lambda: bench.identify(galleries), rounds)
    changed = []
    for _ in range(rounds):
        bench.population.change_one()
        bench.scissors.calls.clear()
        changed.append(milliseconds(lambda: bench.identify(galleries), 1))
    change_calls = tuple(bench.scissors.calls)
    gallery = galleries.up_to_date(bench.subscription_id)
    scoring = milliseconds(lambda: gallery.best({MODEL: scorer(voice(bench.random))}, 5), rounds)
    return Figures(
        speakers,
        cold,
        packing,
        from_packs,
        warm,
        warm_calls,
        statistics.median(changed),
        change_calls,
        scoring,
        galleries.bytes_held / 1e6,
    )


def milliseconds(work: Callable[[], object | None], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def benches(azurite: Azurite) -> Iterator[Bench]:
    account = StorageAccount(connection_string=azurite.connection_string)
    number = 0
    while True:
        number += 1
        yield Bench(Storage.in_azure(account, f"t{uuid4().hex[:10]}"), f"s{number}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = []
    with Azurite() as azurite:
        for speakers, bench in zip([one for one in SIZES if one <= asked.most], benches(azurite), strict=False):
            figures = measured(bench, speakers, asked.rounds)
            found.append(figures)
            rounded = {
                name: round(value, 1) if isinstance(value, float) else value for name, value in vars(figures).items()
            }
            print(rounded, flush=True)
    if asked.json:
        asked.json.write_text(json.dumps([vars(one) for one in found], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
