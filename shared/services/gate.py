"""How many requests are worked on at once, and how many may wait for their turn.

Work on recordings is bound by processors: more of it at once makes each request slower, and none faster. So a few
requests are worked on, a few wait in the order of their arrival, not for long, and the others are refused at once. A
refusal costs next to nothing, so that a flood of requests takes no time from those that are let in. A request that
waits holds no thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.domain.errors import ServiceBusy

RETRY_AFTER_SECONDS: Final = 1
"""By then everything that waits now has been done, or refused."""


class Gate:
    """``at_once`` requests (at least 1) are worked on, ``waiting`` more wait for ``wait_seconds`` at most.

    Used by one event loop.
    """

    def __init__(self, at_once: int, waiting: int, wait_seconds: float) -> None:
        self._free, self._most, self._wait_seconds = at_once, waiting, wait_seconds
        self._queue: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """The work is done in the block. Raises ``ServiceBusy`` before it, when no place is free in time."""
        await self._enter()
        try:
            yield
        finally:
            self._leave()

    async def _enter(self) -> None:
        if self._free > 0:
            self._free -= 1
            return
        if len(self._queue) >= self._most:
            raise ServiceBusy(RETRY_AFTER_SECONDS)
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await asyncio.wait([turn], timeout=self._wait_seconds)
        except asyncio.CancelledError:
            self._leave() if turn.done() else self._queue.remove(turn)
            raise
        if not turn.done():
            self._queue.remove(turn)
            raise ServiceBusy(RETRY_AFTER_SECONDS)

    def _leave(self) -> None:
        """A place goes straight to the request that has waited for longest: a newcomer cannot overtake."""
        if self._queue:
            self._queue.popleft().set_result(None)
        else:
            self._free += 1
