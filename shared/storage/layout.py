"""Where things stand: row keys, blob names. The one place that spells them.

Table ``voices``, one partition for each subscription:

    profile:<kind>:<id>                             the profile and its sealed signature
    enrollment:<kind>:<id>:<epoch>:<number>         one enrollment with its sealed embedding
    verify:<kind>:<id>:<epoch>:challenge:<place>    an open challenge with its sealed digits
    verify:<kind>:<id>:<epoch>:print:<time>:<id>    the sealed print of an accepted recording
    tally                                           how many profiles there are
    migration                                       how far the profiles have come to another speaker model
    erased                                          how much of a deleted subscription is erased, while it is
    due:<time>:<action>:<detail>                    what the timer must do, and when
    due:<time>:operation:<id>                       the result of a v1.0 operation, to be taken away then
    due:<time>:challenge:<id>                       a challenge that nobody has answered, to be taken away then
    due:<time>:print:<time>:<id>                    the print of an accepted recording, to be taken away then
    due:<time>:token:<id>                           a token for one use that is spent, to be taken away then
    due:<time>:turns:<id>                           an operation on a long recording, to be taken away then
    due:<time>:turnstidy:<id>                       its end: blobs that nobody needs any more are looked for
    turns:<slot>                                    what an open one of them needs, ``profiles/long_operations.py``
    record:<time>:<id>                              an audit record that waits to be moved, ``shared/storage/audit.py``
    recognition:<time>:<id>                         the record of a recognition, which stays here
    recognised:<kind>:<profile id>:<time>:<id>      the same, found from the profile
    change:-  change:<number>                       which identification profiles changed, ``profiles/change_log.py``
    pack                                            which blob holds the packed gallery, ``gallery/packs.py``
    group:<name>                                    a named group of identification profiles, ``profiles/groups.py``
    member:<group id>:<profile id>                  who is in it
    grouped:<profile id>:<group id>                 the same, found from the profile

Table ``subscriptions``, one partition: ``subscription:<id>``, ``datakey:<id>`` and, as above,
``record:<id>:<time>:<entry id>``.

Table ``keys``: a row for each subscription key under its SHA-256, which says whose subscription to look at.

Table ``audit``, one partition for each subscription: ``at:<time>:<id>``, see ``shared/storage/audit.py``.

Container ``enrollment-audio``: ``<subscription>/<kind>/<id>/<epoch>/<enrollment>.flac``.

Container ``galleries``: ``<subscription>/<id>``, the packs.

Container ``turns``: ``<subscription>/<operation id>/<id>``, what was heard of a long recording so far, or its result.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from shared.domain.profile import ProfileKey, ProfileKind

VOICES: Final = "voices"
SUBSCRIPTIONS: Final = "subscriptions"
KEYS: Final = "keys"
AUDIT: Final = "audit"
ENROLLMENT_AUDIO: Final = "enrollment-audio"
GALLERIES: Final = "galleries"
LONG_RECORDINGS: Final = "turns"

SUBSCRIPTIONS_PARTITION: Final = "subscriptions"
TALLY: Final = "tally"
MIGRATION: Final = "migration"
PROFILES: Final = "profile:"
"""What the keys of all profiles' rows start with."""
ERASED: Final = "erased"

_EPOCH_DIGITS: Final = 6
_NUMBER_DIGITS: Final = 6


def profile_row(key: ProfileKey) -> str:
    return f"profile:{key.kind.value}:{key.profile_id}"


def profiles_range(kind: ProfileKind, after: str | None) -> tuple[str, str]:
    """From the first profile, or the one behind the id ``after``. ``!`` sorts before anything an id is made of."""
    prefix = f"profile:{kind.value}:"
    return (prefix if after is None else f"{prefix}{after}!"), end_of(prefix)


def enrollment_row(key: ProfileKey, epoch: int, number: int) -> str:
    """Zero-padded, so that ordinal order is numeric order."""
    return f"{enrollments_prefix(key, epoch)}{number:0{_NUMBER_DIGITS}}"


def enrollments_prefix(key: ProfileKey, epoch: int | None) -> str:
    """Of one epoch, or of all."""
    return f"enrollment:{key.kind.value}:{key.profile_id}:{_epoch(epoch, ':')}"


VERIFY: Final = "verify:"
"""What the keys of all rows start with that verifications leave for a while."""


def verify_prefix(key: ProfileKey, epoch: int | None) -> str:
    """Of one epoch, or of all."""
    return f"{VERIFY}{key.kind.value}:{key.profile_id}:{_epoch(epoch, ':')}"


def challenge_row(key: ProfileKey, epoch: int, place: int) -> str:
    return f"{challenges_prefix(key, epoch)}{place}"


def challenges_prefix(key: ProfileKey, epoch: int) -> str:
    return f"{verify_prefix(key, epoch)}{CHALLENGE}:"


def prints_prefix(key: ProfileKey, epoch: int) -> str:
    return f"{verify_prefix(key, epoch)}{PRINT}:"


def audio_blob(key: ProfileKey, epoch: int, enrollment_id: str) -> str:
    return f"{audio_prefix(key, epoch)}{enrollment_id}.flac"


def audio_prefix(key: ProfileKey, epoch: int | None) -> str:
    """Of one epoch, or of all."""
    return f"{key.subscription_id}/{key.kind.value}/{key.profile_id}/{_epoch(epoch, '/')}"


def _epoch(epoch: int | None, end: str) -> str:
    return "" if epoch is None else f"{epoch:0{_EPOCH_DIGITS}}{end}"


def parsed_profile_row(row_key: str) -> tuple[ProfileKind, str]:
    """Kind and id in the key of a profile's row."""
    _, kind, profile_id = row_key.split(":", 2)
    return ProfileKind(kind), profile_id


def subscription_prefix(subscription_id: str) -> str:
    """Of all its blobs."""
    return f"{subscription_id}/"


OPERATION: Final = "operation"
CHALLENGE: Final = "challenge"
PRINT: Final = "print"
TOKEN: Final = "token"  # noqa: S105 - an action of the timer


TURNS: Final = "turns"
TURNS_TIDY: Final = "turnstidy"
OPEN_TURNS: Final = "turns:"


def open_turns_row(slot: int) -> str:
    return f"{OPEN_TURNS}{slot}"


def turns_blobs(subscription_id: str, operation_id: str) -> str:
    """What the names of an operation's blobs begin with."""
    return f"{subscription_prefix(subscription_id)}{operation_id}/"


def operation_row(expires_at: datetime, operation_id: str) -> str:
    return due_row(expires_at, OPERATION, operation_id)


def is_operation(key: str) -> bool:
    return key.startswith("due:") and key.split(":", 3)[2] in (OPERATION, TURNS)


def time_in_key(moment: datetime) -> str:
    """Exact to the microsecond; ordinal order is the order of time."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def due_row(at: datetime, action: str, detail: str) -> str:
    return f"due:{time_in_key(at)}:{action}:{detail}"


def due_range(until: datetime) -> tuple[str, str]:
    """Everything due up to and including that moment."""
    return "due:", f"due:{time_in_key(until)};"


RECORD_PREFIX: Final = "record:"
"""Of the audit records that were written with a change and wait to be moved into the trail."""


def records_prefix(subscription_id: str) -> str:
    """In the table of subscriptions, whose partition is everybody's."""
    return f"{RECORD_PREFIX}{subscription_id}:"


RECOGNITION_PREFIX: Final = "recognition:"
RECOGNISED: Final = "recognised:"


def recognised_prefix(key: ProfileKey) -> str:
    return f"{RECOGNISED}{key.kind.value}:{key.profile_id}:"


def entry_place(at: datetime, entry_id: str) -> str:
    """How every key of an audit record ends."""
    return f"{time_in_key(at)}:{entry_id}"


FIRST_KEY: Final = " "
LAST_KEY: Final = "~"
"""Every row key lies between: keys are printable ASCII and begin with a word."""


def key_row(digest: bytes) -> tuple[str, str]:
    """Partition and row key of a subscription key's SHA-256: spread over 256 partitions."""
    text = digest.hex()
    return text[:2], text


SUBSCRIPTION_PREFIX: Final = "subscription:"


def subscription_row(subscription_id: str) -> str:
    return f"{SUBSCRIPTION_PREFIX}{subscription_id}"


def data_key_row(subscription_id: str) -> str:
    return f"datakey:{subscription_id}"


def end_of(prefix: str) -> str:
    """The least key behind all that start with the prefix, which ends with ``:``."""
    return prefix[:-1] + ";"


CHANGE_HEAD: Final = "change:-"
"""The number of the latest change. ``-`` sorts before the digits: a range that begins here has it first."""

_MAX_CHANGE: Final = 10**12


def change_row(number: int) -> str:
    """The latest sorts first, so that one range holds the head and all that is newer than a known number."""
    return f"change:{_MAX_CHANGE - number:013}"


def change_number(row_key: str) -> int:
    return _MAX_CHANGE - int(row_key.removeprefix("change:"))


PACK: Final = "pack"


def pack_blob(subscription_id: str, name: str) -> str:
    return f"{subscription_prefix(subscription_id)}{name}"


GROUP_PREFIX: Final = "group:"


def group_row(name: str) -> str:
    return f"{GROUP_PREFIX}{name}"


def member_row(group_id: str, profile_id: str) -> str:
    return f"{members_prefix(group_id)}{profile_id}"


def members_prefix(group_id: str) -> str:
    return f"member:{group_id}:"


def grouped_row(profile_id: str, group_id: str) -> str:
    return f"{grouped_prefix(profile_id)}{group_id}"


def grouped_prefix(profile_id: str) -> str:
    return f"grouped:{profile_id}:"
