"""One log line for each recognition: how it ended and why, by which model, among how many, and where the time went.

The line holds the ids of the request and the subscription and no other: ids of profiles would make the log a record of
who spoke when.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from shared.domain.errors import TimbreError
from shared.domain.explanation import Explanation, explanation_of
from shared.domain.measurement import NONE, STAGES, Measurement, gathered, note

log: Final = logging.getLogger("timbre.recognition")


@contextmanager
def measured(
    operation: str, subscription_id: str, request_id: str, monotonic: Callable[[], float] = time.perf_counter
) -> Iterator[None]:
    """A recognition. However it ends, the line is written; errors pass through."""
    measurement, started = Measurement(operation, subscription_id, monotonic, request_id), monotonic()
    try:
        with gathered(measurement):
            yield
    except Exception as error:
        measurement.outcome = "refused" if isinstance(error, TimbreError) else "failed"
        measurement.reason = type(error).__name__
        raise
    finally:
        _write(measurement, monotonic() - started)


def note_refusal(refused: TimbreError) -> None:
    note(outcome="refused", reason=type(refused).__name__, explanation=explanation_of(refused))


def _write(measurement: Measurement, total_seconds: float) -> None:
    facts = {
        "operation": measurement.operation,
        "outcome": measurement.outcome,
        "reason": measurement.reason,
        "subscription": measurement.subscription_id,
        "request": measurement.request_id,
        "model": measurement.model_id,
        "candidates": measurement.candidates,
        **_explained(measurement.explanation),
        **{f"{stage}_ms": f"{measurement.seconds[stage] * 1000.0:.1f}" for stage in STAGES},
        "total_ms": f"{total_seconds * 1000.0:.1f}",
    }
    log.info("recognition_measured %s", " ".join(f"{name}={fact}" for name, fact in facts.items()))


def _explained(explanation: Explanation) -> dict[str, object]:
    """The facts behind ``details`` of an answer, whoever asked; scores in full."""
    decision, measured, phrase = explanation.decision, explanation.measured, explanation.phrase
    facts: dict[str, object | None] = {
        "decided_by": explanation.decided_by,
        "score": decision and f"{decision.score:.4f}",
        "threshold": decision and f"{decision.threshold:.4f}",
        "threshold_from": explanation.threshold_from,
        "speech_s": measured and f"{measured.speech_seconds:.2f}",
        "snr_db": measured and f"{measured.snr_db:.1f}",
        "level_dbfs": measured and f"{measured.level_dbfs:.1f}",
        "bandwidth_hz": measured and f"{measured.bandwidth_hz:.0f}",
        "channel": measured and measured.channel,
        "phrase": phrase and ("complete" if phrase.complete else "cut" if phrase.recognised else "other"),
    }
    return {name: NONE if fact is None else fact for name, fact in facts.items()}
