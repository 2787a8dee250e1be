"""The Functions app: every function group is a blueprint of its own."""

import azure.functions as func

from functions import (
    audit,
    compaction,
    elsewhere,
    enroll,
    groups,
    health,
    identify,
    migration,
    notes,
    openapi,
    operations,
    phrases,
    profiles,
    retention,
    settings,
    subscriptions,
    verify,
)

app = func.FunctionApp()
for module in (profiles, enroll, verify, identify, groups, phrases, operations, settings, notes, audit, subscriptions):
    app.register_functions(module.blueprint)
for module in (retention, compaction, migration, health, openapi, elsewhere):
    app.register_functions(module.blueprint)
