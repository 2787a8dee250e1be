"""How fast Timbre is, as ratios: ``python dev.py bench [--only PART ...] [--quick] [--azure-host] [--out FOLDER]``.

Tables come on the terminal as they are measured; all of them go to ``bench.md`` and every figure to ``bench.json``.
``docs/internals/performance.md`` explains the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from localhost.failure import CannotStart
from shared.config import MODEL
from tests import azure_host
from tests.performance.client import Unexpected
from tests.performance.figures import Measure, Result, Table, markdown
from tests.performance.serving import Run
from tools.evaluation.peer_environment import PeerMissing

PARTS = {
    "requests": "Over HTTP against the bare work, and cold start",
    "load": "Under load",
    "phrases": "Passphrases side by side, over what pocketsphinx made of them",
    "everybody": "Identify among everybody",
    "peers": "Beside CAM++ in torch, sherpa-onnx and Resemblyzer",
    "soak": "Soak",
}
"""Modules of ``tests.performance.parts``, in the order in which they run."""

OUT = Path(__file__).resolve().parents[2] / "build" / "bench"
CANNOT = 2


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="timbre-package-") as folder:
        if options.azure_host:
            if reason := azure_host.missing():
                print(reason, file=sys.stderr)
                return CANNOT
            azure_host.unpack(Path(folder))
            os.environ[azure_host.APP] = folder
        results, failed = {}, False
        for part in options.only or PARTS:
            try:
                results[part] = _measured(part, Run(options.quick, options.most))
            except (CannotStart, PeerMissing, Unexpected) as problem:
                print(f"{part}: {problem}", file=sys.stderr)
                failed = True
            except Exception:  # noqa: BLE001  whatever breaks one part, the others' figures are wanted
                traceback.print_exc()
                failed = True
            _write(options, results)
    print(markdown(_targets([measure for result in results.values() for measure in result.measures])))
    return CANNOT if failed else 0


def _measured(part: str, run: Run) -> Result:
    started = time.perf_counter()
    run.say(f"{part} begins, load {os.getloadavg()[0]:.1f}")
    result: Result = import_module(f"tests.performance.parts.{part}").measured(run)
    run.say(f"{part} took {time.perf_counter() - started:.0f} s, load {os.getloadavg()[0]:.1f}")
    print("\n".join(markdown(table) for table in result.tables), flush=True)
    return result


def _write(options: argparse.Namespace, results: dict[str, Result]) -> None:
    about = {
        "model": MODEL.default,
        "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
        "host": "Azure's own" if options.azure_host else "local",
        "quick": options.quick,
    }
    parts = {part: asdict(result) for part, result in results.items()}
    (options.out / "bench.json").write_text(json.dumps({**about, "parts": parts}, indent=1) + "\n", encoding="utf-8")
    lines = ["# Figures of the bench", "", "; ".join(f"{name}: {value}" for name, value in about.items()), ""]
    lines.append(markdown(_targets([measure for result in results.values() for measure in result.measures])))
    for part, result in results.items():
        lines += [f"## {PARTS[part]}", "", *(markdown(table) for table in result.tables)]
    (options.out / "bench.md").write_text("\n".join(lines), encoding="utf-8")


def _targets(measures: Sequence[Measure]) -> Table:
    return Table("Targets", ["target", "limit", "figure", "", "remark"], [measure.row for measure in measures])


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it run, not how fast")
    parser.add_argument("--most", type=int, default=100_000, help="the largest number of speakers (100,000)")
    parser.add_argument("--azure-host", action="store_true", help="the service on Azure's own Functions host")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of bench.md and bench.json (build/bench)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
