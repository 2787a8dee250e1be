"""Closed loop with more and more clients, then an open loop at twice what the closed loop showed to be possible.

Clients and Azurite run on the same processors as the service.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from localhost.azurite import Azurite
from tests.performance import process
from tests.performance.client import Client, Request, enroll
from tests.performance.figures import Cell, Measure, Result, Table, Target, milliseconds
from tests.performance.loops import Load, closed_loop, open_loop
from tests.performance.recordings import SECONDS, material
from tests.performance.serving import Run, serving

CLIENTS, QUICK_CLIENTS = (1, 2, 4, 8, 16, 32), (1, 16)
ROW_SECONDS, QUICK_ROW_SECONDS = 5.0, 1.0
TARGET: Final = Target("answers a second at twice the capacity, over the capacity: no collapse", 0.8, at_least=True)


def measured(run: Run) -> Result:
    """Raises ``CannotStart``, ``Unexpected``."""
    seconds = QUICK_ROW_SECONDS if run.quick else ROW_SECONDS
    rows: list[list[Cell]] = []
    kept = {}
    with Azurite() as azurite, serving(azurite) as service:
        connect = partial(Client, service.url, service.key)
        enrolled = enroll(connect(), material())
        for name, request in {
            "identify": enrolled.identify(material().speech[SECONDS]),
            "verify": enrolled.verify(material().phrases[SECONDS]),
        }.items():
            run.say(f"{name} under load")
            loads = _loads(connect, request, seconds, QUICK_CLIENTS if run.quick else CLIENTS)
            held = process.megabytes(service.process.pid)
            rows += [[f"{name}, {clients}", *_cells(load), held] for clients, load in loads]
            *closed, (_, opened) = loads
            kept[name] = opened.rate / max(load.rate for _, load in closed)
    header = ["clients", "answered/s", "p50", "p95", "refused", "refusal p95", "failed or unsent", "MB"]
    note = (
        f"{SECONDS} s of speech over v1.0, identify among 10; ms. A refused client rests as long as the refusal says; "
        "the open loop sends by the clock, and its times count from when a request was due."
    )
    worse = min(kept, key=kept.__getitem__)
    return Result([Table("Under load", header, rows, note)], [Measure(TARGET, kept[worse], worse)])


def _loads(
    connect: Callable[[], Client], request: Request, seconds: float, clients: tuple[int, ...]
) -> list[tuple[str, Load]]:
    closed = [(f"{number}", closed_loop(connect, request, number, seconds)) for number in clients]
    offered = 2 * max(load.rate for _, load in closed)
    return [*closed, (f"open, {offered:.0f}/s", open_loop(connect, request, offered, seconds))]


def _cells(load: Load) -> list[Cell]:
    times = [milliseconds(load.good), milliseconds(load.good, 95)]
    refusals = [len(load.refused), milliseconds(load.refused, 95)]
    return [load.rate, *times, *refusals, load.failed + load.not_sent]
