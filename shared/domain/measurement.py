"""How long a recognition took and how it ended, gathered on its way through the layers. Ids and numbers only.

A measurement belongs to the thread that works on a request. Code that does a stage of the work marks it with
``stage``, and need not know what is measured. Outside of a measurement (timers, tools, tests) nothing is gathered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from shared.domain.explanation import Explanation

STAGES: Final = ("decode", "listen", "embed", "phrase", "store")
"""Bytes to samples; finding and measuring speech; features and network; recognising the phrase; calls to storage."""

NONE: Final = "none"


@dataclass
class Measurement:
    """``outcome``: accept, reject, enrolled, refused or failed; ``reason``: the name of the error that refused it.

    Time counts for the innermost stage, so the stages never add up to more than the whole.
    """

    operation: str
    subscription_id: str
    monotonic: Callable[[], float] = time.perf_counter
    request_id: str = NONE
    outcome: str = NONE
    reason: str = NONE
    model_id: str = NONE
    candidates: int = 0
    explanation: Explanation = field(default_factory=Explanation)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    _open: list[str] = field(default_factory=list)
    _since: float = 0.0

    def enter(self, stage: str) -> None:
        self._count()
        self._open.append(stage)

    def leave(self) -> None:
        self._count()
        self._open.pop()

    def _count(self) -> None:
        now = self.monotonic()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


_current: ContextVar[Measurement | None] = ContextVar("measurement", default=None)


@contextmanager
def gathered(measurement: Measurement | None) -> Iterator[None]:
    """The block, on this thread, is counted in the measurement; with ``None`` it is not counted."""
    token = _current.set(measurement)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """The block is one of ``STAGES``."""
    measurement = _current.get()
    if measurement is None:
        yield
        return
    measurement.enter(name)
    try:
        yield
    finally:
        measurement.leave()


def note_decision(explanation: Explanation, *, accepted: bool) -> None:
    note(outcome="accept" if accepted else "reject", explanation=explanation)


def note(**known: str | int | Explanation | None) -> None:
    """Adds what has become known meanwhile, by the names of ``Measurement``; ``None`` leaves what was known."""
    if measurement := _current.get():
        for name, fact in known.items():
            setattr(measurement, name, getattr(measurement, name) if fact is None else fact)
