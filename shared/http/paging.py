"""Pages of lists. A token is where the next page starts, in base64; a token of a caller's own making is refused."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from shared.domain.errors import ContinuationInvalid
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE
from shared.domain.page import Page
from shared.http.request import Received, whole_number

T = TypeVar("T")


@dataclass(frozen=True)
class PageNames:
    """Two query parameters, and the field of the answer that leads to the next page."""

    size: str
    token: str
    next_link: str


PAGE_NAMES: Final = PageNames("maxpagesize", "continuationToken", "nextLink")
"""Of 2021-09-05, and of what Timbre adds."""


def read_page(call: Received, place: re.Pattern[str], names: PageNames = PAGE_NAMES) -> tuple[str | None, int]:
    """Where the page starts, which must look like ``place``, and how many items it has at most.

    Raises ``ContinuationInvalid``, ``ParameterInvalid``.
    """
    token = call.parameter(names.token)
    after = _decoded(token, place, names.token) if token else None
    rule = f"Value should be positive integer in the range [1, {MAX_PAGE}]."
    return after, whole_number(names.size, call.parameter(names.size), rule, MAX_PAGE) or DEFAULT_PAGE


def write_page(
    call: Received, page: Page[T], written: Callable[[T], object], name: str = "value", names: PageNames = PAGE_NAMES
) -> dict[str, object]:
    """The items under ``name``, and the link to what follows them. Raises ``HostNotAllowed``."""
    body: dict[str, object] = {name: [written(item) for item in page.items]}
    if page.after is None:
        return body
    kept = {name: value for name, value in call.request.params.items() if name.lower() != names.token.lower()}
    token = base64.urlsafe_b64encode(page.after.encode()).decode().rstrip("=")
    return {**body, names.next_link: f"{own_url(call)}?{urlencode({**kept, names.token: token}, safe='$')}"}


def own_url(call: Received) -> str:
    """The request's own URL without its query, on the base that the client can reach. Raises ``HostNotAllowed``."""
    return call.base_url + quote(urlsplit(call.request.url).path, safe="/:%")


def _decoded(token: str, place: re.Pattern[str], name: str) -> str:
    try:
        after = base64.urlsafe_b64decode(token.encode("ascii") + b"==").decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise ContinuationInvalid(name) from error
    if not place.fullmatch(after):
        raise ContinuationInvalid(name)
    return after
