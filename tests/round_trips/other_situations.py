"""The rest of the situations: settings, audit, consent, groups, the operator's side, health, timers."""

from __future__ import annotations

import json
from typing import Final

from tests.round_trips.app import App
from tests.round_trips.customers import IDENTIFICATION, Customer, Described, customer, expected
from tests.round_trips.situations import Call, on, situation

CONSENT: Final = json.dumps({"statementId": "terms-7"}).encode()
RETENTION: Final = json.dumps({"maxAgeDays": 30}).encode()
THRESHOLDS: Final = json.dumps({"thresholds": {"verification": 0.6}}).encode()
POLICY: Final = json.dumps({"retention": {"maxAgeDays": 30}}).encode()


@situation("read the settings")
@situation("read the audit trail")
@situation("list groups")
def _plain(app: App, one: Described) -> Call:
    return on(customer(app), one)


@situation("change settings")
def _settings(app: App, one: Described) -> Call:
    return on(customer(app), one, THRESHOLDS)


@situation("change the retention policy")
def _policy(app: App, one: Described) -> Call:
    return on(customer(app), one, POLICY)


@situation("read a consent or a retention")
def _read_note(app: App, one: Described) -> Call:
    who = customer(app)
    return on(who, one, profileId=who.created(one.kind)[0])


@situation("record a consent")
def _consent(app: App, one: Described) -> Call:
    who = customer(app)
    return on(who, one, CONSENT, profileId=who.created(one.kind)[0])


@situation("withdraw the consent for verification")
@situation("withdraw the consent for identification")
def _withdraw(app: App, one: Described) -> Call:
    who = customer(app)
    return on(who, one, profileId=who.speaker(one.kind, "passphrase-1"))


@situation("give a profile for verification a retention of its own")
@situation("give a profile for identification a retention of its own")
@situation("take its retention from a profile for verification")
@situation("take its retention from a profile for identification")
def _retention(app: App, one: Described) -> Call:
    who = customer(app)
    speaker = who.speaker(one.kind, "passphrase-1")
    if one.method == "DELETE":
        kept = one.target(profileId=speaker)
        expected(who.call("PUT", kept, RETENTION), 200)
    return on(who, one, RETENTION if one.method == "PUT" else b"", profileId=speaker)


@situation("make a group")
def _new_group(app: App, one: Described) -> Call:
    return on(customer(app), one, name="night")


@situation("make a group that is there")
@situation("read a group")
def _group(app: App, one: Described) -> Call:
    return on(_with_group(app), one, name="night")


@situation("delete a group with members")
def _delete_group(app: App, one: Described) -> Call:
    who = _with_group(app)
    (member,) = who.created(IDENTIFICATION)
    expected(who.call("PUT", f"/groups/night/profiles/{member}"), 204)
    return on(who, one, name="night")


@situation("add to a group")
def _add(app: App, one: Described) -> Call:
    who = _with_group(app)
    return on(who, one, name="night", profileId=who.created(IDENTIFICATION)[0])


@situation("take from a group")
def _take(app: App, one: Described) -> Call:
    who = _with_group(app)
    (member,) = who.created(IDENTIFICATION)
    expected(who.call("PUT", f"/groups/night/profiles/{member}"), 204)
    return on(who, one, name="night", profileId=member)


@situation("list subscriptions")
def _subscriptions(app: App, one: Described) -> Call:
    return lambda: app.call(one.method, one.target())


@situation("create a subscription")
def _create(app: App, one: Described) -> Call:
    return lambda: expected(app.call(one.method, one.target(subscriptionId="brand-new")), 201)


@situation("read a subscription")
@situation("read how far a migration has come")
@situation("delete a subscription")
@situation("give a subscription a new key")
def _existing(app: App, one: Described) -> Call:
    who = customer(app)
    return lambda: app.call(one.method, one.target(subscriptionId=who.subscription_id, slot="primary"))


@situation("change a subscription's settings")
def _operator_settings(app: App, one: Described) -> Call:
    who = customer(app)
    return lambda: app.call(one.method, one.target(subscriptionId=who.subscription_id), THRESHOLDS)


@situation("health, and what the service is")
@situation("readiness, at most every ten seconds")
def _health(app: App, one: Described) -> Call:
    return lambda: app.call(one.method, one.target())


@situation("readiness, in between")
def _ready_again(app: App, one: Described) -> Call:
    app.call(one.method, one.target())
    return lambda: app.call(one.method, one.target())


def _with_group(app: App) -> Customer:
    who = customer(app)
    expected(who.call("PUT", "/groups/night"), 201)
    return who
