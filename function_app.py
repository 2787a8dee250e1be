"""The Functions app: every function group is a blueprint of its own."""

from shared import process

process.settle()

import azure.functions as func

from functions import (
    challenges,
    console,
    elsewhere,
    enroll,
    groups,
    health,
    identify,
    notes,
    openapi,
    operations,
    phrases,
    profiles,
    settings,
    subscriptions,
    timers,
    tokens,
    transcripts,
    turns,
    verify,
)

app = func.FunctionApp()
for module in (profiles, enroll, verify, identify, turns, transcripts, phrases, operations):
    app.register_functions(module.blueprint)
for module in (groups, notes, challenges, settings, tokens, subscriptions, timers, health, openapi, console, elsewhere):
    app.register_functions(module.blueprint)
