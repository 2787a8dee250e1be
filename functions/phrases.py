"""Phrases: what may be said to a profile."""

from __future__ import annotations

import azure.functions as func

from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.wire import Call

blueprint = func.Blueprint()


@endpoint(blueprint, "phrases", ["GET"])
def phrases(call: Call) -> Reply:
    return call.wire.phrases(call)
