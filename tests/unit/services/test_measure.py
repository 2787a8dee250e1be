"""One line for each recognition: its outcome, and where the time went."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from shared.domain.errors import PassphraseNotHeard
from shared.domain.measurement import Measurement, gathered, note, note_decision, stage
from shared.services.measure import measured
from tests.unit.services.test_rate import Time


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "timbre.recognition"):
        yield


def fields(caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    (line,) = caplog.messages
    event, *pairs = line.split(" ")
    assert event == "recognition_measured"
    return dict(pair.split("=", 1) for pair in pairs)


def test_each_stage_has_its_own_time(caplog: pytest.LogCaptureFixture) -> None:
    clock = Time()
    with measured("verify", "mine", clock):
        clock.seconds += 0.001
        with stage("listen"):
            clock.seconds += 0.010
        for seconds in (0.020, 0.030):
            with stage("store"):
                clock.seconds += seconds
    assert {name: value for name, value in fields(caplog).items() if name.endswith("_ms")} == {
        "decode_ms": "0.0", "listen_ms": "10.0", "embed_ms": "0.0", "phrase_ms": "0.0", "store_ms": "50.0",
        "total_ms": "61.0",
    }  # fmt: skip


def test_time_counts_for_the_inner_stage_only(caplog: pytest.LogCaptureFixture) -> None:
    clock = Time()
    with measured("identify", "mine", clock), stage("embed"):
        clock.seconds += 1.0
        with stage("store"):
            clock.seconds += 2.0
        clock.seconds += 4.0
    line = fields(caplog)
    assert (line["embed_ms"], line["store_ms"], line["total_ms"]) == ("5000.0", "2000.0", "7000.0")


@pytest.mark.parametrize(("accepted", "outcome"), [(True, "accept"), (False, "reject")])
def test_a_decision_is_told_with_what_was_compared(
    caplog: pytest.LogCaptureFixture, accepted: bool, outcome: str
) -> None:
    with measured("identify", "mine"):
        note(candidates=7, model_id="ge2e-1")
        note_decision(accepted=accepted)
    line = fields(caplog)
    assert [line[name] for name in ("operation", "subscription", "outcome", "reason", "candidates", "model")] == [
        "identify", "mine", outcome, "none", "7", "ge2e-1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(PassphraseNotHeard("what was said"), "refused"), (ZeroDivisionError("what was said"), "failed")],
)
def test_an_error_counts_more_than_a_decision_and_is_named_without_its_words(
    caplog: pytest.LogCaptureFixture, error: Exception, outcome: str
) -> None:
    def fails() -> None:
        note_decision(accepted=False)
        raise error

    with pytest.raises(type(error)), measured("verify", "mine"):
        fails()
    line = fields(caplog)
    assert (line["outcome"], line["reason"]) == (outcome, type(error).__name__)
    assert "what was said" not in caplog.text


def test_outside_of_a_measurement_nothing_is_gathered(caplog: pytest.LogCaptureFixture) -> None:
    ended = Measurement("verify", "mine")
    with gathered(ended):
        pass
    with stage("store"):
        note(outcome="accept")
    with measured("verify", "mine"):
        pass
    assert fields(caplog)["outcome"] == ended.outcome == "none"


def test_a_stage_that_fails_is_counted_and_ended(caplog: pytest.LogCaptureFixture) -> None:
    clock = Time()

    def decoded() -> None:
        with stage("decode"):
            clock.seconds += 1.0
            raise ValueError("x")

    with measured("verify", "mine", clock):
        with pytest.raises(ValueError, match="x"):
            decoded()
        clock.seconds += 1.0
    assert fields(caplog)["decode_ms"] == "1000.0"
