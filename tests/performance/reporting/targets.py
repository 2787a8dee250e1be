"""What issues 2, 6, 12 and 14 ask for, and how far a run is from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Bound(Enum):
    AT_MOST = "at most"
    LESS_THAN = "less than"
    AT_LEAST = "at least"


@dataclass(frozen=True)
class Target:
    what: str
    bound: Bound
    limit: float
    unit: str = ""

    def is_met_by(self, figure: float) -> bool:
        if self.bound is Bound.AT_LEAST:
            return figure >= self.limit
        return figure < self.limit if self.bound is Bound.LESS_THAN else figure <= self.limit


@dataclass(frozen=True)
class Measure:
    """``figure`` None: could not be measured here, for the reason in ``remark``."""

    target: Target
    figure: float | None
    remark: str = ""


VERIFY = Target("verify of 4 s over HTTP, over voice activity + features + model + phrase", Bound.AT_MOST, 1.5, "x")
IDENTIFY = Target(
    "identify of 4 s against 10, over voice activity + features + model (issue 2)", Bound.AT_MOST, 2.0, "x"
)
EVERYBODY = Target("identify of 4 s among 100,000 speakers, warm, over the same among 10", Bound.AT_MOST, 1.5, "x")
THROUGHPUT = Target("throughput over that of CAM++ in torch behind FastAPI", Bound.AT_LEAST, 3.0, "x")
MEMORY = Target("memory over that of CAM++ in torch behind FastAPI", Bound.AT_MOST, 1 / 3, "x")
COLD_START = Target("cold start to the end of the first identify, over Python's own start", Bound.AT_MOST, 1.0, "s")
TICK = Target("retention tick: calls and rows read with most kept profiles, over fewest", Bound.AT_MOST, 1.0, "x")
SLOPE = Target("growth of resident memory for 1,000 requests", Bound.LESS_THAN, 1.0, "MB")
AZURE_SLOPE = Target(
    "growth of the worker's resident memory for 1,000 requests, Azure's host", Bound.LESS_THAN, 1.0, "MB"
)

TARGETS = (VERIFY, IDENTIFY, EVERYBODY, THROUGHPUT, MEMORY, COLD_START, TICK, SLOPE, AZURE_SLOPE)


def verdict(measure: Measure) -> str:
    """``met``, or by how much it was missed, in per cent of the limit. The remark says why there is no figure."""
    target, figure = measure.target, measure.figure
    if figure is None:
        return "not measured"
    if target.is_met_by(figure):
        return "met"
    return f"missed by {100 * abs(figure - target.limit) / target.limit:.0f} %"


def all_measures(found: Sequence[Measure]) -> list[Measure]:
    """One for each target, in their order; whatever no part brought back was not measured."""
    by_target = {one.target: one for one in found}
    return [by_target.get(target, Measure(target, None)) for target in TARGETS]
