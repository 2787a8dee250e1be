"""Enrolls many recordings through the service's own API: any deployment, several at once, and again after a break.

    python -m tools.enroll MANIFEST.csv --url URL [--key KEY] [--kind identification|verification|text-independent]
                           [--parallel N] [--retry-refused]

The manifest has the columns `path,speaker` and may have `profile_id,locale,consent_statement`; paths are relative to
it. Each speaker gets a profile, unless one is named, and all its recordings. `MANIFEST.csv.journal` remembers what was
done: the same command goes on after an interruption and enrolls nothing twice, as long as nobody else enrolls into the
same profiles meanwhile. `MANIFEST.csv.profiles.csv` says which speaker has which profile, `MANIFEST.csv.refused.csv`
what the service refused and why. Without `--key` the key is the environment's TIMBRE_SUBSCRIPTION_KEY. Exit code 0:
everything is enrolled, 1: some were refused, 2: it could not go on.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.enrolling.journal import Journal, JournalRefused
from tools.enrolling.manifest import ManifestRefused, Speaker, read_manifest
from tools.enrolling.run import Progress, Run
from tools.enrolling.service import KINDS, Service, Unusable

_COULD_NOT = 2
_BAR = 30


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    if not options.key:
        print("Say the subscription key with --key, or in TIMBRE_SUBSCRIPTION_KEY.", file=sys.stderr)
        return _COULD_NOT
    if not options.url.startswith(("http://", "https://")):
        print(f"{options.url} is no http or https address.", file=sys.stderr)
        return _COULD_NOT
    try:
        speakers = read_manifest(options.manifest)
        return enroll(options.manifest, speakers, Service(options.url, options.key, options.kind), options)
    except (ManifestRefused, JournalRefused, Unusable, OSError) as problem:
        print(f"\n{problem}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on.", file=sys.stderr)
    return _COULD_NOT


def enroll(manifest: Path, speakers: Sequence[Speaker], service: Service, options: argparse.Namespace) -> int:
    """Raises ``JournalRefused``, ``Unusable``, ``OSError``."""
    with Journal(_beside(manifest, ".journal"), service.url, service.kind) as journal:
        if options.retry_refused:
            journal.known.refused.clear()
        names = [recording.name for speaker in speakers for recording in speaker.recordings]
        progress = Progress(
            len(names),
            enrolled=sum(name in journal.known.enrolled for name in names),
            refused=sum(name in journal.known.refused for name in names),
            changed=show,
        )
        try:
            Run(service, journal, progress)(speakers, options.parallel)
        finally:
            _report(manifest, speakers, journal)
    print(
        f"\n{progress.enrolled} of {progress.total} recordings enrolled, {progress.refused} refused.", file=sys.stderr
    )
    if progress.perhaps_empty:
        print(f"Up to {progress.perhaps_empty} profiles may have been made whose answer was lost: they are empty.")
    return 1 if progress.refused else 0


def show(progress: Progress) -> None:
    """A bar on a terminal; elsewhere a line at each tenth."""
    done = progress.enrolled + progress.refused
    share = done / max(1, progress.total)
    text = f"{done} of {progress.total}, {progress.refused} refused"
    if sys.stderr.isatty():
        filled = int(share * _BAR)
        print(f"\r[{'#' * filled}{'.' * (_BAR - filled)}] {text}", end="", file=sys.stderr, flush=True)
    elif int(share * 10) > int((done - 1) / max(1, progress.total) * 10):
        print(text, file=sys.stderr, flush=True)


def _report(manifest: Path, speakers: Iterable[Speaker], journal: Journal) -> None:
    refused = [(name, one.status, one.code, one.message) for name, one in sorted(journal.known.refused.items())]
    _table(_beside(manifest, ".refused.csv"), ("path", "status", "code", "message"), refused)
    made = [(one.name, one.profile_id or journal.known.profiles.get(one.name, "")) for one in speakers]
    _table(_beside(manifest, ".profiles.csv"), ("speaker", "profile_id"), made)


def _table(file: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(head)
        writer.writerows(rows)


def _beside(manifest: Path, ending: str) -> Path:
    return manifest.with_name(manifest.name + ending)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="enroll", description="Enroll many recordings through the service's API.")
    parser.add_argument("manifest", type=Path, help="CSV: path,speaker[,profile_id,locale,consent_statement]")
    parser.add_argument("--url", required=True, help="of the deployment, for example http://127.0.0.1:7071")
    parser.add_argument("--key", default=os.environ.get("TIMBRE_SUBSCRIPTION_KEY", ""))
    parser.add_argument("--kind", choices=sorted(KINDS), default="identification")
    parser.add_argument("--parallel", type=int, choices=range(1, 65), default=4, metavar="N", help="1 to 64 speakers")
    parser.add_argument("--retry-refused", action="store_true", help="try again what an earlier run was refused")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
