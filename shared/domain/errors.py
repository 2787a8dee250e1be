"""Every way in which a request can fail, with the measured values.

HTTP is unknown here: ``shared/http/errors.py`` gives each error its status, code and wording in a generation of the
API. ``str(error)`` is a sentence for the caller. It never holds audio, vectors, keys or another subscription's data.

    TimbreError
    ├── RequestInvalid                 the request cannot be understood
    │   ├── IdMalformed
    │   ├── LocaleMissing
    │   ├── LocaleUnsupported
    │   ├── ParameterMissing
    │   ├── ParameterInvalid
    │   ├── ParameterUnsupported
    │   ├── ContinuationInvalid        a page token that the service did not make
    │   ├── FieldUnknown
    │   ├── FieldReserved              a setting of the operator's, changed with a subscription key
    │   ├── HostNotAllowed             a link would lead to a host that may not be this service
    │   ├── RecordingUrlRefused        a recording's URL that is none, or that the operator has not listed
    │   ├── BodyMissing
    │   ├── BodyCutShort
    │   ├── BodyNotUnderstood
    │   ├── ChallengeUnusable          unknown, expired, used or another profile's: indistinguishable
    │   └── PassphraseUnpronounceable  a phrase of a subscription's own that could never be recognised
    ├── PathUnknown
    ├── BodyTooLarge
    ├── BodyTooSlow
    ├── SubscriptionUnknown            no key, or a wrong one
    ├── RoleTooLow                     the key may not do this
    ├── OutsideToken                   the token is for something else
    ├── SubscriptionNotFound           the operator names one that does not exist
    ├── KeyNotFound                    the operator names a key that does not exist
    ├── SubscriptionConflict
    │   ├── SubscriptionExists
    │   ├── SubscriptionNotActive      it is being deleted, or was: ids are never used again
    │   └── SubscriptionBusy           other requests kept changing it
    ├── RecordingRefused               the recording cannot be used
    │   ├── AudioUnreadable
    │   ├── AudioFormatUnsupported
    │   ├── AudioTooShort
    │   ├── AudioTooLong
    │   ├── TwoChannelsSpeak           several channels with different voices, and none was chosen
    │   ├── SpeechTooShort
    │   ├── AudioTooNoisy
    │   ├── AudioClipped
    │   ├── AudioTooQuiet
    │   ├── AudioTooNarrow             nothing above some frequency, as over a telephone
    │   ├── SecondVoiceHeard           two people in one enrollment
    │   ├── EnrollmentDiffers          not the voice of the profile's earlier enrollments
    │   ├── RecordingAbandoned         work on a long recording ended too often without a result
    │   └── SourceFailed               where a long recording is read from: ends an operation, answers no request
    │       ├── SourceAddressRefused
    │       ├── SourceRedirects
    │       ├── SourceChanged
    │       ├── SourceExpired
    │       ├── SourceTooLarge
    │       ├── SourceWithoutRanges
    │       └── SourceUnavailable      perhaps not for long
    ├── PassphraseRefused
    │   ├── PassphraseNotHeard         speech, but none of the allowed phrases
    │   ├── PassphraseDiffers          an allowed phrase, but not the profile's
    │   ├── PassphraseUnlike           unlike the profile's takes, which are its phrase
    │   └── ActivationNotHeard         a first enrollment without the activation phrase
    ├── ProfileNotFound                absent, deleted or another subscription's: indistinguishable
    ├── OperationNotFound
    ├── GroupNotFound
    ├── NobodyEnrolled                 no enrolled profile in the subscription or the group
    ├── ConsentRefused                 the speaker's permission is not on record
    │   ├── ConsentMissing
    │   └── ConsentWithdrawn
    ├── ProfileNotEnrolled
    ├── LocalesDiffer                  candidates of one identify must share a locale
    ├── ModelDiffers                   the signature was made by another model and must be enrolled again
    ├── ProfileBusy                    other requests kept changing the profile
    ├── LimitReached
    │   ├── TooManyProfiles
    │   ├── TooManyGroups
    │   ├── TooManyKeys
    │   ├── TooManyEnrollments
    │   ├── EnrollmentAudioFull
    │   └── TooManyCandidates
    ├── TryLater
    │   ├── TooManyChallenges          of one profile, open at once
    │   ├── StorageUnavailable
    │   ├── ServiceBusy                more requests at once than this instance works on
    │   ├── TooManyOpenRecordings      long recordings that are not done yet
    │   ├── RateExceeded               more requests than the subscription may send in this time
    │   └── TooManyWrongKeys           from one address; refused without a look at the key
    └── SealBroken                     stored ciphertext fails its authentication: an alarm
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from shared.domain.limits import MIN_UPLOAD_BYTES_PER_SECOND, UPLOAD_RATE_SECONDS, UPLOAD_STALL_SECONDS

if TYPE_CHECKING:
    from shared.domain.explanation import Explanation


class TimbreError(Exception):
    """Base of everything that Timbre raises on purpose.

    ``explanation`` is what is known of the recording where it was listened to (``shared/domain/explanation.py``).
    """

    explanation: Explanation | None = None


class RequestInvalid(TimbreError):
    """The request cannot be understood."""


class IdMalformed(RequestInvalid):
    def __init__(self, received: str) -> None:
        self.received = received
        super().__init__(
            f"Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx). "
            f"Received {_quoted(received)}."
        )


class LocaleMissing(RequestInvalid):
    def __init__(self) -> None:
        super().__init__("Locale parameter is missing.")


class LocaleUnsupported(RequestInvalid):
    def __init__(self, received: str, supported: Sequence[str]) -> None:
        self.received, self.supported = received, tuple(supported)
        super().__init__(
            f"Invalid locale value. Supported locales are {', '.join(supported)}. Received {_quoted(received)}."
        )


class ParameterMissing(RequestInvalid):
    """``rule`` is a sentence that says what is valid, where the name alone does not."""

    def __init__(self, name: str, rule: str = "") -> None:
        self.name, self.rule = name, rule
        super().__init__(f"{name} parameter is missing. {rule}".rstrip())


class ParameterInvalid(RequestInvalid):
    """``rule`` is a sentence that says what is valid."""

    def __init__(self, name: str, received: str, rule: str) -> None:
        self.name, self.received, self.rule = name, received, rule
        super().__init__(f"Invalid {name} parameter value. {rule} Received {_quoted(received)}.")


class ParameterUnsupported(RequestInvalid):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} parameter is not supported.")


class ContinuationInvalid(RequestInvalid):
    """The misspelling is the retired service's own, and literal."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"Invalid {name} value. {name} must be generated form a prior API call.")


class FieldUnknown(RequestInvalid):
    def __init__(self, name: str, known: Collection[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f'Unknown field "{name[:64]}". Known fields are {", ".join(known)}.')


class FieldReserved(RequestInvalid):
    def __init__(self, name: str, open_fields: Collection[str]) -> None:
        self.name, self.open_fields = name, tuple(open_fields)
        super().__init__(f"{name} is set by the operator of the service. You may set {', '.join(open_fields)}.")


class HostNotAllowed(RequestInvalid):
    """``setting`` is the environment variable that names the allowed hosts."""

    def __init__(self, host: str, setting: str) -> None:
        self.host, self.setting = host, setting
        super().__init__(
            f"The Host header {_quoted(host)} is not one of this service. Name it in the setting {setting} to allow it."
        )


class RecordingUrlRefused(RequestInvalid):
    """``rule`` is a sentence that says what is valid. The URL is signed, and so is never repeated."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(f"Invalid recordingUrl parameter value. {rule}")


class BodyMissing(RequestInvalid):
    def __init__(self) -> None:
        super().__init__("Request body is missing.")


class BodyNotUnderstood(RequestInvalid):
    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ChallengeUnusable(RequestInvalid):
    """Which of the four it is stays unsaid: an id tells nothing about whose it is."""

    def __init__(self) -> None:
        super().__init__("The challenge is unknown, expired, used or another profile's. Ask for a new one.")


class PassphraseUnpronounceable(RequestInvalid):
    """``words`` are those that the recogniser of the locale cannot spell: not of the letters a to z alone."""

    def __init__(self, locale: str, words: Sequence[str]) -> None:
        self.locale, self.words = locale, tuple(words)
        listed = ", ".join(_quoted(word) for word in words[:10])
        super().__init__(
            f"Invalid passphrases.{locale} parameter value. Words that are not of the letters a to z: {listed}."
        )


class BodyCutShort(RequestInvalid):
    """``announced_bytes`` is None where the body came in chunks of no announced length."""

    def __init__(self, received_bytes: int, announced_bytes: int | None) -> None:
        self.received_bytes, self.announced_bytes = received_bytes, announced_bytes
        super().__init__(f"The request body ended early. Received {_progress(received_bytes, announced_bytes)}.")


class PathUnknown(TimbreError):
    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"There is nothing at {path}.")


class BodyTooSlow(TimbreError):
    """The rest of the body did not come in time."""

    def __init__(self, received_bytes: int, announced_bytes: int | None) -> None:
        self.received_bytes, self.announced_bytes = received_bytes, announced_bytes
        super().__init__(
            f"The request body comes too slowly: {UPLOAD_STALL_SECONDS:.0f} seconds without a byte, or less than "
            f"{MIN_UPLOAD_BYTES_PER_SECOND:,} bytes a second over {UPLOAD_RATE_SECONDS:.0f} seconds. "
            f"Received {_progress(received_bytes, announced_bytes)}."
        )


class BodyTooLarge(TimbreError):
    """``at_least``: more was on its way when reading stopped."""

    def __init__(self, received_bytes: int, maximum_bytes: int, *, at_least: bool = False) -> None:
        self.received_bytes, self.maximum_bytes, self.at_least = received_bytes, maximum_bytes, at_least
        received = f"at least {received_bytes:,}" if at_least else f"{received_bytes:,}"
        super().__init__(f"The request body may have {maximum_bytes:,} bytes. Received {received}.")


class SubscriptionUnknown(TimbreError):
    def __init__(self) -> None:
        super().__init__(
            "Access denied due to invalid subscription key. Make sure you are subscribed to an API you are trying "
            "to call and provide the right key."
        )


class RoleTooLow(TimbreError):
    """Refused before the body or what is named in the path is looked at."""

    def __init__(self, needed: str, role: str) -> None:
        self.needed, self.role = needed, role
        super().__init__(f"This takes a key with the role {needed}. The key of this request has the role {role}.")


class OutsideToken(TimbreError):
    """Refused before the body or what is stored is looked at. ``purpose`` says what the token is for."""

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        super().__init__(f"The token of this request {purpose}.")


class SubscriptionNotFound(TimbreError):
    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"There is no subscription {subscription_id}.")


class KeyNotFound(TimbreError):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is no key {name}.")


class SubscriptionConflict(TimbreError):
    """The subscription is not in a state to be changed so."""


class SubscriptionExists(SubscriptionConflict):
    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"There is a subscription {subscription_id} already.")


class SubscriptionNotActive(SubscriptionConflict):
    def __init__(self, subscription_id: str, state: str) -> None:
        self.subscription_id, self.state = subscription_id, state
        super().__init__(f"Subscription {subscription_id} is {state}. An id is never used again.")


class SubscriptionBusy(SubscriptionConflict):
    def __init__(self, subscription_id: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"Other requests are changing subscription {subscription_id}. Try again.")


class RecordingRefused(TimbreError):
    """The recording cannot be used; the message names what was measured."""


class AudioUnreadable(RecordingRefused):
    """``reason`` is a sentence that says what the bytes look like, for example a text body of 12 bytes."""

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
            f"Invalid audio length. Minimum allowed length is {minimum_seconds:g} second(s). {self.measured}"
        )


class AudioTooLong(RecordingRefused):
    """``at_least``: reading stopped at ``seconds``, and there is more. ``channels`` have a voice of their own each, and
    each is a recording to listen to."""

    def __init__(self, seconds: float, maximum_seconds: float, *, at_least: bool = False, channels: int = 1) -> None:
        self.seconds, self.maximum_seconds, self.at_least, self.channels = seconds, maximum_seconds, at_least, channels
        each = f" and voices of their own on {channels} channels" if channels > 1 else ""
        self.measured = f"The recording has {'more than ' if at_least else ''}{seconds:.2f} seconds{each}."
        super().__init__(
            f"Invalid audio length. Maximum allowed length is {maximum_seconds:g} seconds. {self.measured}"
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
            f"Invalid audio length. Minimum allowed speech length is {minimum_seconds:g} second(s). "
            f"The recording has {speech_seconds:.2f} seconds of speech."
        )


class AudioTooNoisy(RecordingRefused):
    def __init__(self, snr_db: float, minimum_db: float) -> None:
        self.snr_db, self.minimum_db = snr_db, minimum_db
        super().__init__(
            f"Audio is too noisy. The minimum allowed Signal-to-noise ratio (SNR) is {minimum_db:g}dB. "
            f"The recording has {snr_db:.1f}dB."
        )


class AudioClipped(RecordingRefused):
    def __init__(self, clipped_percent: float, maximum_percent: float) -> None:
        self.clipped_percent, self.maximum_percent = clipped_percent, maximum_percent
        super().__init__(
            f"Audio is overdriven. At most {maximum_percent:g}% of the speech samples may be clipped. "
            f"The recording has {clipped_percent:.1f}%."
        )


class AudioTooQuiet(RecordingRefused):
    def __init__(self, level_dbfs: float, minimum_dbfs: float) -> None:
        self.level_dbfs, self.minimum_dbfs = level_dbfs, minimum_dbfs
        super().__init__(
            f"Audio is too quiet. The minimum allowed level of the speech is {minimum_dbfs:g}dBFS. "
            f"The recording has {level_dbfs:.1f}dBFS."
        )


class AudioTooNarrow(RecordingRefused):
    def __init__(self, bandwidth_hz: float, minimum_hz: float) -> None:
        self.bandwidth_hz, self.minimum_hz = bandwidth_hz, minimum_hz
        super().__init__(
            f"Audio bandwidth is too narrow. The speech must reach up to {minimum_hz:g}Hz. "
            f"In the recording it ends at {bandwidth_hz:.0f}Hz."
        )


class SecondVoiceHeard(RecordingRefused):
    """``score`` is that of the voices against each other, ``seconds`` and ``second_seconds`` how much each speaks."""

    def __init__(self, score: float, minimum: float, seconds: float, second_seconds: float) -> None:
        self.score, self.minimum = score, minimum
        self.seconds, self.second_seconds = seconds, second_seconds
        super().__init__(
            f"A second voice was heard in the recording, {second_seconds:.1f} seconds of it beside {seconds:.1f} "
            f"seconds of the first. They match each other with a score of {score:.3f}; at least {minimum:g} is "
            f"expected of one speaker. Record the speaker alone."
        )

    def with_score(self, score: float) -> SecondVoiceHeard:
        return SecondVoiceHeard(score, self.minimum, self.seconds, self.second_seconds)


class EnrollmentDiffers(RecordingRefused):
    """``score`` is that of the recording against the enrollments before it."""

    def __init__(self, score: float, minimum: float) -> None:
        self.score, self.minimum = score, minimum
        super().__init__(
            f"The recording does not match the profile's earlier enrollments. Its score against them is {score:.3f}; "
            f"at least {minimum:g} is expected of the same speaker. Record the enrolled speaker, or reset the "
            f"profile."
        )

    def with_score(self, score: float) -> EnrollmentDiffers:
        return EnrollmentDiffers(score, self.minimum)


class RecordingAbandoned(RecordingRefused):
    def __init__(self, attempts: int) -> None:
        self.attempts = attempts
        super().__init__(f"The recording could not be worked on: {attempts} attempts in a row came to no end.")


class SourceFailed(RecordingRefused):
    """A long recording cannot be read from its URL, which no message repeats."""


class SourceAddressRefused(SourceFailed):
    def __init__(self) -> None:
        super().__init__("The recording's host leads to an address that this service does not read from.")


class SourceRedirects(SourceFailed):
    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"The recording's host answers with a redirect ({status}), which is not followed.")


class SourceChanged(SourceFailed):
    def __init__(self) -> None:
        super().__init__("The recording was changed or replaced while it was read.")


class SourceExpired(SourceFailed):
    """``status`` is what its host answered."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(
            f"The recording's host does not hand it out ({status}): the URL has expired, or there is nothing."
        )


class SourceTooLarge(SourceFailed):
    def __init__(self, size_bytes: int, maximum_bytes: int) -> None:
        self.size_bytes, self.maximum_bytes = size_bytes, maximum_bytes
        super().__init__(f"A recording may have {maximum_bytes:,} bytes. This one has {size_bytes:,}.")


class SourceWithoutRanges(SourceFailed):
    """``reason`` says what the answer lacks."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The recording cannot be read in ranges: {reason}")


class SourceUnavailable(SourceFailed):
    def __init__(self) -> None:
        super().__init__("The recording's host cannot be reached, or answers too slowly or with errors.")


class PassphraseRefused(TimbreError):
    """The spoken phrase is not allowed here. ``cut``: it was the beginning of one that is."""

    cut = False


class PassphraseNotHeard(PassphraseRefused):
    """``heard`` is the nearest allowed phrase the recogniser saw, or ``None`` when it saw none at all."""

    def __init__(self, heard: str | None, *, cut: bool = False) -> None:
        self.heard, self.cut = heard, cut
        nearest = f' The nearest was "{heard}", but not all of it was heard clearly.' if heard else ""
        super().__init__(f"None of the allowed phrases was recognised in the recording.{nearest}")


class PassphraseDiffers(PassphraseRefused):
    def __init__(self, heard: str, expected: str) -> None:
        self.heard, self.expected = heard, expected
        super().__init__(f'The profile is bound to the phrase "{expected}". Heard "{heard}".')


class PassphraseUnlike(PassphraseRefused):
    """Of a profile whose takes are its phrase."""

    def __init__(self) -> None:
        super().__init__("The recording does not say what the profile's earlier recordings say.")


class ActivationNotHeard(PassphraseRefused):
    """``phrase`` None: the locale has no activation phrase that could be recognised."""

    def __init__(self, phrase: str | None, locale: str) -> None:
        self.phrase, self.locale = phrase, locale
        super().__init__(
            f'Activation phrase is missing. The first enrollment of a profile must contain: "{phrase}"'
            if phrase
            else f"Activation phrase is missing. None is known for the locale {locale}."
        )


class ProfileNotFound(TimbreError):
    def __init__(self, profile_id: str) -> None:
        self.profile_id = profile_id
        super().__init__(f"Requested profile doesn't exist: {profile_id}.")


class OperationNotFound(TimbreError):
    def __init__(self, operation_id: str) -> None:
        self.operation_id = operation_id
        super().__init__(f"No operation id found: {operation_id}. Operations are kept for 24 hours.")


class GroupNotFound(TimbreError):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"Requested group doesn't exist: {name}.")


class NobodyEnrolled(TimbreError):
    """``group`` None: in the whole subscription."""

    def __init__(self, group: str | None) -> None:
        self.group = group
        where = "this subscription" if group is None else f"the group {group}"
        super().__init__(f"Profile is not enrolled. There is no enrolled identification profile in {where}.")


class ConsentRefused(TimbreError):
    """A voice must not be enrolled without the speaker's permission."""


class ConsentMissing(ConsentRefused):
    def __init__(self, profile_id: str) -> None:
        self.profile_id = profile_id
        super().__init__(
            f"Consent is required. This subscription enrolls a speaker only after a consent was recorded for the "
            f"profile {profile_id}."
        )


class ConsentWithdrawn(ConsentRefused):
    def __init__(self, profile_id: str) -> None:
        self.profile_id = profile_id
        super().__init__(
            f"Consent was withdrawn. The profile {profile_id} can be enrolled again after a new consent was recorded."
        )


class ProfileNotEnrolled(TimbreError):
    """``missing`` says what the enrollment still lacks, for example ``2 more recordings of the phrase``."""

    def __init__(self, profile_id: str, missing: str) -> None:
        self.profile_id, self.missing = profile_id, missing
        super().__init__(f"Profile is not enrolled. Profile {profile_id} still needs {missing}.")


class LocalesDiffer(TimbreError):
    def __init__(self, locales: Sequence[str]) -> None:
        self.locales = tuple(locales)
        super().__init__(
            f"Invalid group of profiles. Profiles must have the same locale. Received {', '.join(locales)}."
        )


class ModelDiffers(TimbreError):
    """``may_be_rebuilt``: recordings of such profiles are kept, and the service makes new signatures of them itself."""

    def __init__(self, profile_id: str, made_by: str, configured: str, *, may_be_rebuilt: bool = False) -> None:
        self.profile_id, self.made_by, self.configured = profile_id, made_by, configured
        advice = "Reset the profile and enroll again."
        if may_be_rebuilt:
            advice = f"It is rebuilt from its recordings if they were kept; if not: {advice[0].lower()}{advice[1:]}"
        super().__init__(
            f"Profile {profile_id} was enrolled with the model {made_by}; this service runs {configured}. {advice}"
        )


class ProfileBusy(TimbreError):
    def __init__(self, profile_id: str) -> None:
        self.profile_id = profile_id
        super().__init__("Sending concurrent requests on same profile is not allowed.")


class LimitReached(TimbreError):
    """A bound of the subscription or the profile is reached."""


class TooManyProfiles(LimitReached):
    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        super().__init__(f"Maximum allowed number of profiles is {maximum:,}.")


class TooManyGroups(LimitReached):
    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        super().__init__(f"Maximum allowed number of groups is {maximum:,}.")


class TooManyKeys(LimitReached):
    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        super().__init__(f"Maximum allowed number of keys with a name of their own is {maximum}.")


class TooManyEnrollments(LimitReached):
    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        super().__init__(f"Maximum allowed number of enrollments per profile is {maximum}.")


class EnrollmentAudioFull(LimitReached):
    def __init__(self, seconds: float, maximum_seconds: float) -> None:
        self.seconds, self.maximum_seconds = seconds, maximum_seconds
        super().__init__(
            f"Maximum allowed length across all profile enrollments is {maximum_seconds:g} seconds. "
            f"With this recording the profile would have {seconds:.2f} seconds."
        )


class TooManyCandidates(LimitReached):
    def __init__(self, received: int, maximum: int) -> None:
        self.received, self.maximum = received, maximum
        super().__init__(f"Maximum number of profiles allowed per request is {maximum}. Received {received}.")


class TryLater(TimbreError):
    """``retry_after_seconds`` are whole, at least 1."""

    def __init__(self, retry_after_seconds: int, sentence: str) -> None:
        self.retry_after_seconds = retry_after_seconds
        unit = "second" if retry_after_seconds == 1 else "seconds"
        super().__init__(f"{sentence} Try again in {retry_after_seconds} {unit}.")


class TooManyChallenges(TryLater):
    def __init__(self, maximum: int, retry_after_seconds: int) -> None:
        self.maximum = maximum
        super().__init__(retry_after_seconds, f"The profile has {maximum} open challenges, as many as it may.")


class StorageUnavailable(TryLater):
    """Storage did not answer, or answered that it is busy. Nothing was half-written."""

    def __init__(self, retry_after_seconds: int = 5) -> None:
        super().__init__(retry_after_seconds, "Storage is not available right now.")


class ServiceBusy(TryLater):
    """Refused before any work was done."""

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__(retry_after_seconds, "The service has as much work as it can do.")


class TooManyOpenRecordings(TryLater):
    def __init__(self, maximum: int, retry_after_seconds: int = 60) -> None:
        self.maximum = maximum
        super().__init__(retry_after_seconds, f"At most {maximum} long recordings may be open at a time.")


class RateExceeded(TryLater):
    """Refused before any work was done."""

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__(retry_after_seconds, "Rate limit is exceeded.")


class TooManyWrongKeys(TryLater):
    """Refused before the key was looked up."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds, "Too many wrong keys came from this address.")


class SealBroken(TimbreError):
    """A ciphertext does not authenticate against where it stands: changed, swapped or of another key."""

    def __init__(self) -> None:
        super().__init__("Stored data failed its integrity check and was not used.")


def _quoted(received: str, longest: int = 64) -> str:
    """What the caller sent, quoted and cut."""
    cut = received if len(received) <= longest else received[: longest - 1] + "…"
    return '"' + cut.replace('"', "'") + '"'


def _progress(received_bytes: int, announced_bytes: int | None) -> str:
    announced = "" if announced_bytes is None else f" of {announced_bytes:,}"
    return f"{received_bytes:,}{announced} bytes"
