"""Subscriptions: the operator's side, behind the functions host's own key (``x-functions-key``)."""

from __future__ import annotations

from shared.http.audit import OF_THE_HOST, audit_page
from shared.http.endpoint import management_endpoint
from shared.http.management import (
    SUBSCRIPTION_ID,
    ManagementCall,
    write_key,
    write_migration,
    write_new_key,
    write_put,
    write_put_key,
    write_subscription,
)
from shared.http.paging import read_page, write_page
from shared.http.reply import Reply

SUBSCRIPTION = "manage/subscriptions/{subscriptionId}"


@management_endpoint("subscriptions", "manage/subscriptions", ["GET"])
def subscriptions(call: ManagementCall) -> Reply:
    page = call.services.manage.page(*read_page(call, SUBSCRIPTION_ID))
    return Reply(200, write_page(call, page, write_subscription))


@management_endpoint("subscription", SUBSCRIPTION, ["GET", "PUT", "DELETE"])
def subscription(call: ManagementCall) -> Reply:
    subscription_id, manage = call.subscription_id, call.services.manage
    if call.request.method == "PUT":
        return write_put(manage.put(call.actor, subscription_id, call.settings_change()))
    if call.request.method == "DELETE":
        return Reply(202, write_subscription(manage.delete(call.actor, subscription_id)))
    return Reply(200, write_subscription(manage.get(subscription_id)))


@management_endpoint("keys", f"{SUBSCRIPTION}/keys", ["GET"])
def keys(call: ManagementCall) -> Reply:
    return Reply(200, {"value": [write_key(key) for key in call.services.manage.keys(call.subscription_id)]})


@management_endpoint("key", f"{SUBSCRIPTION}/keys/{{name}}", ["PUT", "DELETE"])
def key(call: ManagementCall) -> Reply:
    subscription_id, name, manage = call.subscription_id, call.key_name, call.services.manage
    if call.request.method == "PUT":
        return write_put_key(*manage.put_key(call.actor, subscription_id, name, *call.key_change()))
    manage.delete_key(call.actor, subscription_id, name)
    return Reply(204)


@management_endpoint("regenerate_key", f"{SUBSCRIPTION}/keys/{{name}}/regenerate", ["POST"])
def regenerate_key(call: ManagementCall) -> Reply:
    name = call.any_key_name
    return write_new_key(name, call.services.manage.regenerate_key(call.actor, call.subscription_id, name))


@management_endpoint("migration_progress", f"{SUBSCRIPTION}/migration", ["GET"])
def migration_progress(call: ManagementCall) -> Reply:
    return write_migration(call.services, call.services.migrate.progress(call.subscription_id))


@management_endpoint("subscription_audit", f"{SUBSCRIPTION}/audit", ["GET"])
def subscription_audit(call: ManagementCall) -> Reply:
    subscription = call.services.manage.get(call.subscription_id)
    return Reply(200, audit_page(call, call.services.audit, subscription.subscription_id, OF_THE_HOST))
