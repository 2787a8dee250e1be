"""The threads that run handlers: one pool of ``PYTHON_THREADPOOL_THREAD_COUNT``, apart from the worker's for timers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import cache, partial
from typing import Any, Final, TypeVar

import azure.functions as func

from shared import config

Result = TypeVar("Result")

INVOCATION: Final[ContextVar[func.Context | None]] = ContextVar("invocation", default=None)
"""What the worker calls the request at hand."""


async def on_thread(work: Callable[[], Result], threads: ThreadPoolExecutor | None = None) -> Result:
    """Run blocking work on a thread of ``PYTHON_THREADPOOL_THREAD_COUNT`` (or of ``threads``), with the measurement of
    the request and the name of its invocation."""
    named = partial(copy_context().run, _as_invocation, work)
    return await asyncio.get_running_loop().run_in_executor(threads or _threads(), named)


def _as_invocation(work: Callable[[], Result]) -> Result:
    """The host drops log lines that do not name their invocation. The worker looks for its id where the guide for
    Python functions says it shall stand on threads that the app starts."""
    invocation = INVOCATION.get()
    if invocation is None:
        return work()
    here: Any = invocation.thread_local_storage
    here.invocation_id = invocation.invocation_id
    try:
        return work()
    finally:
        here.invocation_id = None


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(config.threads(os.environ), thread_name_prefix="request")
