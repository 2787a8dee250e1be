"""The function app in this process, as the functions host calls it, over storage that notes every call."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import uuid4

import azure.functions as func

from shared import bootstrap
from shared.bootstrap import Services, build
from shared.config import read
from shared.http.routes import Route
from shared.http.streams import StreamRequest
from shared.storage.backend.ports import Rows
from shared.storage.gallery.compaction import RowCompaction
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.stores import Storage
from shared.storage.subscriptions import RowSubscriptionStore
from tests.api.every_route import functions, http_trigger, template
from tests.in_process import Answer, Function, call
from tests.round_trips.ledger import Ledger, NotingBlobs, NotingRows

MEMORY: Final = "AccountName=unused;AccountKey=dW51c2Vk"
PACK_PROFILES: Final = 4
"""So that a few profiles are packed."""

_AS_LONG_AS_THE_TEST: Final = 3_600.0
"""How long look-ups and data keys are remembered: "warm" must not depend on how fast the machine is."""


@dataclass(frozen=True)
class App:
    services: Services
    ledger: Ledger
    data_keys: DataKeys = field(repr=False)

    def call(self, method: str, target: str, body: bytes = b"", key: str | None = None) -> Answer:
        """Raises ``AssertionError`` where not exactly one function takes it."""
        url = urlsplit(target)
        takers = [
            (function, values)
            for route, function in _routes()
            if method in route.methods and (values := route.values(url.path[1:])) is not None
        ]
        ((function, values),) = takers
        headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
        with patch.object(bootstrap, "_services", self.services):
            return call(function, method, target, headers, body, values)

    def tick(self, timer: str) -> None:
        """Fire the timer of that name."""
        (function,) = [one for one in functions() if one.get_function_name() == timer]
        with patch.object(bootstrap, "_services", self.services):
            function.get_user_function()(None)


def app(connection_string: str = MEMORY, through: Callable[[Rows], Rows] = lambda rows: rows) -> App:
    """Over Azure's own clients, or over memory: in each case with tables and containers that no other one has.

    Rows are reached ``through`` what is put between.
    """
    ledger = Ledger()
    config = read(
        {
            "VOICE_STORAGE": connection_string,
            "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(bytes(32)).decode(),
            "TIMBRE_REQUESTS_PER_SECOND": "100000",
        }
    )
    config.storage.transport.session.hooks["response"].append(lambda *_, **__: ledger.note_request())
    below = Storage.in_memory() if connection_string == MEMORY else Storage.in_azure(config.storage, f"t{uuid4().hex}")
    storage = Storage(
        lambda name: NotingRows(through(below.rows(name)), name, ledger),
        lambda name: NotingBlobs(below.blobs(name), name, ledger),
    )
    services = build(config, storage)
    subscriptions, compaction = services.subscriptions, services.compact_galleries.compaction
    assert isinstance(subscriptions, RowSubscriptionStore)
    assert isinstance(compaction, RowCompaction)
    subscriptions._look_up_seconds = subscriptions._data_keys._cache_seconds = _AS_LONG_AS_THE_TEST
    compaction._pack_profiles = compaction._fewest = PACK_PROFILES
    return App(services, ledger, subscriptions._data_keys)


def _routes() -> list[tuple[Route, Function]]:
    """Every function but the last resort for paths that are none of the others'."""
    found = []
    for function in functions():
        trigger = http_trigger(function)
        if trigger and function.get_function_name() != "zz_elsewhere":
            methods = frozenset(method.value for method in trigger["methods"])
            found.append((Route(template(trigger), methods, not_called), function.get_user_function()))
    return found


async def not_called(_: StreamRequest) -> func.HttpResponse:
    """For routes that are only compared with paths."""
    raise AssertionError("a route was called")
