"""Puts every subscription's data key under the current key-encryption key, after that one was rotated.

    python -m tools.rewrap_keys [--data DIR]

Reads the settings of the app: the environment, else ``local.settings.json``; the key-encryption key that they name must
still open what it wrapped before (Key Vault keeps earlier versions; a local key stands behind the new one, after a
comma). No voice is read and none is written, the service goes on meanwhile. Keys that are there already are left alone,
so after a cut run it again. Exit code 0: all are under the current key, and earlier ones may go; 1: some are not, and
are named; 2: it could not work.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from localhost.failure import CannotStart
from shared.config import ConfigInvalid
from shared.domain.errors import SealBroken, StorageUnavailable, SubscriptionUnknown
from shared.storage.backend.ports import Rows
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row, end_of
from shared.storage.sealing.data_keys import DataKeys
from tools.portability.deployment import REPOSITORY, deployment

_PREFIX: Final = data_key_row("")
_COULD_NOT_WORK: Final = 2


@dataclass
class Rewrapped:
    """``gone``: destroyed meanwhile, with its subscription. ``broken``: does not open under any key that is known."""

    moved: int = 0
    there_already: int = 0
    gone: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.moved + self.there_already + self.gone + len(self.broken)


def rewrap(subscriptions: Rows, data_keys: DataKeys, progress: Callable[[Rewrapped], None]) -> Rewrapped:
    """All of them, in the order of their ids. ``StorageUnavailable`` ends it; what is done stays done."""
    result = Rewrapped()
    for subscription_id in _with_a_key(subscriptions):
        try:
            if data_keys.rewrap(subscription_id):
                result.moved += 1
            else:
                result.there_already += 1
        except SubscriptionUnknown:
            result.gone += 1
        except SealBroken:
            result.broken.append(subscription_id)
        progress(result)
    return result


def _with_a_key(subscriptions: Rows) -> Iterator[str]:
    for row in subscriptions.query(SUBSCRIPTIONS_PARTITION, _PREFIX, end_of(_PREFIX), select=("key_id",)):
        yield row.key.removeprefix(_PREFIX)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="rewrap_keys", description="Data keys under the current key-encryption key.")
    parser.add_argument("--data", type=Path, default=REPOSITORY / ".timbre", help="the local service's data folder")
    options = parser.parse_args(arguments)
    try:
        with deployment(options.data) as stores:
            result = rewrap(stores.storage.subscriptions, stores.data_keys, _say)
    except (CannotStart, ConfigInvalid) as problem:
        print(problem, file=sys.stderr)
        return _COULD_NOT_WORK
    except StorageUnavailable:
        print("Storage or the key vault does not answer. What is done stays done: run it again.", file=sys.stderr)
        return _COULD_NOT_WORK
    print(f"data keys moved {result.moved}, there already {result.there_already}, destroyed meanwhile {result.gone}")
    for subscription_id in result.broken:
        print(f"does not open under any known key: {subscription_id}", file=sys.stderr)
    return 1 if result.broken else 0


def _say(result: Rewrapped) -> None:
    if result.seen % 100 == 0:
        print(f"{result.seen} data keys", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
