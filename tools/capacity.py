"""What a deployment of a given size needs and costs in a month: formulae, with prices and measures as inputs.

    python -m tools.capacity                    # the table of docs/cost.md
    python -m tools.capacity --price gb_second=0.00003 --recognitions 2000000

Prices are inputs, not facts: look yours up in Azure's price list for your region and currency. Those given here are
round figures in US dollars for pay-as-you-go in a cheap region, from general knowledge and unchecked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

SECONDS_OF_A_MONTH = 30 * 24 * 3600.0
TICKS_OF_A_MONTH = 30 * 24 * 12 * 3
"""Three timers, every five minutes."""

ALERT_RULES = 8
PRIVATE_ENDPOINTS = 4
DNS_ZONES = 3
"""As infra/ makes them; a test counts them there."""


@dataclass(frozen=True)
class Prices:
    """Per unit as the names say."""

    gb_second: float = 0.000026
    million_executions: float = 0.40
    free_gb_seconds: float = 100_000.0
    free_executions: float = 250_000.0
    ready_gb_second: float = 0.000004
    stored_gb: float = 0.045
    million_storage_calls: float = 0.50
    log_gb: float = 2.76
    free_log_gb: float = 5.0
    alert_rule: float = 1.50
    private_endpoint: float = 7.30
    dns_zone: float = 0.50
    hsm_key: float = 5.00


@dataclass(frozen=True)
class Size:
    """``recognitions``: enroll, verify and identify in a month; ``peak`` how many times the mean the busiest minute
    has. ``profiles`` have 30 s of audio, kept."""

    name: str
    recognitions: float
    profiles: float
    peak: float = 10.0
    always_ready: int = 0


@dataclass(frozen=True)
class Measures:
    """Of ``python dev.py bench``, with room: an instance in Azure is not the machine that these were measured on."""

    billed_seconds: float = 1.0  # Flex bills a second at least; a recognition takes a tenth
    memory_gb: float = 2.0
    at_once: int = 4  # httpConcurrency
    recognitions_per_second: float = 8.0  # of an instance: 0.12 s of one processor each
    storage_calls: float = 4.0
    log_kb: float = 6.0  # request, line of the recognition, storage's own log of four calls
    profile_kb: float = 1_000.0  # FLAC of 30 s, and rows
    timer_seconds: float = 2.0


@dataclass(frozen=True)
class Month:
    instances_at_peak: float
    compute: float
    storage: float
    logs: float
    fixed: float

    @property
    def total(self) -> float:
        return self.compute + self.storage + self.logs + self.fixed


SIZES = (
    Size("a pilot", 10_000, 200),
    Size("a call centre", 1_000_000, 50_000, always_ready=1),
    Size("a large service", 30_000_000, 500_000, peak=5.0, always_ready=4),
)


def month(size: Size, prices: Prices, measures: Measures) -> Month:
    """Requests that run together on one instance are billed once; that is left out, so this is on the dear side."""
    per_second = size.recognitions / SECONDS_OF_A_MONTH * size.peak
    gb_seconds = (
        size.recognitions * measures.billed_seconds + TICKS_OF_A_MONTH * measures.timer_seconds
    ) * measures.memory_gb
    executions = size.recognitions + TICKS_OF_A_MONTH
    log_gb = size.recognitions * measures.log_kb / 1e6
    ready = size.always_ready * measures.memory_gb * SECONDS_OF_A_MONTH * prices.ready_gb_second
    return Month(
        instances_at_peak=max(1.0, size.always_ready, -(-per_second // measures.recognitions_per_second)),
        compute=max(0.0, gb_seconds - prices.free_gb_seconds) * prices.gb_second
        + max(0.0, executions - prices.free_executions) / 1e6 * prices.million_executions
        + ready,
        storage=size.profiles * measures.profile_kb / 1e6 * prices.stored_gb
        + size.recognitions * measures.storage_calls / 1e6 * prices.million_storage_calls,
        logs=max(0.0, log_gb - prices.free_log_gb) * prices.log_gb,
        fixed=ALERT_RULES * prices.alert_rule,
    )


def production(prices: Prices, measures: Measures) -> Sequence[tuple[str, int, float]]:
    """What ``infra/production.env`` adds: its name, how many, and the price of a month of each."""
    return (
        ("private endpoint", PRIVATE_ENDPOINTS, prices.private_endpoint),
        ("private DNS zone", DNS_ZONES, prices.dns_zone),
        ("key in a hardware module", 1, prices.hsm_key),
        ("always-ready instance", 1, measures.memory_gb * SECONDS_OF_A_MONTH * prices.ready_gb_second),
    )


def production_table(prices: Prices, measures: Measures) -> str:
    rows = production(prices, measures)
    lines = ["| what | how many | a month |", "| --- | --- | --- |"]
    lines += [f"| {name} | {count} | {count * price:,.0f} |" for name, count, price in rows]
    total = sum(count * price for _, count, price in rows)
    return "\n".join([*lines, f"| together | | {total:,.0f} |"])


def table(prices: Prices, measures: Measures, sizes: Sequence[Size] = SIZES) -> str:
    """A column for each size; money is the price of a month."""
    months = [month(size, prices, measures) for size in sizes]
    rows: dict[str, Sequence[float]] = {
        "recognitions": [size.recognitions for size in sizes],
        "profiles": [size.profiles for size in sizes],
        "instances at peak": [one.instances_at_peak for one in months],
        "compute": [one.compute for one in months],
        "storage": [one.storage for one in months],
        "logs": [one.logs for one in months],
        "alerts": [one.fixed for one in months],
        "a month": [one.total for one in months],
    }
    lines = [["", *(size.name for size in sizes)], ["---"] * (len(sizes) + 1)]
    lines += [[name, *(f"{number:,.0f}" for number in numbers)] for name, numbers in rows.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="capacity", description="Size and monthly cost of a deployment.")
    names = [one.name for one in fields(Prices)]
    parser.add_argument("--price", action="append", default=[], metavar="NAME=VALUE", help=", ".join(names))
    parser.add_argument("--recognitions", type=float, help="a size of your own, instead of the three")
    parser.add_argument("--profiles", type=float, default=1_000.0)
    parser.add_argument("--always-ready", type=int, default=0)
    options = parser.parse_args(arguments)
    prices = Prices()
    for one in options.price:
        name, _, value = one.partition("=")
        if name not in names:
            parser.error(f"there is no price {name}: {', '.join(names)}")
        prices = replace(prices, **{name: float(value)})
    own = (Size("yours", options.recognitions, options.profiles, always_ready=options.always_ready),)
    print(table(prices, Measures(), own if options.recognitions else SIZES))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
