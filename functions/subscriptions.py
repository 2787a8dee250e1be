"""Subscriptions: the operator's side, behind the functions host's own key (``x-functions-key``)."""

from __future__ import annotations

import azure.functions as func

from shared.http import management, paging
from shared.http.endpoint import management_endpoint
from shared.http.management import ManagementCall
from shared.http.reply import Reply

blueprint = func.Blueprint()


@management_endpoint(blueprint, "subscriptions", "manage/subscriptions", ["GET"])
def subscriptions(call: ManagementCall) -> Reply:
    after, limit = paging.position(call.request, management.ID), paging.page_size(call.request)
    return management.listed(call, call.services.read_subscriptions.page(after, limit))


@management_endpoint(blueprint, "subscription", "manage/subscriptions/{subscriptionId}", ["GET", "PUT", "DELETE"])
def subscription(call: ManagementCall) -> Reply:
    subscription_id = call.subscription_id
    if call.request.method == "PUT":
        return management.put(call.services.put_subscription(call.actor, subscription_id, call.settings_change()))
    if call.request.method == "DELETE":
        return management.deleting(call.services.delete_subscription(call.actor, subscription_id))
    return management.shown(call.services.read_subscriptions.one(subscription_id))


@management_endpoint(
    blueprint, "regenerate_key", "manage/subscriptions/{subscriptionId}/keys/{slot}/regenerate", ["POST"]
)
def regenerate_key(call: ManagementCall) -> Reply:
    slot = call.slot
    return management.regenerated(slot, call.services.regenerate_key(call.actor, call.subscription_id, slot))
