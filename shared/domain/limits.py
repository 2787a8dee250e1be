"""Numbers that bound the service, each with its unit and origin.

"Contract" is the published behaviour of the retired Azure API (``docs/contract.md``). A subscription or a setting may
move some of them; these are the defaults. ``docs/limits.md`` is checked against this module by a test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Final

MAX_BODY_BYTES: Final = 32 * 1024 * 1024
"""Five minutes of 48 kHz 16-bit mono are 28.8 MB. The retired service refused 9 MB although it promised 5 minutes."""

MAX_BODIES_BYTES: Final = 8 * MAX_BODY_BYTES
"""Our choice: all bodies that a process holds at once, an eighth of the smallest instance (2048 MB). Beyond it 503."""

UPLOAD_STALL_SECONDS: Final = 20.0
"""Our choice: how long the next bytes of a body may take. Mobile networks change cells in less."""

UPLOAD_RATE_SECONDS: Final = 60.0
MIN_UPLOAD_BYTES_PER_SECOND: Final = 1024
"""Our choice: the least average of a body over a minute. Speech in the narrowest codec in use takes 750 bytes a second,
and nobody uploads slower than people speak."""

MIN_SAMPLE_RATE: Final = 8_000
"""Hz: telephone speech, below which the encoder has nothing to go by."""

MAX_SAMPLE_RATE: Final = 192_000
"""Hz: the highest studio rate."""

MAX_CHANNELS: Final = 8
"""Our choice: channels of a recording."""

MAX_SAMPLES: Final = 300 * 48_000 * 2
"""Samples over all channels: five minutes of 48 kHz stereo. Half a megabyte of FLAC can unpack to 16 times as many."""

DECODING_PROCESSOR_SECONDS: Final = 2.0
"""Processor time that a body may take to decode, plus a fiftieth of the decoded length: five minutes of Opus or ALAC
take 2 to 5 s. WAV and headerless samples need no decoder and take milliseconds."""

DECODING_WAIT_SECONDS: Final = 3.0
"""How long a request waits for a decoder, and then for each further piece (2 MB of samples) of the recording."""

LONG_RECORDING_BYTES: Final = 1024 * 1024 * 1024
"""Our choice: a recording that is read from a URL. Four hours of 16 kHz 16-bit stereo are 0.92 GB."""

LONG_RECORDING_SECONDS: Final = 4 * 3_600.0
"""Our choice: a long meeting, with room."""

SOURCE_SECONDS: Final = 20.0
"""Our choice: how long a recording's host may take for one range, of 16 MiB at most, from its name to the last byte."""

OPEN_LONG_RECORDINGS: Final = 2
"""Our choice: of one subscription at a time. Each keeps a processor busy for a fifth of its length at most."""

VERIFICATION_ENROLLMENTS_NEEDED: Final = 3
"""Contract: recordings of one phrase until a text-dependent profile is enrolled."""

MAX_VERIFICATION_ENROLLMENTS: Final = 50
"""Contract (v2.0): enrollments per text-dependent profile."""

MAX_ENROLLMENT_AUDIO_SECONDS: Final = 300.0
"""Contract (v2.0): total audio per text-independent profile."""

MAX_PROFILES: Final = 10_000
"""Contract (v2.0): profiles per subscription. v1.0 allowed 1,000."""

MAX_CANDIDATES: Final = 50
"""Contract (v2.0): profiles per identify. v1.0 allowed 10."""

MAX_CANDIDATES_SETTING: Final = 200
"""How far a subscription may raise its candidates: 200 ids of 37 characters still fit a URL of 8 KiB."""

MAX_PROFILES_SETTING: Final = 1_000_000
"""Our choice: far beyond what one subscription was ever allowed, and a typing error is still noticed."""

MAX_NAMED_KEYS: Final = 20
"""Our choice: keys of a subscription besides primary and secondary. All of them stand in its one row."""

MAX_GROUPS: Final = 1_000
"""Our choice: named groups of profiles per subscription. All their names are one page of a range."""

MAX_RETENTION_DAYS: Final = 36_500.0
"""Our choice: a hundred years. ``null`` keeps voices until they are deleted."""

MIN_THRESHOLD: Final = 0.05
"""Our choice: the least threshold unless the operator sets another. By the models' own figures it lets 9 % of strangers
pass."""

MIN_RETENTION_DAYS: Final = 1.0 / 24.0
"""Our choice: an hour, the least retention unless the operator sets another."""

AUDIT_DAYS: Final = 400.0
MIN_AUDIT_DAYS: Final = 1.0
MAX_AUDIT_DAYS: Final = 3_650.0
"""Our choice: how long audit records are kept. The default spans a yearly review with a month to spare."""

MIN_RECOGNITION_DAYS: Final = 1.0
MAX_RECOGNITION_DAYS: Final = 400.0
"""Our choice: how long records of recognitions are kept, where a subscription wants them."""

REPLAY_DAYS: Final = 30.0
MIN_REPLAY_DAYS: Final = 1.0
MAX_REPLAY_DAYS: Final = 90.0
"""Our choice: how long prints of accepted recordings are kept, where a subscription refuses or flags replays."""

REQUESTS_PER_SECOND: Final = 20.0
"""Contract (v2.0): transactions per second of one resource. Each worker process grants them."""

MIN_REQUESTS_PER_SECOND: Final = 0.1
MAX_REQUESTS_PER_SECOND: Final = 100_000.0
"""Our choice: far beyond what a deployment answers."""

WRONG_KEYS_PER_MINUTE: Final = 20
"""Our choice: wrong keys from one address that a worker process looks up. Beyond it 429."""

MAX_PASSPHRASES: Final = 50
MIN_PASSPHRASE_WORDS: Final = 4
MAX_PASSPHRASE_WORDS: Final = 20
MAX_PASSPHRASE_CHARACTERS: Final = 200
"""Our choice, for a subscription's own passphrases. The shortest published phrase has five words; a phrase of one or
two words is heard in all kinds of speech."""

MAX_TRANSCRIPT_BYTES: Final = 4 * 1024 * 1024
"""Our choice: a transcript with its turns. Four hours of speech are 0.3 MB of text, and 3 MB in the longest form."""

MAX_TRANSCRIPT_PHRASES: Final = 50_000
MAX_TRANSCRIPT_TURNS: Final = 50_000
"""Our choice: a phrase, and a turn, every 0.3 s for four hours."""

MAX_TRANSCRIPT_SPEAKERS: Final = 160
"""Our choice: 20 on each of 8 channels."""

MAX_TRANSCRIPT_SECONDS: Final = 360_000.0
"""Our choice: 100 hours. Later moments are refused as mistaken."""

LOCALES_BY_CHARACTER: Final = ("zh-CN", "ja-JP")
MIN_PASSPHRASE_SIGNS: Final = 4
MAX_PASSPHRASE_SIGNS: Final = 60
"""The same where no spaces part the words: characters of a phrase."""

MIN_EXAMPLE_SECONDS: Final = 1.5
"""Our choice: speech in a take of a phrase by example. What is shorter is too like other phrases."""

MAX_PHRASE_TEMPLATES: Final = 5
MAX_PHRASE_TEMPLATE_BYTES: Final = 49_152
"""Our choice: takes of a phrase by example that are kept, the first ones, and how large each may be: a cell of a row
holds 65,536 bytes."""


MIN_CHALLENGE_DIGITS: Final = 6
MAX_CHALLENGE_DIGITS: Final = 10
"""Our choice: of six digits there are 590,490 sequences, and ten are said in four to six seconds."""

CHALLENGE_SECONDS: Final = 120
"""Our choice: how long a challenge may be answered."""

MAX_CHALLENGE_AUDIO_SECONDS: Final = 20.0
"""Our choice: twice what ten digits take. A minute of audio would keep the recogniser for seconds."""

MAX_OPEN_CHALLENGES: Final = 5
"""Our choice: challenges of one profile that wait for their answer. Beyond it 429."""

OPERATION_HOURS: Final = 24
"""Contract (v1.0): how long an operation can be asked for."""

PENDING_UPLOAD_MINUTES: Final = 10
"""Longest time an enroll may take between writing its audio and committing; Azure ends HTTP requests at 230 s."""

LOCALES: Final = (
    "en-US", "es-ES", "fr-FR", "zh-CN", "de-DE", "en-GB", "en-AU", "en-CA", "fr-CA", "it-IT", "es-MX", "ja-JP",
    "pt-BR", "en-IN",
)  # fmt: skip
"""Contract (v2.0). The encoder does not depend on the language; the locale is a label."""


@dataclass(frozen=True)
class AudioRules:
    """What a recording must be for one use. Seconds of audio are bounded before decoding, speech after."""

    min_seconds: float
    max_seconds: float
    min_speech_seconds: float
    min_snr_db: float
    max_clipped_percent: float = 20.0
    min_level_dbfs: float = -75.0
    min_bandwidth_hz: float = 0.0

    def moved(self, quality: QualityLimits) -> AudioRules:
        """With a subscription's own limits in the place of these."""
        own = {limit.name: getattr(quality, limit.name) for limit in fields(quality)}
        return replace(self, **{name: value for name, value in own.items() if value is not None})


@dataclass(frozen=True)
class QualityLimits:
    """A subscription's own limits on recordings, stricter or laxer, for every use; ``None`` leaves the generation's."""

    min_speech_seconds: float | None = None
    min_snr_db: float | None = None
    max_clipped_percent: float | None = None
    min_level_dbfs: float | None = None
    min_bandwidth_hz: float | None = None


QUALITY_BOUNDS: Final = {
    "min_speech_seconds": (0.5, 60.0),
    "min_snr_db": (-20.0, 40.0),
    "max_clipped_percent": (0.0, 50.0),
    "min_level_dbfs": (-90.0, -20.0),
    "min_bandwidth_hz": (0.0, 7_000.0),
}
"""Our choice: how far a subscription may move them. Below half a second of speech no score means anything, -90 dBFS is
half a bit of 16, and 40 dB or 7 kHz is what a good room and a good microphone reach."""


V1_VERIFICATION: Final = AudioRules(min_seconds=1.0, max_seconds=15.0, min_speech_seconds=0.5, min_snr_db=0.0)
V1_IDENTIFICATION_ENROLL: Final = AudioRules(5.0, 300.0, min_speech_seconds=1.0, min_snr_db=0.0)
V1_IDENTIFICATION: Final = AudioRules(5.0, 300.0, min_speech_seconds=1.0, min_snr_db=0.0)
V1_SHORT_AUDIO: Final = AudioRules(1.0, 300.0, min_speech_seconds=0.5, min_snr_db=0.0)
V1_ENROLLMENT_SPEECH_SECONDS: Final = 30.0
"""Contract (v1.0): accumulated speech that turns an identification profile into ``Enrolled``."""

V1_MAX_ENROLLMENT_AUDIO_SECONDS: Final = 1800.0
"""Our choice: v1.0 published no total. Half an hour is sixty times what an enrollment needs."""

V2_PHRASE_ENROLL: Final = AudioRules(1.0, 10.0, min_speech_seconds=0.5, min_snr_db=10.0)
V2_PHRASE_VERIFY: Final = AudioRules(1.0, 10.0, min_speech_seconds=0.5, min_snr_db=10.0)
V2_SPEECH_ENROLL: Final = AudioRules(1.0, 120.0, min_speech_seconds=0.5, min_snr_db=0.0)
V2_SPEECH: Final = AudioRules(1.0, 120.0, min_speech_seconds=4.0, min_snr_db=0.0)
V2_SHORT_SPEECH: Final = AudioRules(1.0, 120.0, min_speech_seconds=0.5, min_snr_db=0.0)
"""Contract (v2.0). ``ignoreMinLength`` waives the 4 s of net speech at verify and identify, nothing else."""

V2021_PHRASE_ENROLL: Final = AudioRules(1.0, 10.0, min_speech_seconds=0.5, min_snr_db=2.0)
V2021_PHRASE_VERIFY: Final = AudioRules(1.0, 10.0, min_speech_seconds=0.5, min_snr_db=10.0)
V2021_SPEECH_ENROLL: Final = AudioRules(1.0, 120.0, min_speech_seconds=0.5, min_snr_db=2.0)
V2021_SPEECH: Final = AudioRules(1.0, 120.0, min_speech_seconds=4.0, min_snr_db=2.0)
V2021_SHORT_SPEECH: Final = AudioRules(1.0, 120.0, min_speech_seconds=0.5, min_snr_db=2.0)
"""Contract (2021-09-05)."""

V2021_TURNS: Final = AudioRules(
    1.0, 300.0, min_speech_seconds=0.5, min_snr_db=-math.inf, max_clipped_percent=100.0, min_level_dbfs=-math.inf
)
"""Our choice. Who speaks is found in noise, too: only lengths are held."""

V2_ENROLLMENT_SPEECH_SECONDS: Final = 20.0
"""Contract (v2.0, 2021-09-05): accumulated speech that turns a text-independent profile into ``Enrolled``."""

DEFAULT_PAGE: Final = 100
MAX_PAGE: Final = 500
"""Contract (v2.0, 2021-09-05): profiles per page."""

PASSPHRASE_WORST_WORD: Final = -5.0  # docs/decisions/passphrase-recognition.md
"""Above it must be the natural logarithm of the odds of a passphrase's worst word against the likeliest other token,
and half of what all below zero sum up to. Fitted on four synthetic voices; on five
others 146 of 150 phrases and 11 of 195 near-misses are accepted, and none of 940 windows of other speech."""
