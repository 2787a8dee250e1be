"""Health: whether the process answers, and whether it could do its work.

The first depends on nothing, so that a busy storage account does not get instances restarted; the second is for
deployments and load balancers. Both answer while every thread for requests waits for storage.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import azure.functions as func

from shared.bootstrap import services
from shared.http.endpoint import open_endpoint
from shared.http.reply import Reply
from shared.http.streams import on_thread
from shared.http.uploads import StreamRequest

blueprint = func.Blueprint()

SETTINGS = "settings"
"""The part that is not ready when the service cannot even be put together; the log names the setting."""

READY_SECONDS = 10.0
"""How long the parts may take. Azure Front Door gives a probe 30 s."""

_thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")


@open_endpoint(blueprint, "health", "health", ["GET", "HEAD"])
async def health(_: StreamRequest) -> func.HttpResponse:
    return Reply(200, {"status": "healthy"}).response({})


@open_endpoint(blueprint, "health_ready", "health/ready", ["GET", "HEAD"])
async def ready(_: StreamRequest) -> func.HttpResponse:
    try:
        async with asyncio.timeout(READY_SECONDS):
            parts = await on_thread(_parts, _thread)
    except TimeoutError:
        parts = {"answerInTime": False}
    status = 200 if all(parts.values()) else 503
    body = {"status": "ready" if status == 200 else "notReady", "parts": parts}
    return Reply(status, body, {"Cache-Control": "no-store"}).response({})


def _parts() -> dict[str, bool]:
    try:
        return dict(services().readiness())
    except Exception:  # noqa: BLE001  settings, a model's name, or storage at the very first call: bootstrap logs it
        return {SETTINGS: False}
