"""Timbre beside its peers: ``python -m tests.performance.peers [--json FILE] [--quick]``.

Starts everything itself, installs the peers into ``.venv-peer`` at first use (torch, some hundred megabytes).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from localhost.failure import CannotStart
from tests.performance.client import Unexpected
from tests.performance.peers.comparison import QUICK, Plan, compared
from tests.performance.peers.report import rendered
from tests.performance.recordings import material
from tools.evaluation.peer_environment import PeerMissing

_CANNOT = 2


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="peers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it run, not how fast")
    options = parser.parse_args(arguments)
    try:
        report = compared(material(), QUICK if options.quick else Plan())
    except (CannotStart, PeerMissing, Unexpected) as problem:
        print(problem, file=sys.stderr)
        return _CANNOT
    print(rendered(report))
    if options.json:
        options.json.write_text(json.dumps(asdict(report), indent=2, default=str) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
