"""A function app that only reads the body, through Timbre's own adapter for HTTP streams."""

from __future__ import annotations

import azure.functions as func

from shared.http import streams


async def _read(request: streams.StreamRequest) -> func.HttpResponse:
    await request.whole()
    return func.HttpResponse("Timbre")


blueprint = func.Blueprint()
streams.register(blueprint, "read", "{*path}", ("GET", "POST"), func.AuthLevel.ANONYMOUS, _read)
app = func.FunctionApp()
app.register_functions(blueprint)
