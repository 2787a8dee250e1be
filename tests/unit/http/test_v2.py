"""How v2.0 and 2021-09-05 answer errors; what else they read and write is tried over HTTP in `tests/api`."""

from __future__ import annotations

import pytest

from shared.domain.errors import AudioTooLong, ProfileNotFound
from shared.http.v2 import V2
from shared.http.v2021 import V2021, Extension
from tests.unit.http.calls import ID, call

INDEPENDENT = {"family": "verification", "mode": "text-independent"}
DEPENDENT = {"family": "verification", "mode": "text-dependent"}


@pytest.mark.parametrize(
    ("api", "operation", "method", "status"),
    [
        (V2(), "profile", "DELETE", 204),
        (V2(), "profile", "GET", 404),
        (V2021(), "profile", "DELETE", 404),
        (Extension(), "consent", "DELETE", 404),
    ],
)
def test_only_in_v2_0_the_delete_of_an_absent_profile_succeeds(
    api: V2, operation: str, method: str, status: int
) -> None:
    assert api.write_error(call(api, operation, method=method), ProfileNotFound(ID)).status == status


@pytest.mark.parametrize(
    ("operation", "route", "limit"),
    [
        ("enroll", INDEPENDENT, "length per enrollment request is 120 seconds."),
        ("verify", INDEPENDENT, "length per recognition request is 120 seconds."),
        ("verify", DEPENDENT, "length is 120 seconds."),
    ],
)
def test_a_length_of_free_speech_is_per_kind_of_request(operation: str, route: dict[str, str], limit: str) -> None:
    reply = V2021().write_error(call(V2021(), operation, **route), AudioTooLong(130.0, 120.0))
    assert isinstance(reply.body, dict)
    assert (
        reply.body["statusText"] == f"Invalid audio length. Maximum allowed {limit} The recording has 130.00 seconds."
    )
