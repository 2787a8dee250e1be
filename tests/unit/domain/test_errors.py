"""Every fact says what was measured, in a sentence, and cannot be made to carry a novel."""

from __future__ import annotations

import pytest

from shared.domain import errors


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            errors.AudioTooShort(0.00006, 1.0),
            "Invalid audio length. Minimum allowed length is 1 second(s). The recording has 0.00 seconds.",
        ),
        (
            errors.AudioTooLong(600.0, 300.0),
            "Invalid audio length. Maximum allowed length is 300 seconds. The recording has 600.00 seconds.",
        ),
        (
            errors.SpeechTooShort(0.128, 0.5),
            "Invalid audio length. Minimum allowed speech length is 0.5 second(s). "
            "The recording has 0.13 seconds of speech.",
        ),
        (
            errors.AudioTooNoisy(-3.14, 0.0),
            "Audio is too noisy. The minimum allowed Signal-to-noise ratio (SNR) is 0dB. The recording has -3.1dB.",
        ),
        (
            errors.AudioClipped(33.33, 20.0),
            "Audio is overdriven. At most 20% of the speech samples may be clipped. The recording has 33.3%.",
        ),
        (
            errors.PassphraseDiffers(heard="my name is unknown to you", expected="houston we have had a problem"),
            'The profile is bound to the phrase "houston we have had a problem". Heard "my name is unknown to you".',
        ),
        (errors.PassphraseNotHeard(None), "None of the allowed phrases was recognised in the recording."),
        (
            errors.PassphraseNotHeard("my name is unknown to you"),
            "None of the allowed phrases was recognised in the recording. "
            'The nearest was "my name is unknown to you", but not all of it was heard clearly.',
        ),
        (errors.TooManyProfiles(10_000), "Maximum allowed number of profiles is 10,000."),
        (errors.TooManyCandidates(51, 50), "Maximum number of profiles allowed per request is 50. Received 51."),
        (
            errors.EnrollmentAudioFull(305.5, 300.0),
            "Maximum allowed length across all profile enrollments is 300 seconds. "
            "With this recording the profile would have 305.50 seconds.",
        ),
        (
            errors.BodyTooLarge(200_000_000, 33_554_432),
            "The request body may have 33,554,432 bytes. Received 200,000,000.",
        ),
    ],
)
def test_the_sentence_names_the_measured_value(error: errors.TimbreError, sentence: str) -> None:
    assert str(error) == sentence


def test_what_was_received_is_quoted_and_cut() -> None:
    message = str(errors.IdMalformed('"' * 10_000))
    assert len(message) < 250
    assert message.endswith('…".')
    assert message.count('"') == 2


def test_every_error_is_a_timbre_error_and_the_docstring_draws_it() -> None:
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert len(classes) > 25
    assert all(issubclass(each, errors.TimbreError) for each in classes)
    assert {each.__name__ for each in classes} <= set((errors.__doc__ or "").split())
