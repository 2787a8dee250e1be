"""Puts the profiles of an export into a subscription, of this deployment or another one.

    python -m tools.import_subscription FILE --subscription ID --passphrase-file FILE [--data DIR]

For the operator; the subscription must be there. The whole file is checked before anything is written, so a wrong
passphrase or a cut file leaves nothing behind. What stops the import later leaves whole profiles only: run it again,
and it goes on where it was. A profile whose id another one has here gets a new id; each is printed as `old new`. Exit
code 0: everything is there, 2: not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from localhost.failure import CannotStart
from shared.config import ConfigInvalid
from shared.domain.audit import MANAGEMENT, Actor
from shared.domain.errors import TimbreError
from shared.storage.stores import Stores
from tools.portability.archive import ArchiveRefused, lines
from tools.portability.deployment import REPOSITORY, active, deployment, new_id, passphrase, say
from tools.portability.writing import ImportCrossed, Imported, SubscriptionWriter, check

_COULD_NOT = 2


def restore(stores: Stores, subscription_id: str, file: Path, secret: bytes) -> Imported:
    """Raises ``CannotStart``, ``ArchiveRefused``, ``ImportCrossed``, ``TimbreError``, ``OSError``."""
    subscription = active(stores, subscription_id)
    with file.open("rb") as archive:
        expected = check(lines(archive, secret))
    writer = SubscriptionWriter(stores, subscription)
    with file.open("rb") as archive:
        writer.write(
            lines(archive, secret),
            Actor(MANAGEMENT, new_id()),
            lambda done: say(f"{done.profiles + done.there_already} of {expected.profiles} profiles"),
        )
    return writer.done


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    try:
        with deployment(options.data) as stores:
            done = restore(stores, options.subscription, options.file, passphrase(options.passphrase_file))
    except (CannotStart, ConfigInvalid, ArchiveRefused, ImportCrossed, TimbreError, OSError) as problem:
        print(problem, file=sys.stderr)
        return _COULD_NOT
    for old, new in sorted(done.renamed.items()):
        print(f"{old} {new}")
    print(
        f"{done.profiles} profiles, {done.enrollments} enrollments, {done.recordings} recordings written; "
        f"{done.there_already} profiles were there already.",
        file=sys.stderr,
    )
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="import_subscription", description="Profiles of an export into storage.")
    parser.add_argument("file", type=Path, metavar="FILE", help="what export_subscription wrote")
    parser.add_argument("--subscription", required=True, metavar="ID", help="the one to fill")
    parser.add_argument("--passphrase-file", type=Path, required=True, metavar="FILE")
    parser.add_argument("--data", type=Path, default=REPOSITORY / ".timbre", help="the local service's data folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
