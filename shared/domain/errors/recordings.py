"""A recording that cannot be used, or in which something else is said or someone else speaks."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.errors.root import TimbreError, number


class RecordingRefused(TimbreError):
    """The recording cannot be used; the message names what was measured."""


class AudioUnreadable(RecordingRefused):
    """``received`` says what the bytes look like, for example ``a 12-byte text body``."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class AudioFormatUnsupported(RecordingRefused):
    """Readable or recognisable, but not a format that is accepted; ``received`` is what it is."""

    def __init__(self, received: str, supported: str) -> None:
        self.received, self.supported = received, supported
        super().__init__(f"Invalid audio format. Supported format is {supported}. Received {received}.")


class AudioTooShort(RecordingRefused):
    def __init__(self, seconds: float, minimum_seconds: float) -> None:
        self.seconds, self.minimum_seconds = seconds, minimum_seconds
        self.measured = f"The recording has {seconds:.2f} seconds."
        super().__init__(
            f"Invalid audio length. Minimum allowed length is {number(minimum_seconds)} second(s). {self.measured}"
        )


class AudioTooLong(RecordingRefused):
    """``at_least``: reading stopped at ``seconds``, and there is more."""

    def __init__(self, seconds: float, maximum_seconds: float, *, at_least: bool = False) -> None:
        self.seconds, self.maximum_seconds, self.at_least = seconds, maximum_seconds, at_least
        self.measured = f"The recording has {'more than ' if at_least else ''}{seconds:.2f} seconds."
        super().__init__(
            f"Invalid audio length. Maximum allowed length is {number(maximum_seconds)} seconds. {self.measured}"
        )


class TwoChannelsSpeak(RecordingRefused):
    """``speech_seconds`` of each channel that has a voice of its own, by the channel's number, from 1."""

    def __init__(self, speech_seconds: Mapping[int, float]) -> None:
        self.speech_seconds = dict(sorted(speech_seconds.items()))
        (first, seconds), *others = self.speech_seconds.items()
        each = [f"channel {first} has {seconds:.1f} s of speech", *(f"channel {n} has {s:.1f} s" for n, s in others)]
        choices = " or ".join(f"?channel={number}" for number in self.speech_seconds)
        super().__init__(f"{', '.join(each)}; choose one with {choices}.")


class SpeechTooShort(RecordingRefused):
    def __init__(self, speech_seconds: float, minimum_seconds: float) -> None:
        self.speech_seconds, self.minimum_seconds = speech_seconds, minimum_seconds
        super().__init__(
            f"Invalid audio length. Minimum allowed speech length is {number(minimum_seconds)} second(s). "
            f"The recording has {speech_seconds:.2f} seconds of speech."
        )


class AudioTooNoisy(RecordingRefused):
    def __init__(self, snr_db: float, minimum_db: float) -> None:
        self.snr_db, self.minimum_db = snr_db, minimum_db
        super().__init__(
            f"Audio is too noisy. The minimum allowed Signal-to-noise ratio (SNR) is {number(minimum_db)}dB. "
            f"The recording has {snr_db:.1f}dB."
        )


class AudioClipped(RecordingRefused):
    def __init__(self, clipped_percent: float, maximum_percent: float) -> None:
        self.clipped_percent, self.maximum_percent = clipped_percent, maximum_percent
        super().__init__(
            f"Audio is overdriven. At most {number(maximum_percent)}% of the speech samples may be clipped. "
            f"The recording has {clipped_percent:.1f}%."
        )


class AudioTooQuiet(RecordingRefused):
    def __init__(self, level_dbfs: float, minimum_dbfs: float) -> None:
        self.level_dbfs, self.minimum_dbfs = level_dbfs, minimum_dbfs
        super().__init__(
            f"Audio is too quiet. The minimum allowed level of the speech is {number(minimum_dbfs)}dBFS. "
            f"The recording has {level_dbfs:.1f}dBFS."
        )


class AudioTooNarrow(RecordingRefused):
    def __init__(self, bandwidth_hz: float, minimum_hz: float) -> None:
        self.bandwidth_hz, self.minimum_hz = bandwidth_hz, minimum_hz
        super().__init__(
            f"Audio bandwidth is too narrow. The speech must reach up to {number(minimum_hz)}Hz. "
            f"In the recording it ends at {bandwidth_hz:.0f}Hz."
        )


class SecondVoiceHeard(RecordingRefused):
    """``score`` is that of the two most different stretches of the recording against each other."""

    def __init__(self, score: float, minimum: float) -> None:
        self.score, self.minimum = score, minimum
        super().__init__(
            f"A second voice was heard in the recording. Two stretches of it match each other with a score of "
            f"{score:.3f}; at least {number(minimum)} is expected of one speaker. Record the speaker alone."
        )


class EnrollmentDiffers(RecordingRefused):
    """``score`` is that of the recording against the enrollments before it."""

    def __init__(self, score: float, minimum: float) -> None:
        self.score, self.minimum = score, minimum
        super().__init__(
            f"The recording does not match the profile's earlier enrollments. Its score against them is {score:.3f}; "
            f"at least {number(minimum)} is expected of the same speaker. Record the enrolled speaker, or reset the "
            f"profile."
        )


class PassphraseRefused(TimbreError):
    """What was said is not what may be said here."""


class PassphraseNotHeard(PassphraseRefused):
    """``heard`` is the nearest allowed phrase the recogniser saw, or ``None`` when it saw none at all."""

    def __init__(self, heard: str | None) -> None:
        self.heard = heard
        nearest = f' The nearest was "{heard}", but not all of it was heard clearly.' if heard else ""
        super().__init__(f"None of the allowed phrases was recognised in the recording.{nearest}")


class PassphraseDiffers(PassphraseRefused):
    def __init__(self, heard: str, expected: str) -> None:
        self.heard, self.expected = heard, expected
        super().__init__(f'The profile is bound to the phrase "{expected}". Heard "{heard}".')


class ActivationNotHeard(PassphraseRefused):
    """``phrase`` None: the locale has no activation phrase that could be recognised."""

    def __init__(self, phrase: str | None, locale: str) -> None:
        self.phrase, self.locale = phrase, locale
        super().__init__(
            f'Activation phrase is missing. The first enrollment of a profile must contain: "{phrase}"'
            if phrase
            else f"Activation phrase is missing. None is known for the locale {locale}."
        )
