"""Stand-ins for the messages that the Functions host and its Python worker exchange.

`azure_functions_runtime` never imports protobuf: it takes requests as objects and builds its replies from a namespace
that the caller passes in. These classes are that namespace. They hold what they are given and answer None for the rest,
as an unset protobuf field would read as empty. The names are the library's, not ours.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

_DATA_FIELDS = ("http", "bytes", "json")


class Message:
    """Any message: keyword arguments become fields."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        # The library probes for `TypedData` to tell a wrapper from the data, and Python probes for dunder names.
        if name == "TypedData" or name.startswith("__"):
            raise AttributeError(name)
        return None


class TypedData(Message):
    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - protobuf's name
        return next((field for field in _DATA_FIELDS if field in self.__dict__), None)


class ParameterBinding(Message):
    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


class BindingInfo(Message):
    undefined = -1
    out = 1
    inout = 2


setattr(BindingInfo, "in", 0)  # a keyword in Python, a value in the protocol


class StatusResult(Message):
    Failure = 0
    Success = 1
    Cancelled = 2


_PLAIN = (
    "FunctionMetadataResponse",
    "InvocationResponse",
    "RpcException",
    "RpcFunctionMetadata",
    "RpcRetryOptions",
    "WorkerInitResponse",
    "WorkerMetadata",
)
"""Those that an app of HTTP functions and timers meets."""

NAMESPACE = SimpleNamespace(
    TypedData=TypedData,
    ParameterBinding=ParameterBinding,
    BindingInfo=BindingInfo,
    StatusResult=StatusResult,
    **{name: type(name, (Message,), {}) for name in _PLAIN},
)
