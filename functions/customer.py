"""What a customer does with its own subscription: who calls, its settings, the trail of changes, tokens."""

from __future__ import annotations

from shared.domain.access import Role
from shared.domain.subscription import Owner
from shared.domain.token import fingerprint
from shared.http.api import Call
from shared.http.audit import audit_page
from shared.http.endpoint import endpoint
from shared.http.management import write_caller
from shared.http.reply import Reply
from shared.http.request import json_object
from shared.http.settings import settings_change, settings_shown
from shared.http.tokens import issuing_key, read_new_token, write_token


@endpoint("caller", {"GET": Role.RECOGNISE})
def caller(call: Call) -> Reply:
    return Reply(200, write_caller(call.caller))


@endpoint("settings", dict.fromkeys(("GET", "PATCH", "PUT"), Role.MANAGE))
def settings(call: Call) -> Reply:
    subscription = call.subscription
    if call.request.method != "GET":
        reserved = ("calibration",) if subscription.settings.lock_settings else ()
        change = settings_change(json_object(call.request), Owner.CUSTOMER, reserved)
        subscription = call.services.manage.change_settings(call.caller.actor, subscription.subscription_id, change)
    return Reply(200, settings_shown(subscription.settings, Owner.CUSTOMER))


@endpoint("audit", {"GET": Role.MANAGE})
def audit(call: Call) -> Reply:
    return Reply(200, audit_page(call, call.services.audit, call.subscription.subscription_id))


@endpoint("tokens", {"POST": Role.RECOGNISE})
def tokens(call: Call) -> Reply:
    """Tokens for one purpose: what a browser or kiosk holds in the place of a key."""
    new, issuer = read_new_token(call), fingerprint(issuing_key(call))
    return write_token(*call.services.tokens.issue(call.caller, issuer, new.scope, new.minutes, once=new.once))
