"""Compares tables and blobs of every subscription and reports what nothing refers to: zero when all is well.

    python -m tools.audit_orphans [--repair] [--list] [--data DIR]

Reads the settings of the app: the environment, else `local.settings.json`. Where those name no storage account, the
local service's own is opened in its data folder; stop the service first. Exit code 0: nothing found, 1: something
found (also when it was repaired: run it again), 2: it could not look. Names of rows and blobs hold ids only; no sealed
value is read, none is printed. A finding counts only when a second look, a little later, sees it too.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from localhost.failure import CannotStart
from shared.config import ConfigInvalid
from shared.domain.errors import StorageUnavailable
from shared.storage.backend.account import StorageAccount
from shared.storage.stores import Storage
from tools.orphans.census import Progress, take
from tools.orphans.findings import Finding, findings, pending
from tools.orphans.owners import Owners, Strays, azure_strays, find
from tools.orphans.repair import repair
from tools.portability.deployment import REPOSITORY, configured, now

SECOND_LOOK_SECONDS = 5.0
"""Longer than a request needs between two of its writes; what is only under way is gone by then."""

_COULD_NOT_LOOK = 2


@dataclass(frozen=True)
class Audit:
    """``pending``: what the timer has yet to do, which is no fault."""

    subscriptions: int
    rows: int
    blobs: int
    pending: int
    found: tuple[Finding, ...]


def audit(
    account: Storage,
    strays: Strays,
    at: Callable[[], datetime],
    *,
    wait: Callable[[], None] = lambda: time.sleep(SECOND_LOOK_SECONDS),
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    owners = find(account, strays)
    rows = blobs = due = 0
    suspected: dict[str, frozenset[Finding]] = {}
    for number, owner in enumerate(owners.all, start=1):
        census = take(account, owner, owners.indexed.get(owner, ()), _of(progress, number, owners))
        rows, due = rows + len(census.rows), due + pending(census)
        blobs += len(census.blobs) + len(census.packs) + len(census.turns)
        if seen := findings(census, at()):
            suspected[owner] = seen
    if suspected:
        wait()
        indexed = find(account, lambda: ()).indexed
        for owner, seen in suspected.items():
            suspected[owner] = seen & findings(take(account, owner, indexed.get(owner, ())), at())
    found = sorted((one for seen in suspected.values() for one in seen), key=lambda one: (one.problem, one.where))
    return Audit(len(owners.known), rows, blobs, due, tuple(found))


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    try:
        with configured(options.data) as config:
            return _run(config.storage, mend=options.repair, listing=options.list)
    except (CannotStart, ConfigInvalid) as problem:
        print(problem, file=sys.stderr)
    except StorageUnavailable:
        print("The storage account does not answer: check the settings and the network.", file=sys.stderr)
    return _COULD_NOT_LOOK


def _run(storage: StorageAccount, *, mend: bool, listing: bool) -> int:
    account = Storage.in_azure(storage)
    result = audit(account, lambda: azure_strays(storage), now, progress=lambda text: print(text, file=sys.stderr))
    print(f"subscriptions {result.subscriptions}, rows {result.rows}, blobs {result.blobs}")
    print(f"waiting for the timer {result.pending}")
    print(f"orphans and inconsistencies {len(result.found)}")
    for problem, count in sorted(Counter(one.problem for one in result.found).items()):
        print(f"  {count:6}  {problem.value}")
    if listing:
        for one in result.found:
            print(f"  {one.subscription_id}  {one.where}  ({one.problem.value})")
    if mend and result.found:
        if not result.subscriptions:
            print("Nothing repaired: there is no subscription at all. Is this the right account?", file=sys.stderr)
        else:
            done = sum(repair(account, one) for one in result.found)
            print(f"repaired {done}, left for a person {len(result.found) - done}")
    return 1 if result.found else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="audit_orphans", description="What is stored that nothing refers to?")
    parser.add_argument("--repair", action="store_true", help="take orphans away and mend counts")
    parser.add_argument("--list", action="store_true", help="name each finding: ids of rows and blobs")
    parser.add_argument("--data", type=Path, default=REPOSITORY / ".timbre", help="the local service's data folder")
    return parser.parse_args(arguments)


def _of(progress: Callable[[str], None], number: int, owners: Owners) -> Progress:
    return lambda count: progress(f"subscription {number} of {len(owners.all)}: {count} items")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
