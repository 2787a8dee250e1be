"""For each row of the table in ``tools/round_trips.py``: what is arranged before the operation, and the call itself.

Everything is remembered that can be (the look-up of the key, the data key, a gallery), unless the row is about that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tests.in_process import Answer
from tests.round_trips.app import App
from tests.round_trips.customers import (
    IDENTIFICATION,
    LOCALE,
    Customer,
    Described,
    customer,
    expected,
    sample,
)

Call = Callable[[], Answer]
Situation = Callable[[App, Described], Call]
"""Arranges, and returns the call to be measured."""

SITUATIONS: Final[dict[str, Situation]] = {}


def situation(what: str) -> Callable[[Situation], Situation]:
    def register(arrange: Situation) -> Situation:
        SITUATIONS[what] = arrange
        return arrange

    return register


def on(who: Customer, one: Described, body: bytes = b"", query: str = "", **values: str) -> Call:
    return lambda: who.call(one.method, one.target(query, **values), body)


@situation("a key that opens nothing")
def _wrong_key(app: App, one: Described) -> Call:
    return lambda: expected(app.call(one.method, one.target(), key="nobody's"), 401)


@situation("the first call with a key")
def _first_call(app: App, one: Described) -> Call:
    app.call("PUT", "/manage/subscriptions/a-new-one", b"{}")
    key = app.call("POST", "/manage/subscriptions/a-new-one/keys/primary/regenerate").json["key"]
    return lambda: app.call(one.method, one.target(), key=key)


@situation("the first voice that is opened or sealed")
def _first_voice(app: App, one: Described) -> Call:
    who = customer(app)
    speaker = who.speaker(one.kind)
    app.data_keys.forget(who.subscription_id)
    return on(who, one, sample("passphrase-4"), named(one, speaker), profileId=speaker)


@situation("create a profile")
def _create(app: App, one: Described) -> Call:
    return on(customer(app), one, LOCALE)


@situation("list profiles")
def _list(app: App, one: Described) -> Call:
    who = customer(app)
    who.created(one.kind, 3)
    return on(who, one)


@situation("get a profile")
def _get(app: App, one: Described) -> Call:
    who = customer(app)
    return on(who, one, profileId=who.speaker(one.kind))


@situation("a profile that does not exist")
def _absent(app: App, one: Described) -> Call:
    nobody = "11111111-2222-3333-4444-555555555555"
    return on(customer(app), one, sample("passphrase-4"), named(one, nobody), profileId=nobody)


@situation("reset a profile for identification")
@situation("reset a profile for verification")
@situation("delete a profile for verification")
@situation("delete a profile for identification")
def _erase(app: App, one: Described) -> Call:
    return _get(app, one)


@situation("delete a profile for identification that is in groups")
def _erase_member(app: App, one: Described) -> Call:
    who = customer(app)
    speaker = who.speaker(IDENTIFICATION)
    for group in ("day", "night"):
        expected(who.call("PUT", f"/groups/{group}"), 201)
        expected(who.call("PUT", f"/groups/{group}/profiles/{speaker}"), 204)
    return on(who, one, profileId=speaker)


@situation("enroll for verification")
@situation("enroll for identification, v1.0")
@situation("enroll for identification")
def _enroll(app: App, one: Described) -> Call:
    who = customer(app)
    return on(who, one, sample("passphrase-2"), SHORT, profileId=who.speaker(one.kind, "passphrase-1"))


@situation("enroll for identification without keeping the recording, v1.0")
@situation("enroll for identification without keeping the recording")
def _enroll_unkept(app: App, one: Described) -> Call:
    who = customer(app, keepIdentificationAudio=False)
    return on(who, one, sample("passphrase-2"), SHORT, profileId=who.speaker(one.kind, "passphrase-1"))


@situation("verify")
def _verify(app: App, one: Described) -> Call:
    who = customer(app)
    speaker = who.speaker(one.kind)
    return on(who, one, sample("passphrase-4"), named(one, speaker), profileId=speaker)


@situation("verify with a recording that is refused")
def _verify_refused(app: App, one: Described) -> Call:
    who = customer(app)
    speaker = who.speaker(one.kind)
    return lambda: expected(on(who, one, b"not audio", named(one, speaker), profileId=speaker)(), 400)


@situation("identify among three for the first time")
def _identify_first(app: App, one: Described) -> Call:
    who = customer(app)
    return on(who, one, sample("passphrase-4"), named(one, *_three(who)))


@situation("identify among three, and the speaker is named, v1.0")
@situation("identify among three, and the speaker is named")
def _identify(app: App, one: Described) -> Call:
    return _asked_before(_identify_first(app, one))


@situation("identify among three, one of whom has enrolled since")
def _identify_changed(app: App, one: Described) -> Call:
    who = customer(app)
    speakers = _three(who)
    call = _asked_before(on(who, one, sample("passphrase-4"), named(one, *speakers)))
    who.enroll(IDENTIFICATION, speakers[0], ["other-speaker"])
    return call


def _three(who: Customer) -> list[str]:
    return [who.speaker(IDENTIFICATION, *some) for some in (("other-speaker",), ("passphrase-1",), (OTHER,))]


def _asked_before(call: Call) -> Call:
    call()
    return call


@situation("identify among three, and nobody is named, v1.0")
@situation("identify among three, and nobody is named")
def _identify_nobody(app: App, one: Described) -> Call:
    who = customer(app)
    speakers = [who.speaker(IDENTIFICATION, "other-speaker") for _ in range(3)]
    return _asked_before(on(who, one, sample("passphrase-4"), named(one, *speakers)))


@situation("identify among two, and the speaker is named")
def _identify_two(app: App, one: Described) -> Call:
    who = customer(app)
    return on(who, one, sample("passphrase-4"), named(one, who.speaker(IDENTIFICATION), _other(who)))


@situation("identify among three of many for the first time")
def _identify_crowded_first(app: App, one: Described) -> Call:
    who = customer(app)
    speakers = _far_apart(who, who.created(IDENTIFICATION, 9))
    return on(who, one, sample("passphrase-4"), named(one, *speakers))


@situation("identify among three others of the many")
def _identify_crowded(app: App, one: Described) -> Call:
    who = customer(app)
    ids = who.created(IDENTIFICATION, 18)
    first, others = (_far_apart(who, ids[start::2]) for start in (0, 1))
    on(who, one, sample("passphrase-4"), named(one, *first))()
    return on(who, one, sample("passphrase-4"), named(one, *others))


def _far_apart(who: Customer, ids: Sequence[str]) -> list[str]:
    """The first, the middle and the last of nine, enrolled."""
    speakers = [ids[0], ids[4], ids[8]]
    for speaker, recording in zip(speakers, ("passphrase-1", "other-speaker", "other-speaker"), strict=True):
        who.enroll(IDENTIFICATION, speaker, [recording])
    return speakers


@situation("identify among everybody, nothing has changed, v1.0")
@situation("identify among everybody, nothing has changed")
def _everybody(app: App, one: Described) -> Call:
    who = _two_known(app)
    return on(who, one, sample("passphrase-4"), named(one, "*"))


@situation("identify among everybody, one has enrolled since")
def _everybody_changed(app: App, one: Described) -> Call:
    who = _two_known(app)
    _other(who)
    return on(who, one, sample("passphrase-4"), named(one, "*"))


@situation("identify among everybody on a new instance, from rows")
def _everybody_cold(app: App, one: Described) -> Call:
    who = customer(app)
    who.speaker(IDENTIFICATION)
    return on(who, one, sample("passphrase-4"), named(one, "*"))


@situation("identify among everybody on a new instance, from a pack")
def _everybody_packed(app: App, one: Described) -> Call:
    who = customer(app)
    for recording in ("passphrase-1", "other-speaker", "other-speaker", "other-speaker"):
        who.speaker(IDENTIFICATION, recording)
    app.services.compact_galleries.compaction.compact(who.subscription_id)
    return on(who, one, sample("passphrase-4"), named(one, "*"))


@situation("identify in a group, nothing has changed")
def _group(app: App, one: Described) -> Call:
    who = customer(app)
    speaker = who.speaker(IDENTIFICATION)
    expected(who.call("PUT", "/groups/night"), 201)
    expected(who.call("PUT", f"/groups/night/profiles/{speaker}"), 204)
    who.identified("group:night")
    return on(who, one, sample("passphrase-4"), named(one, "group:night"))


@situation("identify in a group whose members have changed")
def _group_changed(app: App, one: Described) -> Call:
    who = customer(app)
    speakers = [who.speaker(IDENTIFICATION), _other(who)]
    expected(who.call("PUT", "/groups/night"), 201)
    expected(who.call("PUT", f"/groups/night/profiles/{speakers[0]}"), 204)
    who.identified("group:night")
    expected(who.call("PUT", f"/groups/night/profiles/{speakers[1]}"), 204)
    return on(who, one, sample("passphrase-4"), named(one, "group:night"))


@situation("ask for an operation of v1.0")
def _operation(app: App, one: Described) -> Call:
    who = customer(app)
    (profile,) = who.created(IDENTIFICATION)
    target = f"/spid/v1.0/identificationProfiles/{profile}/enroll?shortAudio=true"
    location = expected(who.call("POST", target, sample("passphrase-1")), 202).headers["operation-location"]
    return on(who, one, operationId=location.rpartition("/")[2])


@situation("list phrases")
def _phrases(app: App, one: Described) -> Call:
    return on(customer(app), one, query="locale=en-us" if "{" not in one.path else "", locale="en-us")


SHORT: Final = "shortAudio=true&ignoreMinLength=true"
"""Whatever the generation: each ignores what it does not know."""

OTHER: Final = "other-phrase"


def named(one: Described, *speakers: str) -> str:
    """The query that names speakers in this operation, if its path does not."""
    listed = ",".join(speakers)
    if one.operation_id == "v1Verify":
        return f"verificationProfileId={listed}"
    if not one.operation_id.endswith("Identify"):
        return SHORT  # its path does
    return f"{SHORT}&{'identificationProfileIds' if one.operation_id == 'v1Identify' else 'profileIds'}={listed}"


def _other(who: Customer) -> str:
    return who.speaker(IDENTIFICATION, "other-speaker")


def _two_known(app: App) -> Customer:
    """Two speakers, whose gallery is in memory."""
    who = customer(app)
    who.speaker(IDENTIFICATION)
    _other(who)
    who.identified("*")
    return who
