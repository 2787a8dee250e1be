"""The app inside this process, indexed and invoked by Microsoft's own worker library.

The library keeps one app per process in module globals, so there is one `Worker` per process too.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from localhost.failure import CannotStart
from localhost.protos import NAMESPACE, Message, ParameterBinding, TypedData


@dataclass(frozen=True)
class Function:
    """An indexed function. `trigger` is its trigger binding as `func` would write it into function.json."""

    name: str
    function_id: str
    trigger: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.trigger["type"])

    @property
    def is_http(self) -> bool:
        return self.kind == "httpTrigger"

    @property
    def route(self) -> str:
        return str(self.trigger["route"])

    @property
    def methods(self) -> frozenset[str]:
        return frozenset(str(method).upper() for method in self.trigger["methods"])


class FunctionFailed(Exception):
    """The function raised. `trace` is for the log, never for the wire."""

    def __init__(self, trace: str) -> None:
        super().__init__("the function raised")
        self.trace = trace


class Worker:
    http_url: str
    """Where the app's own HTTP server listens, known once the app is indexed."""

    async def index(self, app_folder: Path) -> list[Function]:
        """Import `function_app.py` and read its functions. Raises `CannotStart` with the worker's own sentence."""
        if not (app_folder / "function_app.py").exists():
            raise CannotStart(f"There is no function_app.py in {app_folder}.")
        sys.path.insert(0, str(app_folder))
        os.chdir(app_folder)
        runtime.start_threadpool_executor()  # timers run here; requests on the app's own threads
        init = SimpleNamespace(capabilities={}, function_app_directory=str(app_folder))
        reply = await runtime.worker_init_request(_request(worker_init_request=init))
        _check_indexed(reply.result)
        try:
            self.http_url = reply.capabilities["HttpUri"]
        except KeyError:
            raise CannotStart("The function app has no HTTP streams, which this host needs.") from None
        reply = await runtime.functions_metadata_request(_request())
        return [_function(metadata) for metadata in reply.function_metadata_results or []]

    async def call(self, function: Function, invocation_id: str, route_values: Mapping[str, str]) -> None:
        """Invoke an HTTP function; the request itself goes to `http_url`. Raises `FunctionFailed`."""
        http = Message(method="", url="", headers={}, params=route_values, query={}, body=TypedData(bytes=b""))
        await self._invoke(function, TypedData(http=http), invocation_id)

    async def fire(self, function: Function) -> None:
        """Invoke a timer. Raises `FunctionFailed`."""
        timer = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
        await self._invoke(function, TypedData(json=json.dumps(timer)), str(uuid.uuid4()))

    async def _invoke(self, function: Function, data: TypedData, invocation_id: str) -> None:
        invocation = Message(
            invocation_id=invocation_id,
            function_id=function.function_id,
            input_data=[ParameterBinding(name=function.trigger["name"], data=data)],
            trigger_metadata={},
            trace_context=Message(trace_parent="", trace_state="", attributes={}),
            retry_context=Message(retry_count=0, max_retry_count=0),
        )
        reply = await runtime.invocation_request(_request(invocation_request=invocation))
        if reply.result.status != NAMESPACE.StatusResult.Success:
            raise FunctionFailed(reply.result.exception.stack_trace)


def _request(**messages: Any) -> SimpleNamespace:
    properties = {"host": "127.0.0.1", "protos": NAMESPACE}
    return SimpleNamespace(request=SimpleNamespace(**messages), properties=properties)


def _check_indexed(result: Any) -> None:
    if result.status == NAMESPACE.StatusResult.Success:
        return
    print(result.exception.stack_trace, file=sys.stderr)
    # The library appends advice about Azure and the whole sys.path to an import error.
    reason = result.exception.message.split(". Cannot find module.")[0].splitlines()[0]
    raise CannotStart(f"The function app does not load: {reason}")


def _function(metadata: Any) -> Function:
    bindings = [json.loads(binding) for binding in metadata.raw_bindings]
    trigger = next(binding for binding in bindings if binding["type"].lower().endswith("trigger"))
    return Function(metadata.name, metadata.function_id, trigger)
