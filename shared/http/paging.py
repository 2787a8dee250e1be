"""Pages of what Timbre adds: ``maxpagesize``, ``continuationToken``, ``nextLink``, as in 2021-09-05.

A token is where the next page starts, in base64; what a caller made up itself is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote, urlencode, urlsplit

import azure.functions as func

from shared.domain.errors import ContinuationInvalid
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE
from shared.http.request import parameter, whole_number

SIZE = "maxpagesize"
TOKEN = "continuationToken"  # noqa: S105  the name of a parameter


def page_size(request: func.HttpRequest) -> int:
    """Raises ``ParameterInvalid``."""
    rule = f"Value should be positive integer in the range [1, {MAX_PAGE}]."
    return whole_number(SIZE, parameter(request, SIZE), rule, MAX_PAGE) or DEFAULT_PAGE


def position(request: func.HttpRequest, admitted: re.Pattern[str]) -> str | None:
    """Where the page starts; ``admitted`` is what such a place looks like. Raises ``ContinuationInvalid``."""
    token = parameter(request, TOKEN)
    if not token:
        return None
    try:
        place = base64.urlsafe_b64decode(token.encode("ascii") + b"==").decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise ContinuationInvalid(TOKEN) from error
    if not admitted.fullmatch(place):
        raise ContinuationInvalid(TOKEN)
    return place


def next_link(base_url: str, request: func.HttpRequest, place: str) -> str:
    """The request's own URL, on the base that the client can reach, with the token for what follows."""
    kept = {name: value for name, value in request.params.items() if name.lower() != TOKEN.lower()}
    token = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    path = quote(urlsplit(request.url).path, safe="/:%")
    return f"{base_url}{path}?{urlencode({**kept, TOKEN: token})}"
