"""Phrases: what may be said to a profile."""

from __future__ import annotations

import azure.functions as func

from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "phrases", ["GET"])
def phrases(call: Call) -> Reply:
    return call.api.phrases(call)
