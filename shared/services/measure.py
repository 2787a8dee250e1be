"""One log line for each recognition: how it ended, by which model, among how many, and where the time went.

The line holds the subscription's id and no other: ids of profiles would make the log a record of who spoke when.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from shared.domain.errors import TimbreError
from shared.domain.measurement import STAGES, Measurement, gathered

log: Final = logging.getLogger("timbre.recognition")


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


def _write(measurement: Measurement, total_seconds: float) -> None:
    log.info(
        "recognition_measured operation=%s outcome=%s reason=%s subscription=%s model=%s candidates=%d "
        "decode_ms=%.1f listen_ms=%.1f embed_ms=%.1f phrase_ms=%.1f store_ms=%.1f total_ms=%.1f",
        measurement.operation,
        measurement.outcome,
        measurement.reason,
        measurement.subscription_id,
        measurement.model_id,
        measurement.candidates,
        *(measurement.seconds[stage] * 1000.0 for stage in STAGES),
        total_seconds * 1000.0,
    )
