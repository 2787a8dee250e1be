"""The Functions app: every function group is a blueprint of its own."""

import os

# Read by BLAS when numpy loads it. Requests run side by side already; its own threads would only wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

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
