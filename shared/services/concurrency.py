"""Storage answers on another thread while the request's own thread works on the recording.

Listening to four seconds takes longer than a row takes to come from a storage account across a network, so a read costs
a request next to nothing (``docs/internals/round-trips.md`` has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

from shared.domain.measurement import stage
from shared.domain.threads import for_this_request

P = ParamSpec("P")
R = TypeVar("R")

MAX_CALLS: Final = 32
"""Calls to storage at once, in one process; a further one waits for its turn."""

_threads: Final = ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="storage-call")


@contextmanager
def concurrently(storage_call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Iterator[Future[R]]:
    """Makes the call on another thread while the block runs. After the block its result is there.

    Of two errors that of the call is raised: it counts as having been made first. Only the time that the block's thread
    waits for it is measured as storage's.
    """
    future = _threads.submit(for_this_request(storage_call), *args, **kwargs)
    try:
        yield future
    finally:
        with stage("store"):
            future.result()
