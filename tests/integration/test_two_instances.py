"""Two worker processes in front of one storage: what one has acknowledged, the other one's next identify sees.

Each process has a gallery of its own in memory. Random interleavings of enroll, reset, delete, expiry and compaction on
both, and after most of them an identify among everybody on the one that did not do it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from uuid import uuid4

import pytest

from localhost.azurite import Azurite
from shared.domain.profile import Profile, ProfileKey, ProfileKind
from shared.domain.subscription import Subscription, SubscriptionSettings
from shared.storage.backend.account import StorageAccount
from shared.storage.stores import Storage, Stores
from tests.contract.comparing import scores
from tests.contract.expiring import sweep
from tests.contract.stores import NOW, Clock, enrolled, instance, new_enrollment

SHORT, LONG = 40, 60
"""Steps of each chance."""
SEEDS = (1, pytest.param(2, marks=pytest.mark.long_form("another chance")))


@dataclass(frozen=True)
class Tables:
    connection_string: str = field(repr=False)
    mark: str

    def storage(self) -> Storage:
        return Storage.in_azure(StorageAccount(connection_string=self.connection_string), f"t{self.mark}")


def work(tables: Tables, wire: Connection) -> None:
    """One process: does what it is told and answers."""
    clock = Clock(NOW)
    stores = instance(tables.storage(), clock=clock)
    while True:
        action, *details = wire.recv()
        if action == "end":
            return
        wire.send(_done(stores, clock, action, *details))


def _done(stores: Stores, clock: Clock, action: str, subscription_id: str, *details: str) -> object:  # noqa: C901  one flat match
    key = ProfileKey(subscription_id, ProfileKind.IDENTIFICATION, details[0] if details else str(uuid4()))
    match action:
        case "identify":
            return set(scores(stores, subscription_id))
        case "compact":
            return stores.compaction.compact(subscription_id)
        case "pass":
            clock.now = datetime.fromisoformat(details[0])
        case "sweep":
            sweep(stores, subscription_id, clock.now)
        case "new":
            stores.profiles.create(Profile(key, "en-US", created_at=clock.now, last_action_at=clock.now), 1_000)
            _enroll(stores, clock, key)
        case "enroll":
            _enroll(stores, clock, key)
        case "reset":
            stores.profiles.reset(key, clock.now)
        case "delete":
            stores.profiles.delete(key, clock.now)
    return key.profile_id


def _enroll(stores: Stores, clock: Clock, key: ProfileKey) -> None:
    profile, signature = stores.profiles.get_with_signature(key)
    enrollment = new_enrollment(random.randrange(1_000), at=clock.now)
    stores.profiles.enroll(*enrolled(profile, signature, enrollment), enrollment, None)


@dataclass(frozen=True)
class Worker:
    process: BaseProcess
    wire: Connection

    def __call__(self, action: str, *details: str) -> object:
        self.wire.send((action, *details))
        assert self.wire.poll(60), f"the worker did not answer to {action}"
        return self.wire.recv()


@contextmanager
def workers(tables: Tables) -> Iterator[tuple[Worker, Worker]]:
    """Processes of their own, as a functions host starts them: nothing is shared but the storage."""
    context = get_context("spawn")
    started: list[Worker] = []
    try:
        for _ in range(2):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(tables, theirs), daemon=True)
            process.start()
            started.append(Worker(process, ours))
        yield started[0], started[1]
    finally:
        for one in started:
            one.wire.send(("end",))
            one.process.join(20)


@dataclass
class Expected:
    """Who is a candidate, and until when."""

    alive: dict[str, bool] = field(default_factory=dict)
    now: datetime = NOW
    ends: dict[str, datetime] = field(default_factory=dict)

    @property
    def candidates(self) -> set[str]:
        return {one for one, enrolled in self.alive.items() if enrolled and self.ends[one] > self.now}


def step(chance: random.Random, expected: Expected, here: Worker, there: Worker, subscription_id: str) -> None:
    """One change on ``here``; ``expected`` is what must be seen from then on."""
    living = [one for one in expected.alive if expected.ends[one] > expected.now]
    action = chance.choice(["new", "new", "enroll", "reset", "delete", "pass", "sweep", "compact"])
    if action in ("sweep", "compact"):
        here(action, subscription_id)
    elif action == "pass":
        expected.now += timedelta(hours=chance.randrange(1, 9))
        for worker in (here, there):
            worker("pass", subscription_id, expected.now.isoformat())
    elif action == "new" or not living:
        made = str(here("new", subscription_id))
        expected.alive[made], expected.ends[made] = True, expected.now + timedelta(days=1)
    else:
        one = chance.choice(living)
        assert here(action, subscription_id, one) == one
        expected.alive[one] = action == "enroll"
        if action == "delete":
            del expected.alive[one]
        expected.ends[one] = expected.now + timedelta(days=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_one_process_acknowledged_the_other_ones_next_identify_sees(
    azurite: Azurite, seed: int, long_form: bool
) -> None:
    tables = Tables(azurite.connection_string, uuid4().hex[:12])
    stores = instance(tables.storage())
    subscription_id = f"s-{seed}"
    settings = SubscriptionSettings(max_age_days=1.0)
    stores.subscriptions.create(Subscription(subscription_id, settings=settings), {})
    chance, expected = random.Random(seed), Expected()
    with workers(tables) as pair:
        for number in range(LONG if long_form else SHORT):
            here, there = pair if chance.random() < 0.5 else pair[::-1]
            step(chance, expected, here, there, subscription_id)
            if chance.random() < 0.7:
                found = there("identify", subscription_id)
                assert found == expected.candidates, f"step {number} of seed {seed}"
        for worker in pair:
            assert worker("identify", subscription_id) == expected.candidates
