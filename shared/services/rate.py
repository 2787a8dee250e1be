"""How many requests a subscription may send: a bucket of tokens for each, in each worker process.

A bucket fills with the subscription's rate and holds what comes in ``BURST_SECONDS``. No request costs a call to
storage, and instances know nothing of each other: ``docs/internals/admission.md`` says what that promises.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from shared.domain.errors import RateExceeded

BURST_SECONDS: Final = 2.0
"""After a pause so much comes at once: an app that starts asks for several things."""

MAX_BUCKETS: Final = 10_000
"""Subscriptions that are remembered; the one unused for longest is forgotten, and starts with a full bucket."""


class RateLimit:
    """``default`` is the rate of a subscription without one of its own, None for no limit; ``monotonic`` gives seconds
    that never run backwards."""

    def __init__(self, default: float | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._default, self._monotonic = default, monotonic
        self._lock = Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, subscription_id: str, own: float | None) -> None:
        """Count one request in. ``RateExceeded`` says when there will be room for one."""
        rate = own or self._default
        if rate is None:
            return
        most = max(1.0, rate * BURST_SECONDS)
        with self._lock:
            now = self._monotonic()
            tokens, at = self._buckets.pop(subscription_id, (most, now))
            tokens = min(most, tokens + (now - at) * rate)
            granted = tokens >= 1.0
            self._buckets[subscription_id] = (tokens - 1.0 if granted else tokens, now)
            while len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        if not granted:
            raise RateExceeded(max(1, math.ceil((1.0 - tokens) / rate)))
