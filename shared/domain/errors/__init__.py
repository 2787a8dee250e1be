"""Every way a request can fail, as facts with their measured values.

The domain knows nothing of HTTP: ``shared/http/errors.py`` is the one place that gives each fact its status, code
and wording in a generation of the API. ``str(error)`` is a full sentence that a user may read; it never contains
audio, vectors, keys, or another subscription's data.

    TimbreError
    ├── RequestInvalid                 the request cannot be understood
    │   ├── IdMalformed
    │   ├── LocaleMissing
    │   ├── LocaleUnsupported
    │   ├── ParameterMissing
    │   ├── ParameterInvalid
    │   ├── BodyMissing
    │   ├── BodyCutShort
    │   ├── BodyNotUnderstood
    │   └── PassphraseUnpronounceable  a phrase of a subscription's own that could never be heard
    ├── SubscriptionUnknown            no key, a wrong key
    ├── SubscriptionNotFound           the operator names one that does not exist
    ├── SubscriptionConflict
    │   ├── SubscriptionExists
    │   ├── SubscriptionNotActive      it is being deleted, or was: ids are never used again
    │   └── SubscriptionBusy           other requests changed it each time this one tried
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
    │   └── EnrollmentDiffers          not the voice of the profile's earlier enrollments
    ├── PassphraseRefused
    │   ├── PassphraseNotHeard         speech, but none of the allowed phrases
    │   ├── PassphraseDiffers          an allowed phrase, but not the profile's
    │   └── ActivationNotHeard         a first enrollment without the activation phrase
    ├── ProfileNotFound                absent, deleted, or another subscription's: indistinguishable
    ├── OperationNotFound
    ├── GroupNotFound
    ├── NobodyEnrolled                 among everyone, or everyone in a group
    ├── ConsentRefused                 the speaker's permission is not on record
    │   ├── ConsentMissing
    │   └── ConsentWithdrawn
    ├── ProfileNotEnrolled
    ├── LocalesDiffer                  candidates of one identify must share a locale
    ├── ModelDiffers                   the signature was made by another model and must be enrolled again
    ├── ProfileBusy                    other requests changed the profile each time this one tried
    ├── LimitReached
    │   ├── TooManyProfiles
    │   ├── TooManyGroups
    │   ├── TooManyEnrollments
    │   ├── EnrollmentAudioFull
    │   └── TooManyCandidates
    ├── BodyTooLarge
    ├── BodyTooSlow
    ├── TryLater
    │   ├── StorageUnavailable
    │   ├── ServiceBusy                more requests at once than this instance works on
    │   └── RateExceeded               more requests than the subscription may send in this time
    └── SealBroken                     stored ciphertext fails its authentication: an alarm
"""

from shared.domain.errors.profiles import (
    ConsentMissing,
    ConsentRefused,
    ConsentWithdrawn,
    EnrollmentAudioFull,
    GroupNotFound,
    LimitReached,
    LocalesDiffer,
    ModelDiffers,
    NobodyEnrolled,
    OperationNotFound,
    ProfileBusy,
    ProfileNotEnrolled,
    ProfileNotFound,
    TooManyCandidates,
    TooManyEnrollments,
    TooManyGroups,
    TooManyProfiles,
)
from shared.domain.errors.recordings import (
    ActivationNotHeard,
    AudioClipped,
    AudioFormatUnsupported,
    AudioTooLong,
    AudioTooNarrow,
    AudioTooNoisy,
    AudioTooQuiet,
    AudioTooShort,
    AudioUnreadable,
    EnrollmentDiffers,
    PassphraseDiffers,
    PassphraseNotHeard,
    PassphraseRefused,
    RecordingRefused,
    SecondVoiceHeard,
    SpeechTooShort,
    TwoChannelsSpeak,
)
from shared.domain.errors.requests import (
    BodyCutShort,
    BodyMissing,
    BodyNotUnderstood,
    BodyTooLarge,
    BodyTooSlow,
    IdMalformed,
    LocaleMissing,
    LocaleUnsupported,
    ParameterInvalid,
    ParameterMissing,
    PassphraseUnpronounceable,
    RequestInvalid,
)
from shared.domain.errors.root import (
    TimbreError,
)
from shared.domain.errors.service import (
    RateExceeded,
    SealBroken,
    ServiceBusy,
    StorageUnavailable,
    TryLater,
)
from shared.domain.errors.subscriptions import (
    SubscriptionBusy,
    SubscriptionConflict,
    SubscriptionExists,
    SubscriptionNotActive,
    SubscriptionNotFound,
    SubscriptionUnknown,
)

__all__ = [
    "ActivationNotHeard",
    "AudioClipped",
    "AudioFormatUnsupported",
    "AudioTooLong",
    "AudioTooNarrow",
    "AudioTooNoisy",
    "AudioTooQuiet",
    "AudioTooShort",
    "AudioUnreadable",
    "BodyCutShort",
    "BodyMissing",
    "BodyNotUnderstood",
    "BodyTooLarge",
    "BodyTooSlow",
    "ConsentMissing",
    "ConsentRefused",
    "ConsentWithdrawn",
    "EnrollmentAudioFull",
    "EnrollmentDiffers",
    "GroupNotFound",
    "IdMalformed",
    "LimitReached",
    "LocaleMissing",
    "LocaleUnsupported",
    "LocalesDiffer",
    "ModelDiffers",
    "NobodyEnrolled",
    "OperationNotFound",
    "ParameterInvalid",
    "ParameterMissing",
    "PassphraseDiffers",
    "PassphraseNotHeard",
    "PassphraseRefused",
    "PassphraseUnpronounceable",
    "ProfileBusy",
    "ProfileNotEnrolled",
    "ProfileNotFound",
    "RateExceeded",
    "RecordingRefused",
    "RequestInvalid",
    "SealBroken",
    "SecondVoiceHeard",
    "ServiceBusy",
    "SpeechTooShort",
    "StorageUnavailable",
    "SubscriptionBusy",
    "SubscriptionConflict",
    "SubscriptionExists",
    "SubscriptionNotActive",
    "SubscriptionNotFound",
    "SubscriptionUnknown",
    "TimbreError",
    "TooManyCandidates",
    "TooManyEnrollments",
    "TooManyGroups",
    "TooManyProfiles",
    "TryLater",
    "TwoChannelsSpeak",
]
