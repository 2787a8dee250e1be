"""One log line for each recognition: how it ended, by which model, among how many, and where the time went.

The line holds the subscription's id and no other: a profile's would make the log a record of who spoke when.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from shared.domain.errors import TimbreError
from shared.domain.measurement import Measurement, gathered, note
from shared.services.enroll import Enrolled
from shared.services.identify import Identification
from shared.services.verify import Verification

log: Final = logging.getLogger("timbre.recognition")

T = TypeVar("T", Enrolled, Identification, Verification)


@contextmanager
def measured(
    operation: str, subscription_id: str, monotonic: Callable[[], float] = time.perf_counter
) -> Iterator[None]:
    """A recognition. However it ends, the line is written; errors pass through."""
    measurement, started = Measurement(operation, subscription_id, monotonic), monotonic()
    try:
        with gathered(measurement):
            yield
    except Exception as error:
        measurement.outcome = "refused" if isinstance(error, TimbreError) else "failed"
        measurement.reason = type(error).__name__
        raise
    finally:
        _write(measurement, monotonic() - started)


def observed(work: Callable[[], T]) -> Callable[[], T]:
    """The same work, and how it ended is noted."""

    def observing() -> T:
        done = work()
        note(outcome=_outcome(done))
        return done

    return observing


def _outcome(done: Enrolled | Identification | Verification) -> str:
    if isinstance(done, Enrolled):
        return "enrolled"
    accepted = done.decision.accepted if isinstance(done, Verification) else done.identified is not None
    return "accept" if accepted else "reject"


def _write(one: Measurement, total_seconds: float) -> None:
    milliseconds = {name: seconds * 1000.0 for name, seconds in one.seconds.items()}
    log.info(
        "recognition_measured operation=%s outcome=%s reason=%s subscription=%s model=%s candidates=%d "
        "decode_ms=%.1f listen_ms=%.1f embed_ms=%.1f phrase_ms=%.1f store_ms=%.1f total_ms=%.1f",
        one.operation,
        one.outcome,
        one.reason,
        one.subscription_id,
        one.model_id,
        one.candidates,
        milliseconds["decode"],
        milliseconds["listen"],
        milliseconds["embed"],
        milliseconds["phrase"],
        milliseconds["store"],
        total_seconds * 1000.0,
    )
