"""How many wrong keys an address may send, in each worker process: looking one up costs a call to storage.

An address is counted for a minute from its first wrong key, and then forgotten. Requests that are looked up at the same
moment all pass, so threads bound how far the number may be passed.
"""

from __future__ import annotations

import hmac
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from shared.domain.errors import SubscriptionUnknown, TooManyWrongKeys
from shared.domain.limits import WRONG_KEYS_PER_MINUTE

SECONDS: Final = 60.0

MAX_ADDRESSES: Final = 10_000
"""Addresses that are counted at a time; the one whose minute ends first is forgotten."""

_MADE: Final = re.compile(r"[0-9a-f]{64}")


def may_be_a_key(received: str, local: str | None) -> bool:
    """Whether the service can have made it, or it is the one that the operator has set for development."""
    return bool(_MADE.fullmatch(received)) or (
        local is not None and hmac.compare_digest(received.encode(), local.encode())
    )


class WrongKeys:
    """``monotonic`` gives seconds that never run backwards."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._counted: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """By address: when its minute ends, and its wrong keys; in the order of the ends."""

    @contextmanager
    def counted(self, address: str, is_known: bool) -> Iterator[None]:
        """Around the look-up of a key. ``TooManyWrongKeys`` in its place, unless the key is known to have opened."""
        if not is_known:
            self._check(address)
        try:
            yield
        except SubscriptionUnknown:
            self._count(address)
            raise

    def _check(self, address: str) -> None:
        with self._lock:
            now = self._monotonic()
            ends_at, wrong = self._counted.get(address, (now, 0))
        if wrong >= WRONG_KEYS_PER_MINUTE and now < ends_at:
            raise TooManyWrongKeys(math.ceil(ends_at - now))

    def _count(self, address: str) -> None:
        with self._lock:
            now = self._monotonic()
            while self._counted and next(iter(self._counted.values()))[0] <= now:
                self._counted.popitem(last=False)
            ends_at, wrong = self._counted.get(address, (now + SECONDS, 0))
            self._counted[address] = ends_at, wrong + 1
            while len(self._counted) > MAX_ADDRESSES:
                self._counted.popitem(last=False)
