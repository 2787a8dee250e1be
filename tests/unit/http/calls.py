"""Authenticated requests to one generation, over the real object graph on stores in memory; no model is loaded."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import azure.functions as func

from shared import config
from shared.bootstrap import Services, assemble
from shared.domain.access import AccessKey, Role
from shared.domain.audit import Actor, Caller, via_key
from shared.domain.subscription import Subscription
from shared.http.api import Api, Call
from shared.storage.backend.memory import MemoryClock
from tests.unit.services.spoken import World

ID = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"
CREATED = datetime(2020, 1, 29, 22, 48, 17, 7_000, tzinfo=UTC)
USED = datetime(2020, 1, 31, 0, 0, 0, tzinfo=UTC)


def services() -> Services:
    settings = {
        "VOICE_STORAGE": "AccountName=unused;AccountKey=dW51c2Vk",
        "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(bytes(32)).decode(),
    }
    return assemble(config.read(settings), World().stores, MemoryClock())


def call(api: Api, operation: str, query: str = "", *, method: str = "POST", **route: str) -> Call:
    params = dict(pair.split("=") for pair in query.split("&")) if query else {}
    request = func.HttpRequest(method, "http://127.0.0.1:7071/x", params=params, route_params=route, body=b"audio")
    caller = Caller(Subscription("mine"), Actor(via_key("primary"), "request"), AccessKey("primary", Role.MANAGE))
    return Call(request, services(), caller, api, operation, CREATED)
