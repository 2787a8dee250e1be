"""One line for each recognition: its outcome, and where the time went."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from shared.domain.decision import Decision
from shared.domain.errors import PassphraseNotHeard, SecondVoiceHeard
from shared.domain.explanation import DecidedBy, Explanation, PhraseHeard, ThresholdFrom, explained
from shared.domain.measurement import Measurement, gathered, note, note_decision, stage
from shared.domain.recording import Measured
from shared.services.measure import measured, note_refusal
from tests.unit.services.test_rate import Time

MEASURED = Measured(2.304, 4.94, -20.06, 7_437.5, 2)


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
    with measured("verify", "mine", "request", clock):
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
    with measured("identify", "mine", "request", clock), stage("embed"):
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
    with measured("identify", "mine", "request"):
        note(candidates=7, model_id="ge2e-1")
        note_decision(Explanation(), accepted=accepted)
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
        note_decision(Explanation(), accepted=False)
        raise error

    with pytest.raises(type(error)), measured("verify", "mine", "request"):
        fails()
    line = fields(caplog)
    assert (line["outcome"], line["reason"]) == (outcome, type(error).__name__)
    assert "what was said" not in caplog.text


def test_the_line_tells_why_in_full(caplog: pytest.LogCaptureFixture) -> None:
    decision, phrase = Decision(0.49999, 0.6), PhraseHeard(recognised=True, complete=False)
    known = Explanation(DecidedBy.PHRASE, MEASURED, decision, ThresholdFrom.REQUEST, phrase=phrase)
    with measured("verify", "mine", "a-request"):
        note_decision(known, accepted=False)
    facts = (
        "decided_by=phrase score=0.5000 threshold=0.6000 threshold_from=request speech_s=2.30 snr_db=4.9 "
        "level_dbfs=-20.1 bandwidth_hz=7438 channel=2 phrase=cut"
    )
    assert dict(fact.split("=") for fact in f"request=a-request {facts}".split()).items() <= fields(caplog).items()


def test_a_refusal_tells_what_was_measured_before_it(caplog: pytest.LogCaptureFixture) -> None:
    with measured("enroll", "mine", "request"):
        with pytest.raises(SecondVoiceHeard) as refused, explained(Explanation(measured=MEASURED, model_id="m")):
            raise SecondVoiceHeard(0.003, 0.01, 8.0, 2.0)
        note_refusal(refused.value)
    line = fields(caplog)
    names = ("outcome", "reason", "decided_by", "score", "threshold", "snr_db", "phrase")
    assert [line[name] for name in names] == [
        "refused", "SecondVoiceHeard", "secondVoice", "0.0030", "0.0100", "4.9", "none",
    ]  # fmt: skip


def test_outside_of_a_measurement_nothing_is_gathered(caplog: pytest.LogCaptureFixture) -> None:
    ended = Measurement("verify", "mine")
    with gathered(ended):
        pass
    with stage("store"):
        note(outcome="accept")
    with measured("verify", "mine", "request"):
        pass
    assert fields(caplog)["outcome"] == ended.outcome == "none"


def test_a_stage_that_fails_is_counted_and_ended(caplog: pytest.LogCaptureFixture) -> None:
    clock = Time()

    def decoded() -> None:
        with stage("decode"):
            clock.seconds += 1.0
            raise ValueError("x")

    with measured("verify", "mine", "request", clock):
        with pytest.raises(ValueError, match="x"):
            decoded()
        clock.seconds += 1.0
    assert fields(caplog)["decode_ms"] == "1000.0"
