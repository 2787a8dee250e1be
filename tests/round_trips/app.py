"""The function app in this process, as the functions host calls it, over storage whose calls are counted."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from unittest.mock import patch
from urllib.parse import urlsplit

import azure.functions as func

from shared import bootstrap
from shared.bootstrap import Services, build
from shared.config import read
from shared.http.endpoint import Route
from shared.http.uploads import StreamRequest
from shared.storage.stores import Storage
from tests.api.every_route import UNDESCRIBED, functions, http_trigger, template
from tests.contract.cutting import Scissors
from tests.contract.stores import cutting
from tests.in_process import Answer, Function, call


@dataclass(frozen=True)
class App:
    """``calls`` are the storage calls of all threads, in the order they began."""

    services: Services
    calls: list[str] = field(repr=False)

    def call(
        self, method: str, target: str, body: bytes = b"", key: str | None = None, address: str = "192.0.2.1"
    ) -> Answer:
        """Raises ``ValueError`` where not exactly one function takes it."""
        url = urlsplit(target)
        ((function, values),) = [
            (function, values)
            for route, function in _routes()
            if method in route.methods and (values := route.values(url.path[1:])) is not None
        ]
        headers = {"X-Forwarded-For": address, **({"Ocp-Apim-Subscription-Key": key} if key else {})}
        with patch.object(bootstrap, "_services", self.services):
            return call(function, method, target, headers, body, values)

    def tick(self, timer: str) -> None:
        """Fire the timer of that name."""
        (function,) = [one for one in functions() if one.get_function_name() == timer]
        with patch.object(bootstrap, "_services", self.services):
            function.get_user_function()(None)


def app() -> App:
    """Over storage in memory of its own."""
    config = read(
        {
            "VOICE_STORAGE": "AccountName=unused;AccountKey=dW51c2Vk",
            "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(bytes(32)).decode(),
            "TIMBRE_REQUESTS_PER_SECOND": "100000",
        }
    )
    counted = Scissors()
    return App(build(config, cutting(Storage.in_memory(), counted)), counted.calls)


def _routes() -> list[tuple[Route, Function]]:
    """Every function but the last resort for paths that are none of the others'."""
    found = []
    for function in functions():
        trigger = http_trigger(function)
        if trigger and function.get_function_name() not in UNDESCRIBED:
            methods = frozenset(method.value for method in trigger["methods"])
            found.append((Route(template(trigger), methods, not_called), function.get_user_function()))
    return found


async def not_called(_: StreamRequest) -> func.HttpResponse:
    """For routes that are only compared with paths."""
    raise AssertionError("a route was called")
