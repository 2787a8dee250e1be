"""What the page of accuracy is told: one value for each line of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.evaluation.identification import Outcome
from tools.evaluation.pieces import DataSet
from tools.evaluation.verification import Rates


@dataclass(frozen=True)
class Apart:
    """How well a network tells voices apart by its cosines alone: no threshold of anybody's is in it.

    ``refused``: own voices refused where ``RATE`` of the strangers of this very row pass.
    """

    equal_error: float
    refused: float


@dataclass(frozen=True)
class Row:
    """One line of a table. ``unheard``: share of tests that the service would not hear.

    ``lowest`` and ``highest`` are strangers' shares at 0.5 over the lengths of test, 1 s to 20 s. ``networks`` are
    plain cosines by the systems' names, this one among them.
    """

    name: str
    enrolments: int
    length: str
    ours: Rates
    unheard: float
    lowest: float
    highest: float
    networks: Mapping[str, Apart]


@dataclass(frozen=True)
class Grouped:
    """Speakers of one group, strangers of the same group alone. ``tests`` says through what."""

    group: str
    speakers: int
    tests: str
    ours: Rates


@dataclass(frozen=True)
class Alike:
    """Cosines between enrolments, the mean of each two speakers and of each one. ``as_one``: pairs as alike as one."""

    pairs: int
    as_one: int
    highest: float
    own_lowest: float
    own_median: float


@dataclass(frozen=True)
class Named:
    """Identification over one set of profiles, with and without the correction for the length of the list."""

    profiles: str
    length: str
    corrected: Outcome
    plain: Outcome


@dataclass(frozen=True)
class Band:
    """How often strangers and own voices get this answer."""

    answer: str
    strangers: float
    same: float


@dataclass(frozen=True)
class Measured:
    data: DataSet
    rows: tuple[Row, ...]
    held_out: bool
