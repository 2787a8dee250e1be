"""A small function app for the tests of the local host, written into a folder and run in a process of its own."""

from __future__ import annotations

from pathlib import Path

FUNCTION_APP = """
import threading
import time
from pathlib import Path

import azure.functions as func

HERE = Path(__file__).parent
together = threading.Barrier(2, timeout=30)
blueprint = func.Blueprint()


@blueprint.route(route="echo/{name}", methods=["GET", "POST", "HEAD", "OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"x-method": req.method, "x-name": req.route_params["name"], "x-query": req.params.get("q", "")}
    headers["x-encoding"] = req.headers.get("content-encoding", "")
    return func.HttpResponse(req.get_body(), status_code=201, headers=headers, mimetype="application/octet-stream")


@blueprint.route(route="plain", auth_level=func.AuthLevel.ANONYMOUS)
async def plain(req: func.HttpRequest) -> str:
    return req.url


@blueprint.route(route="guarded", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def guarded(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@blueprint.route(route="broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("the reason stays here")


@blueprint.route(route="together", auth_level=func.AuthLevel.ANONYMOUS)
def meet(req: func.HttpRequest) -> func.HttpResponse:
    together.wait()
    return func.HttpResponse("met")


@blueprint.route(route="slow", auth_level=func.AuthLevel.ANONYMOUS)
def slow(req: func.HttpRequest) -> func.HttpResponse:
    (HERE / "slow-started").touch()
    while not (HERE / "slow-may-end").exists():
        time.sleep(0.02)
    return func.HttpResponse("finished")


@blueprint.route(route="cookies", auth_level=func.AuthLevel.ANONYMOUS)
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("")
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly; Max-Age=60; SameSite=Lax")
    response.headers.add("Set-Cookie", "b=2; Secure")
    return response


@blueprint.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
def yearly(timer: func.TimerRequest) -> None:
    (HERE / "yearly-ran").write_text(str(timer.past_due))


@blueprint.timer_trigger(arg_name="timer", schedule="%OFTEN%")
def often(timer: func.TimerRequest) -> None:
    (HERE / "often-ran").touch()


@blueprint.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
def failing(timer: func.TimerRequest) -> None:
    raise RuntimeError("the timer's reason")


app = func.FunctionApp()
app.register_functions(blueprint)
"""

# VOICE_STORAGE keeps the host from starting an Azurite that this app does not need.
ENVIRONMENT = {"VOICE_STORAGE": "none", "OFTEN": "* * * * * *"}


def write_sample_app(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function_app.py").write_text(FUNCTION_APP)
    (folder / "host.json").write_text('{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}')
    return folder
