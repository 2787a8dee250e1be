"""Writes a subscription's profiles into one encrypted file, with everything that is needed to go on elsewhere.

    python -m tools.export_subscription --subscription ID --out FILE --passphrase-file FILE [--data DIR]

For the operator: it reads storage by the app's own settings and may use the subscription's data key. The service may
be at work meanwhile. Whoever has the file and its passphrase has the voices: `docs/portability.md`. Exit code 0:
written, 2: not, and then there is no file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from localhost.failure import CannotStart
from shared.config import ConfigInvalid
from shared.domain.audit import MANAGEMENT, Actor, AuditAction
from shared.domain.errors import TimbreError
from shared.domain.subscription import Subscription
from shared.storage.stores import Stores
from tools.portability.archive import COST, ArchiveWriter
from tools.portability.deployment import REPOSITORY, active, audit_of, deployment, new_id, now, passphrase, say
from tools.portability.reading import ProfileRestless, SubscriptionReader

_COULD_NOT = 2


def export(stores: Stores, subscription_id: str, out: Path, secret: bytes, *, cost: int = COST) -> str:
    """One sentence about what was written. Raises ``CannotStart``, ``TimbreError``, ``ProfileRestless``."""
    if out.exists():
        raise CannotStart(f"{out} is there already.")
    subscription = active(stores, subscription_id)
    reader, partial = SubscriptionReader(stores), out.with_name(f"{out.name}.partial")
    actor, audit = Actor(MANAGEMENT, new_id()), audit_of(stores)
    with audit.recording(actor, AuditAction.EXPORT_SUBSCRIPTION, subscription_id) as record:
        _write(reader, subscription, partial, secret, cost)
        partial.rename(out)
        audit.record(record())  # nothing was changed that could take it along
    counts = reader.counts
    missing = f" {reader.missing} recordings were not there any more." if reader.missing else ""
    return (
        f"{out}: {counts.profiles} profiles, {counts.enrollments} enrollments, {counts.recordings} recordings, "
        f"{counts.groups} groups.{missing}"
    )


def _write(reader: SubscriptionReader, subscription: Subscription, file: Path, secret: bytes, cost: int) -> None:
    """Readable by its owner only, and on the disk when this returns; nothing is left where it fails."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            archive = ArchiveWriter(opened, secret, cost=cost)
            for line in reader.lines(subscription, now(), lambda counts: say(f"{counts.profiles} profiles")):
                archive.write(line)
            archive.close()
            opened.flush()
            os.fsync(descriptor)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    try:
        with deployment(options.data) as stores:
            print(export(stores, options.subscription, options.out, passphrase(options.passphrase_file)))
    except (CannotStart, ConfigInvalid, TimbreError, OSError) as problem:
        print(problem, file=sys.stderr)
    except ProfileRestless:
        print("A profile changed every time it was read: try again when there is less to do.", file=sys.stderr)
    else:
        return 0
    return _COULD_NOT


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="export_subscription", description="A subscription's profiles in one file.")
    parser.add_argument("--subscription", required=True, metavar="ID")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="must not be there yet")
    parser.add_argument("--passphrase-file", type=Path, required=True, metavar="FILE", help="12 characters or more")
    parser.add_argument("--data", type=Path, default=REPOSITORY / ".timbre", help="the local service's data folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
