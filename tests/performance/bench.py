"""How fast Timbre is, as ratios: ``python dev.py bench [--full] [--only PART ...] [--quick]``.

Without more it measures verify and identify over HTTP against the work that cannot be saved, and the cold start: a
minute. ``--full`` measures everything, 35 to 40 minutes on a quiet machine. Tables come on the terminal as they are
found; all of them go to ``bench.md``, with the plot ``bench.svg`` and every figure in ``bench.json``.
``docs/performance.md`` explains the figures.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from localhost.failure import CannotStart
from tests.performance.client import Unexpected
from tests.performance.recordings import material
from tests.performance.reporting import kept
from tests.performance.reporting.found import Run
from tests.performance.reporting.report import (
    Report,
    Section,
    load_average,
    markdown,
    section_text,
    targets_text,
    this_machine,
)

PARTS = {
    "requests": "Over HTTP against the bare work",
    "decoding": "Decoding, and what its processes cost",
    "peers": "Beside CAM++ in torch, sherpa-onnx and Resemblyzer",
    "everybody": "Identify among everybody",
    "upkeep": "What the timers cost",
    "cold_start": "Cold start",
    "soak": "Soak",
    "azure": "On Azure's own host",
    "azure_cold_start": "Cold start on Azure's own host",
    "adapter": "HTTP streams: Timbre's adapter, Microsoft's, and none",
    "azure_soak": "Soak on Azure's own host",
}
"""Modules of ``tests.performance.parts``, in the order in which they run."""

SHORT = ("requests", "cold_start")
MOST = 100_000
MINUTES = 10.0
_OUT = Path(__file__).resolve().parents[2] / "build" / "bench"
_CANNOT = 2


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    parts = list(PARTS) if options.full and not options.only else list(options.only or SHORT)
    folder: Path = options.out or (_OUT / "quick" if options.quick else _OUT)
    folder.mkdir(parents=True, exist_ok=True)
    failed = False
    spoken = material()
    report = Report(this_machine(), spoken.source, options.quick, [])
    if not options.full or options.only:
        report = beside(report, kept.read(folder / "bench.json"))
    for part in parts:
        run = Run(spoken, _speaker(part), options.quick, options.most, options.minutes)
        try:
            section = measured(part, run)
        except (CannotStart, Unexpected) as problem:
            print(f"{part}: {problem}", file=sys.stderr)
            failed = True
            continue
        except Exception:  # noqa: BLE001  whatever breaks one part, the others' figures are wanted
            traceback.print_exc()
            failed = True
            continue
        print(section_text(section), flush=True)
        report = with_section(report, section)
        write(report, folder)
    print(targets_text(report))
    print(f"Written: {folder}/bench.md, bench.svg, bench.json")
    return _CANNOT if failed else 0


def measured(part: str, run: Run) -> Section:
    """Raises ``CannotStart``, ``Unexpected``."""
    load, taken_at, started = load_average(), datetime.now(UTC), time.perf_counter()
    run.say("begins")
    found = import_module(f"tests.performance.parts.{part}").measured(run)
    return Section(part, PARTS[part], taken_at, time.perf_counter() - started, (load, load_average()), found)


def write(report: Report, folder: Path) -> None:
    from tests.performance.reporting.plot import draw  # matplotlib takes a second

    kept.write(report, folder / "bench.json")
    draw(report, folder / "bench.svg")
    (folder / "bench.md").write_text(markdown(report, "bench.svg"), encoding="utf-8")


def with_section(report: Report, section: Section) -> Report:
    """In the place of that part's earlier section."""
    sections = {one.part: one for one in (*report.sections, section)}
    ordered = [sections[part] for part in PARTS if part in sections]
    return Report(report.machine, report.source, report.quick, ordered)


def beside(report: Report, earlier: Report | None) -> Report:
    """With the sections of an earlier run, if it was of this kind and on this machine."""
    same = earlier and (earlier.machine, earlier.source, earlier.quick) == (report.machine, report.source, report.quick)
    return earlier if earlier and same else report


def _speaker(part: str) -> Callable[[str], None]:
    started = time.perf_counter()

    def say(what: str) -> None:
        minutes, seconds = divmod(int(time.perf_counter() - started), 60)
        print(f"[{part} {minutes}:{seconds:02}] {what}", file=sys.stderr, flush=True)

    return say


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every part")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it run, not how fast")
    parser.add_argument("--most", type=int, default=MOST, help="the largest number of speakers (100,000)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of the soak on Azure's own host (10)")
    parser.add_argument("--out", type=Path, help="folder of bench.md, bench.svg and bench.json (build/bench)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
