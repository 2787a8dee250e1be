"""Settings: what a customer may see and change of its own subscription."""

from __future__ import annotations

import azure.functions as func

from shared.domain.subscription import Owner
from shared.http.api import Call
from shared.http.endpoint import extension_endpoint
from shared.http.reply import Reply
from shared.http.request import json_object
from shared.http.settings import settings_change, settings_shown

blueprint = func.Blueprint()


@extension_endpoint(blueprint, "settings", "settings", ["GET", "PATCH", "PUT"])
def settings(call: Call) -> Reply:
    subscription = call.subscription
    if call.request.method != "GET":
        change = settings_change(json_object(call.request), Owner.CUSTOMER)
        subscription = call.services.manage.change_settings(call.caller.actor, subscription.subscription_id, change)
    return Reply(200, settings_shown(subscription.settings, Owner.CUSTOMER))
