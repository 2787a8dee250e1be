"""What every HTTP function has in common: preflight, the key, errors to the wire, response headers."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import unquote

import azure.functions as func

from shared.bootstrap import Services, services
from shared.domain.access import Role
from shared.domain.audit import MANAGEMENT, Actor, Caller, via_management
from shared.domain.errors import TimbreError
from shared.domain.token import TokenOperation
from shared.http import errors, streams
from shared.http.api import Api, Call
from shared.http.callers import caller_of
from shared.http.details import refusal
from shared.http.management import ManagementCall
from shared.http.origins import cors_headers, preflight_headers
from shared.http.reply import Reply, base_url
from shared.http.streams import Answering, on_thread
from shared.http.tokens import ADMITTED
from shared.http.uploads import StreamRequest
from shared.http.v1 import V1
from shared.http.v2 import V2
from shared.http.v2021 import V2021, Extension
from shared.services.measure import measured, note_refusal

APIS: Final[tuple[Api, ...]] = (V1(), V2(), V2021(), Extension())
"""The generations of the API that are served, and what Timbre adds."""

MEASURED: Final = frozenset({"enroll", "verify", "identify", "identifyTurns"})
"""The operations that listen to a recording: each leaves a line in the log."""

AT_THE_GATE: Final = frozenset({"enroll", "verify", "identify", "label"})
"""Only so many of these are worked on at once: of transcripts the longest takes two seconds. Turns take longer, and
have an admission of their own."""

REQUEST_ID: Final = "apim-request-id"

_PARAMETER: Final = re.compile(r"\{(\w+)(?::regex\(\^(.*?)\$\))?\}")

Handler = Callable[[Call], Reply]
ManagementHandler = Callable[[ManagementCall], Reply]
"""Handlers are plain functions. They run on a thread, when the whole request is here."""


@dataclass(frozen=True)
class Route:
    """What answers at a route template: literals, ``{name}`` and ``{name:regex(^...$)}``, and nothing else."""

    template: str
    methods: frozenset[str]
    answering: Answering

    def values(self, path: str) -> dict[str, str] | None:
        """The route parameters in a path without leading slash; literals match in any case, a last slash is ignored."""
        match = re.fullmatch(_pattern(self.template), path.removesuffix("/"), re.IGNORECASE)
        return {name: unquote(value) for name, value in match.groupdict().items()} if match else None


blueprint: Final = func.Blueprint()
"""Of every HTTP function; filled while the function modules are imported."""

ROUTES: Final[list[Route]] = []
"""Of every function that a subscription key opens; filled likewise."""


def endpoint(operation: str, roles: Mapping[str, Role]) -> Callable[[Handler], Handler]:
    """Register a handler as an HTTP function of every API that has the operation. ``roles`` are what its methods take.

    The functions host lets everybody through (authentication level anonymous): the subscription key is ours to check.
    The handler itself stays callable as it is.
    """

    def register(handler: Handler) -> Handler:
        admitted = [*roles, "OPTIONS"]
        for api in APIS:
            if operation in api.routes:
                template, answering = api.routes[operation], _answering(handler, api, operation, roles)
                name = operation + api.suffix
                streams.register(blueprint, name, template, admitted, func.AuthLevel.ANONYMOUS, answering)
                ROUTES.append(Route(template, frozenset(admitted), answering))
        return handler

    return register


def management_endpoint(
    name: str, template: str, methods: Sequence[str]
) -> Callable[[ManagementHandler], ManagementHandler]:
    """Register a handler as a function that the functions host lets nobody reach without the function key.

    It is not in ``ROUTES``, which is open to everybody. And no page of another origin may call it.
    """

    def register(handler: ManagementHandler) -> ManagementHandler:
        async def answer(request: StreamRequest) -> func.HttpResponse:
            request_id = str(uuid.uuid4())
            return (await _manage(handler, request, request_id)).response({REQUEST_ID: request_id})

        streams.register(blueprint, name, template, methods, func.AuthLevel.FUNCTION, answer)
        return handler

    return register


def open_endpoint(name: str, template: str, methods: Sequence[str]) -> Callable[[Answering], Answering]:
    """Register what answers without any key, on the event loop: it must not block."""

    def register(answer: Answering) -> Answering:
        streams.register(blueprint, name, template, methods, func.AuthLevel.ANONYMOUS, answer)
        return answer

    return register


def response_headers(request: StreamRequest) -> dict[str, str]:
    """Of every answer that a browser app may read, with a new request id."""
    return {**cors_headers(request.headers.get("origin")), REQUEST_ID: str(uuid.uuid4())}


def _answering(handler: Handler, api: Api, operation: str, roles: Mapping[str, Role]) -> Answering:
    async def answer(request: StreamRequest) -> func.HttpResponse:
        headers = response_headers(request)
        if request.method == "OPTIONS":
            return Reply(204).response({**headers, **preflight_headers(request.headers.get("origin"))})
        needed, admitted = roles[request.method], ADMITTED.get((operation, request.method), frozenset())
        opened = partial(_open, request.headers, needed, admitted, headers[REQUEST_ID])
        return (await _answer(handler, request, api, operation, opened)).response(headers)

    return answer


async def _answer(
    handler: Handler, request: StreamRequest, api: Api, operation: str, opened: Callable[[], tuple[Services, Caller]]
) -> Reply:
    """The key and its role, the body, a place at the gate, a thread: in this order, so that nobody without a key makes
    us read a body, and nobody whose body is on its way holds a place or a thread."""
    try:
        ready, caller = await on_thread(opened)
        if request.method == "POST":  # its answer may name what it makes: refused before anything is made
            base_url(request.url, ready.config)
        whole = await request.whole()
        async with _admitted(operation, ready, caller):
            call = Call(whole, ready, caller, api, operation, ready.clock())
            return await on_thread(partial(_handle, handler, call))
    except TimbreError as error:
        return errors.reply(error, api.catalogue, operation)
    except Exception as error:  # noqa: BLE001  the last line of defence: a defect must not leak what was sent
        return errors.unexpected(error, api.catalogue)


def _open(
    headers: Mapping[str, str], needed: Role, admitted: Collection[TokenOperation], request_id: str
) -> tuple[Services, Caller]:
    """Raises ``SubscriptionUnknown``, ``TooManyWrongKeys``, ``RateExceeded``, ``RoleTooLow``, ``OutsideToken``."""
    ready = services()
    caller = caller_of(headers, ready, request_id)
    ready.rate.take(caller.subscription.subscription_id, caller.subscription.settings.requests_per_second)
    caller.require_operation(admitted)
    caller.require(needed)
    return ready, caller


@asynccontextmanager
async def _admitted(operation: str, ready: Services, caller: Caller) -> AsyncIterator[None]:
    subscription_id, request_id = caller.subscription.subscription_id, caller.actor.request_id
    with measured(operation, subscription_id, request_id) if operation in MEASURED else nullcontext():
        async with ready.gate.admitted(subscription_id) if operation in AT_THE_GATE else nullcontext():
            yield


def _handle(handler: Handler, call: Call) -> Reply:
    """On a thread: storage, decoding and the models block."""
    try:
        with call.services.tokens.used(call.caller, spends=_spends(call)):
            return handler(call)
    except TimbreError as error:
        note_refusal(error)
        return refusal(call, error)


def _spends(call: Call) -> bool:
    """Whether the request is the use of a token for one. Where a token is for the verify that a challenge is drawn for,
    that verify is."""
    for_verify = call.caller.token is not None and TokenOperation.VERIFY in call.caller.token.scope.operations
    return call.request.method != "GET" and not (call.operation == "challenges" and for_verify)


async def _manage(handler: ManagementHandler, request: StreamRequest, request_id: str) -> Reply:
    try:
        whole = await request.whole()
        actor = Actor(_operator(whole), request_id)
        return await on_thread(lambda: handler(ManagementCall(whole, services(), actor)))
    except TimbreError as error:
        return errors.reply(error, errors.PLAIN)
    except Exception as error:  # noqa: BLE001  as above
        return errors.unexpected(error, errors.PLAIN)


def _operator(request: func.HttpRequest) -> str:
    """By the key that the functions host has let through: it passes on the header or the query that had it."""
    key = request.headers.get("x-functions-key") or request.params.get("code")
    return via_management(key) if key else MANAGEMENT


def _pattern(template: str) -> str:
    pattern, at = "", 0
    for parameter in _PARAMETER.finditer(template):
        name, constraint = parameter.groups()
        pattern += f"{re.escape(template[at : parameter.start()])}(?P<{name}>{constraint or '[^/]+'})"
        at = parameter.end()
    return pattern + re.escape(template[at:])
