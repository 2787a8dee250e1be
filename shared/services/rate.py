"""How many requests a subscription may send: a bucket of tokens for each, in each instance.

A bucket fills with the subscription's rate divided by the number of instances at work (``presence.py``) and holds what
comes in ``BURST_SECONDS``. So no request costs a write, and the limit holds over all instances as far as the balancer
spreads the requests evenly and the number is right; ``docs/internals/admission.md`` states the bound.
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
    """``default`` is the rate of a subscription without one of its own, None for no limit; ``instances`` the number of
    instances at work; ``monotonic`` seconds that never run backwards."""

    def __init__(
        self,
        default: float | None,
        instances: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._default, self._instances, self._monotonic = default, instances, monotonic
        self._lock = Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, subscription_id: str, own: float | None) -> None:
        """Count one request in. ``RateExceeded`` says when there will be room for one."""
        rate = own or self._default
        if rate is None:
            return
        rate /= max(1, self._instances())
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
