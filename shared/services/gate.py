"""How many requests are worked on at once, and how many may wait for their turn.

Work on recordings is bound by processors: more of it at once makes each request slower, and none faster. So a few
requests are worked on, a few wait in the order of their arrival, not for long, and the others are refused at once. A
refusal costs next to nothing, so that a flood of requests takes no time from those that are let in. A request that
waits holds no thread.

The places are shared: where none is free, the subscription that holds the most gives one up to another that holds
fewer. So a flood of one subscription's requests keeps nobody else out.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import ServiceBusy

RETRY_AFTER_SECONDS: Final = 1
"""By then everything that waits now has been done, or refused."""

TURNS_RETRY_AFTER_SECONDS: Final = 5
"""Our choice: a third of what five minutes of turns may take."""


@dataclass(frozen=True, eq=False)
class _Turn:
    """``called_in`` is True when it is called in, False when it has to make room for another subscription."""

    subscription_id: str
    called_in: asyncio.Future[bool]


class Gate:
    """``at_once`` requests (at least 1) are worked on, ``waiting`` more wait for ``wait_seconds`` at most.

    Used by one event loop.
    """

    def __init__(self, at_once: int, waiting: int, wait_seconds: float) -> None:
        self._free, self._most, self._wait_seconds = at_once, waiting, wait_seconds
        self._queue: deque[_Turn] = deque()
        self._at_work: Counter[str] = Counter()
        """Requests of each subscription."""

    @asynccontextmanager
    async def admitted(self, subscription_id: str) -> AsyncIterator[None]:
        """The work is done in the block. Raises ``ServiceBusy`` before it, when no place is free in time."""
        await self._enter(subscription_id)
        try:
            yield
        finally:
            self._leave(subscription_id)

    async def _enter(self, subscription_id: str) -> None:
        if self._free > 0:
            self._free -= 1
            self._at_work[subscription_id] += 1
            return
        if len(self._queue) >= self._most:
            self._make_room(subscription_id)
        turn = _Turn(subscription_id, asyncio.get_running_loop().create_future())
        self._queue.append(turn)
        try:
            await asyncio.wait([turn.called_in], timeout=self._wait_seconds)
        except asyncio.CancelledError:
            if self._is_called_in(turn):
                self._leave(subscription_id)
            raise
        if not self._is_called_in(turn):
            raise ServiceBusy(RETRY_AFTER_SECONDS)

    def _is_called_in(self, turn: _Turn) -> bool:
        """One that nobody has called leaves the queue."""
        if turn.called_in.done():
            return turn.called_in.result()
        self._queue.remove(turn)
        return False

    def _make_room(self, subscription_id: str) -> None:
        """The newest request goes of the subscription that holds the most places, and keeps at least as many as the
        newcomer's then has: otherwise the two would drive each other out in turns. Else raises ``ServiceBusy``.
        """
        held = self._at_work + Counter(turn.subscription_id for turn in self._queue)
        newest = max(reversed(self._queue), key=lambda turn: held[turn.subscription_id], default=None)
        if newest is None or held[newest.subscription_id] <= held[subscription_id] + 1:
            raise ServiceBusy(RETRY_AFTER_SECONDS)
        self._queue.remove(newest)
        newest.called_in.set_result(False)

    def _leave(self, subscription_id: str) -> None:
        """A place goes straight to the request that has waited for longest: a newcomer cannot overtake."""
        self._at_work -= Counter([subscription_id])  # those that are left with none are forgotten
        if self._queue:
            turn = self._queue.popleft()
            self._at_work[turn.subscription_id] += 1
            turn.called_in.set_result(True)
        else:
            self._free += 1


class OneAtATime:
    """Admits one work of its kind to the process and refuses others at once, apart from the gate: work that takes long
    keeps no place from the short. Used on any thread."""

    def __init__(self, retry_after_seconds: int) -> None:
        self._at_work, self._retry_after_seconds = threading.Lock(), retry_after_seconds

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """The work is done in the block. Raises ``ServiceBusy`` before it."""
        if not self._at_work.acquire(blocking=False):
            raise ServiceBusy(self._retry_after_seconds)
        try:
            yield
        finally:
            self._at_work.release()
