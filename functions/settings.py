"""Settings: what a customer may see and change of its own subscription."""

from __future__ import annotations

import azure.functions as func

from shared.http import settings as wire
from shared.http import thresholds
from shared.http.api import Call
from shared.http.endpoint import extension_endpoint
from shared.http.reply import Reply
from shared.http.request import json_object

blueprint = func.Blueprint()


@extension_endpoint(blueprint, "settings", "settings", ["GET", "PATCH", "PUT"])
def settings(call: Call) -> Reply:
    if call.request.method == "GET":
        return Reply(200, wire.shown(call.subscription.settings, wire.CUSTOMER_FIELDS))
    calibration = call.services.models.calibrated_for(call.subscription.settings).current.calibration
    received = thresholds.as_scores(json_object(call.request), calibration)
    change = wire.customer_change(received)
    changed = call.services.change_settings(call.caller.actor, call.subscription.subscription_id, change)
    return Reply(200, wire.shown(changed.settings, wire.CUSTOMER_FIELDS))
