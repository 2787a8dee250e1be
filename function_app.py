"""The Functions app: every function group is a blueprint of its own."""

from shared import process

process.settle()

import azure.functions as func

from functions import (
    audit,
    compaction,
    consent,
    elsewhere,
    enroll,
    groups,
    health,
    identify,
    migration,
    openapi,
    operations,
    phrases,
    profile_retention,
    profiles,
    retention,
    settings,
    subscriptions,
    verify,
)

app = func.FunctionApp()
for module in (profiles, enroll, verify, identify, groups, phrases, operations, settings):
    app.register_functions(module.blueprint)
for module in (consent, profile_retention, audit, subscriptions):
    app.register_functions(module.blueprint)
for module in (retention, compaction, migration, health, openapi, elsewhere):
    app.register_functions(module.blueprint)
