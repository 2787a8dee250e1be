"""A small function app for the tests of the local host, written into a folder and run in a process of its own."""

from __future__ import annotations

from pathlib import Path

FUNCTION_APP = """
import time
from pathlib import Path

import azure.functions as func

from shared.http.streams import register
from shared.http.streams import on_thread

HERE = Path(__file__).parent
ANYBODY, KEY = func.AuthLevel.ANONYMOUS, func.AuthLevel.FUNCTION
blueprint = func.Blueprint()


async def health(request):
    return func.HttpResponse("healthy")


async def echo(request):
    whole = await request.whole()
    headers = {"x-method": whole.method, "x-name": whole.route_params["name"], "x-query": whole.params.get("q", "")}
    headers["x-encoding"] = whole.headers.get("content-encoding", "")
    return func.HttpResponse(whole.get_body(), status_code=201, headers=headers, mimetype="application/octet-stream")


async def address(request):
    return func.HttpResponse(request.url)


async def broken(request):
    raise RuntimeError("the reason stays here")


async def slow(request):
    (HERE / "slow-started").touch()
    await on_thread(wait)
    return func.HttpResponse("finished")


def wait():
    while not (HERE / "slow-may-end").exists():
        time.sleep(0.02)


register(blueprint, "health", "health", ["GET"], ANYBODY, health)
register(blueprint, "echo", "echo/{name}", ["GET", "POST", "HEAD", "OPTIONS"], ANYBODY, echo)
register(blueprint, "address", "address", ["GET"], ANYBODY, address)
register(blueprint, "guarded", "guarded", ["GET"], KEY, address)
register(blueprint, "broken", "broken", ["GET"], ANYBODY, broken)
register(blueprint, "slow", "slow", ["GET"], ANYBODY, slow)


@blueprint.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
def yearly(timer: func.TimerRequest) -> None:
    (HERE / "yearly-ran").write_text(str(timer.past_due))


@blueprint.timer_trigger(arg_name="timer", schedule="* * * * * *")
def often(timer: func.TimerRequest) -> None:
    (HERE / "often-ran").touch()


@blueprint.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
def failing(timer: func.TimerRequest) -> None:
    raise RuntimeError("the timer's reason")


app = func.FunctionApp()
app.register_functions(blueprint)
"""

ENVIRONMENT = {"VOICE_STORAGE": "none"}
"""Keeps the host from starting an Azurite that this app does not need."""


def write_sample_app(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function_app.py").write_text(FUNCTION_APP)
    return folder


def quiet(folder: Path) -> Path:
    """Without the timer that runs every second."""
    app = folder / "function_app.py"
    app.write_text(app.read_text().replace("* * * * * *", "0 0 3 1 1 *"))
    return folder
