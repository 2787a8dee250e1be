"""What an explanation adds to a decision or a refusal: the rule that decided, and advice."""

from __future__ import annotations

import pytest

from shared.domain import errors
from shared.domain.calibration import Calibration
from shared.domain.decision import Decision
from shared.domain.explanation import DecidedBy, Explanation, PhraseHeard, explanation_of
from shared.domain.passphrase import HeardPhrase
from shared.domain.recording import Measured

CALIBRATION = Calibration(-10.0, 20.0, 0.0, 0.0, 0.0, 0.01, 1.0, 12.0, "our calls", 60, 1_000)
CLEAR = Measured(4.0, 30.0, -20.0, 8_000.0, 1)
NOISY = Measured(4.0, 14.9, -20.0, 8_000.0, 1)
BRIEF = Measured(0.6, 30.0, -20.0, 8_000.0, 1)
WHOLE, CUT, OTHER = PhraseHeard(True, True), PhraseHeard(True, False), PhraseHeard(False, False)


@pytest.mark.parametrize(
    ("refused", "decided_by", "advice"),
    [
        (errors.SpeechTooShort(2.3, 4.0), "quality", ["Speak for two more seconds."]),
        (errors.SpeechTooShort(4.0 - 1e-9, 4.0), "quality", ["Speak for one more second."]),
        (errors.AudioTooShort(0.2, 60.0), "quality", ["Speak for 60 more seconds."]),
        (errors.AudioTooLong(12.0, 10.0), "quality", ["Record at most 10 seconds."]),
        (errors.AudioTooNoisy(1.0, 2.0), "quality", ["Find a quieter room."]),
        (errors.AudioTooQuiet(-80.0, -75.0), "quality", ["Speak closer to the microphone."]),
        (errors.AudioClipped(30.0, 20.0), "quality", ["Speak farther from the microphone."]),
        (errors.AudioTooNarrow(3_400.0, 4_000.0), "quality", ["Use a microphone instead of a telephone."]),
        (errors.TwoChannelsSpeak({1: 3.0, 2: 3.0}), "quality", ["Choose one channel of the recording."]),
        (errors.AudioUnreadable("no audio"), "quality", ["Send a WAV file."]),
        (errors.SecondVoiceHeard(0.001, 0.01, 8.0, 2.0), "secondVoice", ["Record one person alone."]),
        (errors.EnrollmentDiffers(0.001, 0.01), "voice", []),
        (errors.PassphraseNotHeard(None), "phrase", ["Say the whole phrase."]),
        (errors.PassphraseDiffers("a", "b"), "phrase", ["Say the whole phrase."]),
        (errors.ActivationNotHeard("a", "en-US"), "activation", ["Say the whole activation phrase."]),
    ],
)
def test_a_refusal_names_its_rule_and_what_to_do(
    refused: errors.TimbreError, decided_by: str, advice: list[str]
) -> None:
    found = explanation_of(refused)
    assert found is not None
    assert (found.decided_by, [one.text for one in found.advice]) == (decided_by, advice)
    drowned = decided_by != "quality" or isinstance(refused, errors.SpeechTooShort)
    quieter = ["Find a quieter room."] if drowned else []
    assert [one.text for one in Explanation(measured=NOISY).of_refusal(refused).advice] == [*quieter, *advice]


@pytest.mark.parametrize(("level_dbfs", "codes"), [(-39.9, ["quieterRoom", "speakLonger"]), (-40.1, ["speakLonger"])])
def test_where_nothing_is_speech_noise_is_told_from_silence(level_dbfs: float, codes: list[str]) -> None:
    unheard = Explanation(measured=Measured(0.0, -20.0, level_dbfs, 0.0, 1))
    assert [one.code for one in unheard.of_refusal(errors.SpeechTooShort(0.0, 0.5)).advice] == codes


def test_a_refusal_that_has_nothing_to_do_with_the_recording_has_no_explanation() -> None:
    assert explanation_of(errors.ProfileNotFound("x")) is None


@pytest.mark.parametrize(
    ("measured", "phrase", "score", "codes"),
    [
        (CLEAR, None, 0.1, []),
        (NOISY, None, 0.1, ["quieterRoom"]),
        (NOISY, None, 0.9, []),
        (BRIEF, None, 0.1, ["speakLonger"]),
        (BRIEF, WHOLE, 0.1, []),
        (CLEAR, CUT, 0.0, ["wholePhrase"]),
        (CLEAR, OTHER, 0.0, ["wholePhrase"]),
        (NOISY, CUT, 0.0, ["quieterRoom", "wholePhrase"]),
        (Measured(2.0, 20.0, -20.0, 8_000.0, 1), OTHER, 0.0, ["quieterRoom", "wholePhrase"]),
        (Measured(2.0, 20.0, -20.0, 8_000.0, 1), None, 0.1, []),
    ],
)
def test_a_reject_is_advised_by_what_was_measured(
    measured: Measured, phrase: PhraseHeard | None, score: float, codes: list[str]
) -> None:
    decided_by = DecidedBy.VOICE if phrase in (None, WHOLE) else DecidedBy.PHRASE
    known = Explanation(decided_by, measured, Decision(score), calibration=CALIBRATION, phrase=phrase)
    assert [advice.code for advice in known.advised().advice] == codes


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (HeardPhrase("open the door", -10.0, True), WHOLE),
        (HeardPhrase("open the door", -90.0, False), OTHER),
        (HeardPhrase("close the door", -10.0, True), OTHER),
        (HeardPhrase(None, -10.0, False, begun="open the"), CUT),
        (HeardPhrase(None, -10.0, False, begun="open th"), OTHER),
        (HeardPhrase(None, -10.0, False, begun="close the"), OTHER),
    ],
)
def test_of_a_phrase_only_the_own_counts(heard: HeardPhrase, expected: PhraseHeard) -> None:
    assert PhraseHeard.of(heard, "open the door") == expected


@pytest.mark.parametrize(
    ("score", "rate"),
    [(0.0, None), (0.05, None), (0.5, 0.01), (0.284, 0.02), (0.99, None), (1.0, None)],
)
def test_a_rate_is_told_where_the_calibration_carries_it(score: float, rate: float | None) -> None:
    found = Explanation(calibration=CALIBRATION).false_match_rate(score)
    assert found == (None if rate is None else pytest.approx(rate, rel=0.01))
