"""The Functions app: every function group is a blueprint of its own."""

import azure.functions as func

from functions import elsewhere, enroll, health, identify, operations, phrases, profiles, retention, verify

app = func.FunctionApp()
for group in (profiles, enroll, verify, identify, phrases, operations, retention, health, elsewhere):
    app.register_functions(group.blueprint)
