"""The Functions app: the modules of ``functions`` put their HTTP functions into one blueprint."""

from shared import process

process.settle()

import azure.functions as func

from functions import customer, groups, profiles, public, recognition, subscriptions, timers  # noqa: F401  they register
from shared.http.endpoint import blueprint

app = func.FunctionApp()
app.register_functions(blueprint)
app.register_functions(timers.blueprint)
