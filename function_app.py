"""The Functions app: every function group is a blueprint of its own."""

import azure.functions as func

from functions import enroll, health, identify, operations, phrases, profiles, retention, verify

app = func.FunctionApp()
for group in (profiles, enroll, verify, identify, phrases, operations, retention, health):
    app.register_functions(group.blueprint)
