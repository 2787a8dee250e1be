"""The Functions app: every function group is a blueprint of its own."""

import azure.functions as func

from functions import (
    audit,
    elsewhere,
    enroll,
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
for group in (profiles, enroll, verify, identify, phrases, operations, settings, notes, audit, subscriptions):
    app.register_functions(group.blueprint)
for group in (retention, migration, health, openapi, elsewhere):
    app.register_functions(group.blueprint)
