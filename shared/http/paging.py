"""Pages of what Timbre adds: ``maxpagesize``, ``continuationToken``, ``nextLink``, as in 2021-09-05.

A token is where the next page starts, in base64; what a caller made up itself is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import azure.functions as func

from shared.domain.errors import ContinuationInvalid
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE
from shared.domain.page import Page
from shared.http.request import parameter, whole_number

SIZE = "maxpagesize"
TOKEN = "continuationToken"  # noqa: S105  the name of a parameter
T = TypeVar("T")


class PagedCall(Protocol):
    @property
    def request(self) -> func.HttpRequest: ...

    @property
    def base_url(self) -> str: ...


def read_page(call: PagedCall, place: re.Pattern[str]) -> tuple[str | None, int]:
    """Where the page starts, which must look like ``place``, and how many items it has at most.

    Raises ``ContinuationInvalid``, ``ParameterInvalid``.
    """
    after = _place(parameter(call.request, TOKEN), place)
    rule = f"Value should be positive integer in the range [1, {MAX_PAGE}]."
    return after, whole_number(SIZE, parameter(call.request, SIZE), rule, MAX_PAGE) or DEFAULT_PAGE


def write_page(
    call: PagedCall, page: Page[T], written: Callable[[T], object], name: str = "value"
) -> dict[str, object]:
    """The items under ``name``, and the link to what follows them. Raises ``HostNotAllowed``."""
    body: dict[str, object] = {name: [written(item) for item in page.items]}
    return body if page.after is None else {**body, "nextLink": _next_link(call, page.after)}


def _place(token: str | None, admitted: re.Pattern[str]) -> str | None:
    if not token:
        return None
    try:
        place = base64.urlsafe_b64decode(token.encode("ascii") + b"==").decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise ContinuationInvalid(TOKEN) from error
    if not admitted.fullmatch(place):
        raise ContinuationInvalid(TOKEN)
    return place


def _next_link(call: PagedCall, place: str) -> str:
    """The request's own URL, on the base that the client can reach, with the token for what follows."""
    kept = {name: value for name, value in call.request.params.items() if name.lower() != TOKEN.lower()}
    token = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    path = quote(urlsplit(call.request.url).path, safe="/:%")
    return f"{call.base_url}{path}?{urlencode({**kept, TOKEN: token})}"
