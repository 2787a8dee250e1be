"""The root of the hierarchy, and how its sentences show numbers and what was received."""

from __future__ import annotations


class TimbreError(Exception):
    """Root of everything that Timbre raises on purpose."""


def number(value: float) -> str:
    """``1`` rather than ``1.0``, as the retired service wrote its limits."""
    return f"{value:g}"


def shown(received: str, longest: int = 64) -> str:
    """What the caller sent, quoted and cut, so that an error cannot be made to carry a novel."""
    cut = received if len(received) <= longest else received[: longest - 1] + "…"
    return '"' + cut.replace('"', "'") + '"'
