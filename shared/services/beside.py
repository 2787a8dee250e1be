"""Storage is asked on another thread while this one works on the recording: neither waits for the other.

Listening to four seconds takes longer than a row takes to come from a storage account across a network, so a read costs
a request next to nothing (``docs/internals/round-trips.md`` has the figures).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from shared.domain.measurement import stage
from shared.domain.threads import for_this_request

Asked = TypeVar("Asked")
Worked = TypeVar("Worked")

ASKING: Final = 32
"""Requests that ask at once, in one process; a further one waits for its turn."""

_threads: Final = ThreadPoolExecutor(ASKING, thread_name_prefix="ask-storage")


def beside(ask: Callable[[], Asked], work: Callable[[], Worked]) -> tuple[Asked, Worked]:
    """What both return, when both are done.

    Of two errors the one of ``ask`` is raised: it counts as having been done first. Only the time that is spent waiting
    for it is measured as storage's.
    """
    asking = _threads.submit(for_this_request(ask))
    try:
        worked = work()
    except Exception:
        _waited_for(asking)
        raise
    return _waited_for(asking), worked


def _waited_for(asking: Future[Asked]) -> Asked:
    with stage("store"):
        return asking.result()
