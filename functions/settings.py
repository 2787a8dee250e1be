"""What a customer sees of its own subscription: who calls, its settings, and the trail of what was changed."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.domain.subscription import Owner
from shared.http.api import Call
from shared.http.audit import audit_page
from shared.http.endpoint import endpoint
from shared.http.management import write_caller
from shared.http.reply import Reply
from shared.http.request import json_object
from shared.http.settings import settings_change, settings_shown

blueprint = func.Blueprint()


@endpoint(blueprint, "caller", {"GET": Role.RECOGNISE})
def caller(call: Call) -> Reply:
    return Reply(200, write_caller(call.caller))


@endpoint(blueprint, "settings", dict.fromkeys(("GET", "PATCH", "PUT"), Role.MANAGE))
def settings(call: Call) -> Reply:
    subscription = call.subscription
    if call.request.method != "GET":
        reserved = ("calibration",) if subscription.settings.lock_settings else ()
        change = settings_change(json_object(call.request), Owner.CUSTOMER, reserved)
        subscription = call.services.manage.change_settings(call.caller.actor, subscription.subscription_id, change)
    return Reply(200, settings_shown(subscription.settings, Owner.CUSTOMER))


@endpoint(blueprint, "audit", {"GET": Role.MANAGE})
def audit(call: Call) -> Reply:
    return Reply(200, audit_page(call, call.services.audit, call.subscription.subscription_id))
