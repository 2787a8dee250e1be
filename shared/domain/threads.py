"""Work for a request on threads that are not its own."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from shared.domain.measurement import gathered

P = ParamSpec("P")
R = TypeVar("R")


def for_this_request(work: Callable[P, R]) -> Callable[P, R]:
    """The same work, for other threads, any number of times and at once: its log lines are this request's.

    Azure's worker for Python 3.13 keeps the id of an invocation in a context variable, and the host drops every line
    that comes without one (azure-functions-python-worker, issues 1158 and 1860). A tamper alarm is such a line.

    Nothing is measured there: two threads would count the same time twice.
    """
    context = copy_context()

    def in_context(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(_unmeasured, partial(work, *args, **kwargs))

    return in_context


def _unmeasured(work: Callable[[], R]) -> R:
    with gathered(None):
        return work()
