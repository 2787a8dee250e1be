"""OpenAPI: the description of every operation, which the tests hold the service to."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("openapi")
@blueprint.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def openapi(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the worker passes it by name
    return func.HttpResponse(_document(), mimetype="application/json", headers={"Access-Control-Allow-Origin": "*"})


@cache
def _document() -> bytes:
    return (Path(__file__).resolve().parent.parent / "openapi.json").read_bytes()
