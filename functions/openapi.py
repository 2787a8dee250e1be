"""What this is, and the description of every operation, which the tests hold the service to."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import azure.functions as func

from shared.http import console
from shared.http.endpoint import open_endpoint
from shared.http.reply import Reply
from shared.http.uploads import StreamRequest

blueprint = func.Blueprint()

_FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*"}
_DOCS = "docs/index.md of Timbre's repository"
"""A deployment does not know where its source stands."""


@open_endpoint(blueprint, "openapi", "openapi.json", ["GET"])
async def openapi(_: StreamRequest) -> func.HttpResponse:
    return func.HttpResponse(_document(), mimetype="application/json", headers=_FROM_ANYWHERE)


@open_endpoint(blueprint, "root", "{ignored:maxlength(0)?}", ["GET", "HEAD"])
async def root(_: StreamRequest) -> func.HttpResponse:
    """A plain catch-all never gets ``/`` from the functions host; an optional parameter of no characters does."""
    service = {"service": "Timbre", "version": _version(), "openapi": "/openapi.json", "health": "/health/ready"}
    page = {"console": "/console"} if console.is_on() else {}
    return Reply(200, {**service, **page, "docs": _DOCS}).response(_FROM_ANYWHERE)


@cache
def _document() -> bytes:
    return (Path(__file__).resolve().parent.parent / "openapi.json").read_bytes()


@cache
def _version() -> str:
    return str(json.loads(_document())["info"]["version"])
