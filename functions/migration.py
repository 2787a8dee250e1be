"""Migration: the timer that moves profiles to the configured speaker model, and how far it has come.

Apart from retention, which never loads a model: this one does, while there is something to migrate.
"""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import services
from shared.http import migration as wire
from shared.http.endpoint import management_endpoint
from shared.http.management import ManagementCall
from shared.http.reply import Reply

blueprint = func.Blueprint()


@blueprint.function_name("migration")
@blueprint.timer_trigger(arg_name="timer", schedule="30 */5 * * * *", run_on_startup=False)
def migration(timer: func.TimerRequest) -> None:  # noqa: ARG001  the worker passes it by name
    services().migrate()


@management_endpoint(blueprint, "migration_progress", "manage/subscriptions/{subscriptionId}/migration", ["GET"])
def migration_progress(call: ManagementCall) -> Reply:
    return wire.shown(call.services, call.services.read_migration(call.subscription_id))
