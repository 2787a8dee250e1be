"""How v2.0 and 2021-09-05 answer errors; what else they read and write is tried over HTTP in `tests/api`."""

from __future__ import annotations

import pytest

from shared.domain.errors import AudioTooLong, ProfileNotFound
from shared.domain.limits import AudioRules
from shared.http.v2 import V2
from shared.http.v2021 import V2021, Extension
from tests.unit.http.calls import ID, call

INDEPENDENT = {"family": "verification", "mode": "text-independent"}
DEPENDENT = {"family": "verification", "mode": "text-dependent"}
IDENTIFICATION = {"family": "identification", "mode": "text-independent"}


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


@pytest.mark.parametrize(
    ("api", "phrase_enroll_db", "free_db"), [(V2(), 10.0, 0.0), (V2021(), 2.0, 2.0)], ids=["v2.0", "2021-09-05"]
)
def test_each_operation_holds_recordings_to_the_contract(api: V2, phrase_enroll_db: float, free_db: float) -> None:
    free, short = AudioRules(1.0, 120.0, 4.0, free_db), AudioRules(1.0, 120.0, 0.5, free_db)
    ids, is_short = f"profileIds={ID}", "ignoreMinLength=true"
    for route, enroll in ((DEPENDENT, AudioRules(1.0, 10.0, 0.5, phrase_enroll_db)), (INDEPENDENT, short)):
        asked = call(api, "enroll", **route)
        assert api.enroll_rules(asked, api.kind(asked)).audio == enroll

    verify = call(api, "verify", profileId=ID, **DEPENDENT)
    assert api.read_verify(verify).rules == AudioRules(1.0, 10.0, 0.5, 10.0)
    for query, rules in (("", free), (is_short, short)):
        assert api.read_verify(call(api, "verify", query, profileId=ID, **INDEPENDENT)).rules == rules
        identify = call(api, "identify", "&".join(filter(None, (ids, query))), **IDENTIFICATION)
        assert api.read_identify(identify).rules == rules
