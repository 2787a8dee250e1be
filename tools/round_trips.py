"""What every operation asks of storage, call by call: the table of ``docs/internals/round-trips.md``.

``tests/round_trips`` runs every operation of openapi.json and every timer, and holds what they did against this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class RoundTrips:
    """``operations`` are ids in openapi.json, ``*`` standing for anything, or names of timers; ``calls`` in order.

    ``what`` names the situation, which the tests know how to bring about.
    """

    what: str
    operations: tuple[str, ...]
    calls: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """``read profile ×3`` are three."""
        return sum(int(call.rpartition(" ×")[2]) if " ×" in call else 1 for call in self.calls)


_OPERATION: Final = "write operation"
_AUDIT: Final = "write audit"
_NAMED: Final = "merge profile"
_ERASED: Final = ("query enrollment", "write enrollment")
_DELETED: Final = ("read profile", "read tally", "read head", "write profile+due+head+change+tally", *_ERASED)
_WITHDRAWN: Final = ("read profile ×3", "read head", "write profile+due+head+change", *_ERASED)
_THREE_RECORDINGS: Final = ("list recording", "delete recording ×3")
_KEPT: Final = (
    "read profile ×2",
    "write due",
    "put recording",
    "read head",
    "write profile+enrollment+due+head+change",
)
_NOT_KEPT: Final = ("read profile ×2", "read head", "write profile+enrollment+head+change")
_SETTINGS: Final = ("read subscription ×2", "write subscription", "read subscription", _AUDIT)

_LATER_IDENTIFY: Final = ("v2*Identify",)
_PHRASES_AND_SPEECH: Final = ("v1EnrollPhrase", "v*EnrollText*")

EVERY_CALL: Final = (
    RoundTrips("a key that opens nothing", ("getSettings",), ("read key",)),
    RoundTrips("the first call with a key", ("getSettings",), ("read key", "read subscription")),
    RoundTrips(
        "the first voice that is opened or sealed",
        ("v2021VerifyTextIndependent",),
        ("read profile", "read datakey", _NAMED),
    ),
)
"""What is remembered from then on: look-ups of keys for 30 s, data keys for 5 minutes."""

RECOGNITION: Final = (
    RoundTrips("verify", ("v*Verify*",), ("read profile", _NAMED)),
    RoundTrips("verify with a recording that is refused", ("v*Verify*",), ("read profile",)),
    RoundTrips("a profile that does not exist", ("v*Verify*", "v*Identify"), ("read profile",)),
    RoundTrips(
        "identify among three, and the speaker is named, v1.0", ("v1Identify",), ("read head", _NAMED, _OPERATION)
    ),
    RoundTrips("identify among three, and the speaker is named", _LATER_IDENTIFY, ("read head", _NAMED)),
    RoundTrips("identify among three, and nobody is named, v1.0", ("v1Identify",), ("read head", _OPERATION)),
    RoundTrips("identify among three, and nobody is named", _LATER_IDENTIFY, ("read head",)),
    RoundTrips("identify among three for the first time", _LATER_IDENTIFY, ("read head", "query profile", _NAMED)),
    RoundTrips(
        "identify among three, one of whom has enrolled since",
        _LATER_IDENTIFY,
        ("read head", "query change", "read profile", _NAMED),
    ),
    RoundTrips("identify among two, and the speaker is named", _LATER_IDENTIFY, ("read profile ×2", _NAMED)),
    RoundTrips(
        "identify among three of many for the first time",
        _LATER_IDENTIFY,
        ("read head", "query profile", "read profile ×3", _NAMED),
    ),
    RoundTrips("identify among three others of the many", _LATER_IDENTIFY, ("read head", "read profile ×3", _NAMED)),
    RoundTrips(
        "identify among everybody, nothing has changed, v1.0", ("v1Identify",), ("read head", _NAMED, _OPERATION)
    ),
    RoundTrips("identify among everybody, nothing has changed", _LATER_IDENTIFY, ("read head", _NAMED)),
    RoundTrips(
        "identify among everybody, one has enrolled since",
        _LATER_IDENTIFY,
        ("read head", "query change", "read profile", _NAMED),
    ),
    RoundTrips(
        "identify among everybody on a new instance, from rows",
        _LATER_IDENTIFY,
        ("query pack", "query change", "query profile", _NAMED),
    ),
    RoundTrips(
        "identify among everybody on a new instance, from a pack",
        _LATER_IDENTIFY,
        ("query pack", "read pack", "query change", _NAMED),
    ),
    RoundTrips("identify in a group, nothing has changed", _LATER_IDENTIFY, ("read group", "read head", _NAMED)),
    RoundTrips(
        "identify in a group whose members have changed",
        _LATER_IDENTIFY,
        ("read group", "query member", "read head", _NAMED),
    ),
    RoundTrips("ask for an operation of v1.0", ("v1GetOperation",), ("read operation",)),
    RoundTrips("list phrases", ("v*Phrases",)),
)

ENROLLMENT: Final = (
    RoundTrips("enroll for verification", _PHRASES_AND_SPEECH, ("read profile ×2", "write profile+enrollment", _AUDIT)),
    RoundTrips("enroll for identification, v1.0", ("v1EnrollSpeech",), (*_KEPT, _AUDIT, _OPERATION)),
    RoundTrips("enroll for identification", ("v*EnrollIdentification",), (*_KEPT, _AUDIT)),
    RoundTrips(
        "enroll for identification without keeping the recording, v1.0",
        ("v1EnrollSpeech",),
        (*_NOT_KEPT, _AUDIT, _OPERATION),
    ),
    RoundTrips(
        "enroll for identification without keeping the recording",
        ("v*EnrollIdentification",),
        (*_NOT_KEPT, _AUDIT),
    ),
)

PROFILES: Final = (
    RoundTrips("create a profile", ("v*Create*",), ("read tally", "write profile+tally", _AUDIT)),
    RoundTrips("list profiles", ("v*List*Profile*",), ("query profile",)),
    RoundTrips("get a profile", ("v*Get*Profile",), ("read profile",)),
    RoundTrips(
        "reset a profile for verification",
        ("v*ResetVerification*", "v*ResetText*"),
        ("read profile", "write profile+due", *_ERASED, "write due", _AUDIT),
    ),
    RoundTrips(
        "reset a profile for identification",
        ("v*ResetIdentification*",),
        (
            "read profile",
            "read head",
            "write profile+due+head+change",
            *_ERASED,
            *_THREE_RECORDINGS,
            "write due",
            _AUDIT,
        ),
    ),
    RoundTrips(
        "delete a profile for verification",
        ("v*DeleteVerification*", "v*DeleteText*"),
        ("read profile", "read tally", "write profile+due+tally", *_ERASED, "write due", _AUDIT),
    ),
    RoundTrips(
        "delete a profile for identification",
        ("v*DeleteIdentification*",),
        (*_DELETED, "query grouped", *_THREE_RECORDINGS, "write due", _AUDIT),
    ),
    RoundTrips(
        "delete a profile for identification that is in groups",
        ("v*DeleteIdentification*",),
        (
            *_DELETED,
            "query grouped",
            "write member+grouped",
            *_THREE_RECORDINGS,
            "write due",
            _AUDIT,
        ),
    ),
    RoundTrips("read a consent or a retention", ("get*Consent", "get*Retention"), ("read profile",)),
    RoundTrips("record a consent", ("put*Consent",), ("read profile ×3", "write profile", _AUDIT)),
    RoundTrips(
        "withdraw the consent for verification",
        ("withdrawText*",),
        ("read profile ×3", "write profile+due", *_ERASED, "write due", _AUDIT),
    ),
    RoundTrips(
        "withdraw the consent for identification",
        ("withdrawIdentification*",),
        (*_WITHDRAWN, "list recording", "delete recording", "write due", _AUDIT),
    ),
    RoundTrips(
        "give a profile for verification a retention of its own",
        ("putText*Retention",),
        ("read profile ×3", "write profile+due", _AUDIT),
    ),
    RoundTrips(
        "give a profile for identification a retention of its own",
        ("putIdentificationRetention",),
        ("read profile ×3", "read head", "write profile+due+head+change", _AUDIT),
    ),
    RoundTrips(
        "take its retention from a profile for verification",
        ("deleteText*Retention",),
        ("read profile ×3", "write profile", _AUDIT),
    ),
    RoundTrips(
        "take its retention from a profile for identification",
        ("deleteIdentificationRetention",),
        ("read profile ×3", "read head", "write profile+head+change", _AUDIT),
    ),
)

GROUPS: Final = (
    RoundTrips("make a group", ("putGroup",), ("read group", "query group", "write group", _AUDIT)),
    RoundTrips("make a group that is there", ("putGroup",), ("read group", _AUDIT, "read group")),
    RoundTrips("list groups", ("listGroups",), ("query group",)),
    RoundTrips("read a group", ("getGroup",), ("read group ×2", "query member")),
    RoundTrips(
        "add to a group",
        ("addToGroup",),
        ("read group", "read profile", "read member", "write profile+member+grouped+group", _AUDIT),
    ),
    RoundTrips(
        "take from a group",
        ("takeFromGroup",),
        ("read group", "read member", "write member+grouped+group", _AUDIT),
    ),
    RoundTrips(
        "delete a group with members",
        ("deleteGroup",),
        ("read group", "write group+due", "query member", "write member+grouped", "write due", _AUDIT),
    ),
)

SUBSCRIPTIONS: Final = (
    RoundTrips("read the settings", ("getSettings",)),
    RoundTrips("change settings", ("changeSettings", "putSettings"), _SETTINGS),
    RoundTrips(
        "change the retention policy",
        ("changeSettings", "putSettings"),
        ("read subscription", "write due ×2", *("read subscription", *_SETTINGS[1:])),
    ),
    RoundTrips("read the audit trail", ("getAudit",), ("query audit",)),
    RoundTrips("list subscriptions", ("listSubscriptions",), ("query subscription",)),
    RoundTrips("read a subscription", ("getSubscription",), ("read subscription",)),
    RoundTrips(
        "create a subscription",
        ("putSubscription",),
        ("read subscription", "write subscription+datakey", "write key ×2", _AUDIT),
    ),
    RoundTrips("change a subscription's settings", ("putSubscription",), _SETTINGS),
    RoundTrips(
        "give a subscription a new key",
        ("regenerateKey",),
        (
            "read subscription ×2",
            "write subscription",
            "write key",
            "read subscription",
            "write subscription",
            "read key",
            "write key",
            "read subscription",
            "write subscription",
            _AUDIT,
        ),
    ),
    RoundTrips(
        "delete a subscription",
        ("deleteSubscription",),
        ("read subscription", "write subscription+datakey", "read subscription"),
    ),
    RoundTrips(
        "read how far a migration has come",
        ("getMigration",),
        ("read subscription", "read migration"),
    ),
)

HEALTH: Final = (
    RoundTrips("health, and what the service is", ("getHealth", "getService", "getOpenApi")),
    RoundTrips("readiness, at most every ten seconds", ("getReadiness",), ("read ready", "read recording")),
    RoundTrips("readiness, in between", ("getReadiness",)),
)

TIMERS: Final = (
    RoundTrips(
        "a tick with one subscription and nothing to do",
        ("retention",),
        ("query subscription", "query due", "read subscription", "query audit"),
    ),
    RoundTrips(
        "a tick with one subscription and nothing to do",
        ("compaction",),
        ("query subscription", "read head", "query pack", "read tally"),
    ),
    RoundTrips(
        "a tick with one subscription and nothing to do", ("migration",), ("query subscription", "read migration")
    ),
)

TABLES: Final = {
    "every-call": EVERY_CALL,
    "recognition": RECOGNITION,
    "enrollment": ENROLLMENT,
    "profiles": PROFILES,
    "groups": GROUPS,
    "subscriptions": SUBSCRIPTIONS,
    "health": HEALTH,
    "timers": TIMERS,
}
"""By the name of its place on the page."""
