"""The server behind HTTP streams, joined with Microsoft's own code for it, over real connections."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Any
from uuid import uuid4

import azure.functions as func
import pytest
from azure_functions_runtime import http_v2

from shared.domain.errors import TimbreError
from shared.http import errors, streams
from shared.http.streams import RequestLost, StreamResponse, WebApp, WebServer, register
from shared.http.uploads import BodySpace, StreamRequest
from tests.in_process import Answer, stream_request

MEBIBYTE = 1024 * 1024
PATIENCE_SECONDS = 30.0

Work = Callable[[StreamRequest], Awaitable[func.HttpResponse]]


@dataclass(frozen=True)
class Served:
    """``loop`` runs the server, as the worker's loop does."""

    loop: asyncio.AbstractEventLoop
    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def invoke(self, work: Work) -> str:
        """What the worker does for an invocation of the host; returns its id."""
        invocation_id = str(uuid4())
        asyncio.run_coroutine_threadsafe(_invoked(invocation_id, work), self.loop)
        return invocation_id


async def _invoked(invocation_id: str, work: Work) -> None:
    request = await http_v2.http_coordinator.get_http_request_async(invocation_id)
    try:
        outcome: object = await _function(work)(request, None)
    except Exception as error:  # noqa: BLE001  as the worker does
        outcome = error
    http_v2.http_coordinator.set_http_response(invocation_id, outcome)


def _function(work: Work) -> Callable[[StreamRequest, Any], Awaitable[StreamResponse]]:
    blueprint, app = func.Blueprint(), func.FunctionApp()
    register(blueprint, "tried", "tried", ["POST"], func.AuthLevel.ANONYMOUS, work)
    app.register_functions(blueprint)
    found: Any = app.get_functions()[0].get_user_function()
    return found  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def served() -> Served:
    """For the rest of this process: the worker never stops its server either."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()

    async def start() -> str:
        assert http_v2.HttpV2Registry.http_v2_enabled()
        return str(http_v2.initialize_http_server("127.0.0.1"))

    address = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE_SECONDS)
    return Served(loop, int(address.rpartition(":")[2]))


async def echo(request: StreamRequest) -> func.HttpResponse:
    """The body, or why not."""
    try:
        return func.HttpResponse((await request.whole()).get_body())
    except TimbreError as error:
        return errors.reply(error, errors.V1).response({})


def call(
    served: Served, method: str, invocation_id: str, body: bytes | Iterator[bytes] | None = None, **headers: str
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, "/tried", body, {"x-ms-invocation-id": invocation_id, **headers})
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    finally:
        connection.close()


def kept(invocation_id: str) -> bool:
    return invocation_id in http_v2.http_coordinator._context_references


def test_a_chunked_body_arrives_and_the_answer_has_its_length(served: Served) -> None:
    body = bytes(range(256)) * 10_000
    pieces = iter([body[start : start + 70_000] for start in range(0, len(body), 70_000)])
    answer = call(served, "POST", served.invoke(echo), pieces)
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(body)))
    assert answer.body == body


def test_an_answer_to_head_has_the_length_and_no_body_and_204_neither_and_the_connection_goes_on(
    served: Served,
) -> None:
    async def five(_: StreamRequest) -> func.HttpResponse:
        return func.HttpResponse(b"12345")

    async def nothing(_: StreamRequest) -> func.HttpResponse:
        return func.HttpResponse(status_code=204)

    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)
    for method, work, status, length in (("HEAD", five, 200, "5"), *2 * [("DELETE", nothing, 204, None)]):
        connection.request(method, "/tried", headers={"x-ms-invocation-id": served.invoke(work)})
        response = connection.getresponse()
        assert (response.status, response.getheader("content-length"), response.read()) == (status, length, b"")
    connection.close()


def test_after_an_early_answer_the_rest_of_the_body_is_thrown_away_and_the_connection_goes_on(served: Served) -> None:
    async def refuse(_: StreamRequest) -> func.HttpResponse:
        return func.HttpResponse(b"no", status_code=401)

    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)
    body = bytes(3 * MEBIBYTE)
    for _ in range(2):
        connection.request("POST", "/tried", body, {"x-ms-invocation-id": served.invoke(refuse)})
        response = connection.getresponse()
        assert (response.status, response.read()) == (401, b"no")
    connection.close()


def test_a_client_that_goes_away_ends_its_function_too(served: Served) -> None:
    seen: list[TimbreError] = []

    async def work(request: StreamRequest) -> func.HttpResponse:
        try:
            await request.whole()
        except TimbreError as error:
            seen.append(error)
        return func.HttpResponse()

    invocation_id = served.invoke(work)
    with served.connect() as connection:
        head = f"POST /tried HTTP/1.1\r\nHost: x\r\nx-ms-invocation-id: {invocation_id}\r\nContent-Length: 9\r\n\r\nabc"
        connection.sendall(head.encode())
        wait_until(lambda: kept(invocation_id))
    wait_until(lambda: not kept(invocation_id))
    assert [str(error) for error in seen] == ["The request body ended early. Received 3 of 9 bytes."]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.01)


def test_a_head_as_long_as_the_host_lets_through_arrives(served: Served) -> None:
    long = {f"x-long-{number}": "a" * 8_000 for number in range(5)}
    assert call(served, "POST", served.invoke(echo), b"abc", **long).body == b"abc"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_without_an_invocation_is_500_in_json(served: Served, method: str) -> None:
    with served.connect() as connection:
        connection.sendall(f"{method} /tried HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".encode())
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        assert (response.status, response.getheader("content-type")) == (500, "application/json; charset=utf-8")
        assert json.loads(response.read())["error"]["code"] == "InternalServerError"


def test_a_function_that_raises_is_500_in_json_without_the_reason(served: Served) -> None:
    async def work(_: StreamRequest) -> func.HttpResponse:
        raise KeyError("what was sent")

    answer = call(served, "POST", served.invoke(work), b"abc")
    assert (answer.status, answer.json["error"]["code"]) == (500, "InternalServerError")
    assert b"what was sent" not in answer.body


@pytest.mark.parametrize("fails", [False, True], ids=["answered", "failed"])
def test_the_worker_forgets_a_request_that_has_ended(served: Served, fails: bool) -> None:
    """It would keep each for ever. Where this fails, Microsoft's library has changed: see ``WebApp._forget``."""
    seen: list[bool] = []
    invocation_id = str(uuid4())

    async def work(_: StreamRequest) -> func.HttpResponse:
        seen.append(kept(invocation_id))
        if fails:
            raise KeyError
        return func.HttpResponse()

    asyncio.run_coroutine_threadsafe(_invoked(invocation_id, work), served.loop)
    call(served, "GET", invocation_id)
    wait_until(lambda: not kept(invocation_id))
    assert seen == [True]
    assert http_v2.http_coordinator._context_references == {}


def test_an_invocation_whose_request_does_not_come_ends(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "ARRIVAL_SECONDS", 0.05)
    invocation_id = str(uuid4())
    waiting = asyncio.run_coroutine_threadsafe(_invoked(invocation_id, echo), served.loop)
    with pytest.raises(RequestLost):
        waiting.result(PATIENCE_SECONDS)
    wait_until(lambda: not kept(invocation_id))


@pytest.mark.parametrize("fails", [False, True])
def test_the_space_of_a_body_is_free_again_however_its_function_ends(fails: bool) -> None:
    async def work(request: StreamRequest) -> func.HttpResponse:
        body = (await request.whole()).get_body()
        if fails:
            raise KeyError
        return func.HttpResponse(body)

    space = BodySpace(10)
    request, connection = stream_request("POST", "/", {"Transfer-Encoding": "chunked"}, [b"abc"], space=space)

    async def run() -> object:
        return await _function(work)(request, None)

    try:
        asyncio.run(run())
        assert connection.answer.body == b"abc"
    except KeyError:
        assert fails
    assert space.free == 10


def test_an_answers_body_does_not_wait_for_the_acknowledgement_of_its_head() -> None:
    """Both are written one after the other: with Nagle's algorithm the second waits 40 ms for the other side."""
    server = WebServer("127.0.0.1", 0, WebApp())
    with server._socket as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
