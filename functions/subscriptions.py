"""Subscriptions: the operator's side, behind the functions host's own key (``x-functions-key``)."""

from __future__ import annotations

import azure.functions as func

from shared.http.endpoint import management_endpoint
from shared.http.management import (
    SUBSCRIPTION_ID,
    ManagementCall,
    write_migration,
    write_new_key,
    write_put,
    write_subscription,
)
from shared.http.paging import read_page, write_page
from shared.http.reply import Reply

blueprint = func.Blueprint()
SUBSCRIPTION = "manage/subscriptions/{subscriptionId}"


@management_endpoint(blueprint, "subscriptions", "manage/subscriptions", ["GET"])
def subscriptions(call: ManagementCall) -> Reply:
    page = call.services.manage.page(*read_page(call, SUBSCRIPTION_ID))
    return Reply(200, write_page(call, page, write_subscription))


@management_endpoint(blueprint, "subscription", SUBSCRIPTION, ["GET", "PUT", "DELETE"])
def subscription(call: ManagementCall) -> Reply:
    subscription_id, manage = call.subscription_id, call.services.manage
    if call.request.method == "PUT":
        return write_put(manage.put(call.actor, subscription_id, call.settings_change()))
    if call.request.method == "DELETE":
        return Reply(202, write_subscription(manage.delete(call.actor, subscription_id)))
    return Reply(200, write_subscription(manage.get(subscription_id)))


@management_endpoint(blueprint, "regenerate_key", f"{SUBSCRIPTION}/keys/{{slot}}/regenerate", ["POST"])
def regenerate_key(call: ManagementCall) -> Reply:
    slot = call.slot
    return write_new_key(slot, call.services.manage.regenerate_key(call.actor, call.subscription_id, slot))


@management_endpoint(blueprint, "migration_progress", f"{SUBSCRIPTION}/migration", ["GET"])
def migration_progress(call: ManagementCall) -> Reply:
    return write_migration(call.services, call.services.migrate.progress(call.subscription_id))
