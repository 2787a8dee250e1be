"""How v2.0 and 2021-09-05 answer errors; what else they read and write is tried over HTTP in `tests/api`."""

from __future__ import annotations

import pytest

from shared.domain.limits import AudioRules
from shared.http.v2 import V2
from shared.http.v2021 import V2021
from tests.unit.http.calls import ID, call

INDEPENDENT = {"family": "verification", "mode": "text-independent"}
DEPENDENT = {"family": "verification", "mode": "text-dependent"}
IDENTIFICATION = {"family": "identification", "mode": "text-independent"}


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
