"""The links of openapi.json, followed: a profile is created, enrolled, verified, reset and deleted, in any order.

Every answer is as described; what was created is there, and what was deleted is not.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.api.client import KEY_HEADER
from tests.api.contract import DOCUMENT
from tests.api.operator import Operator
from tests.api.test_made_up_requests import CHECKS, SPOKEN
from tests.service import RunningService

WALKS, LONG_WALKS, STEPS = 30, 150, 8
VERB = re.compile(r"^v[0-9]+(Create|Get|Delete|Reset|Enroll|Verify)")
EVERY_KIND = r"rofiles(/\{profileId\}|$)"
ONE_KIND = r"^/speaker-recognition/verification/text-independent/profiles(/\{profileId\}|$)"
PROFILE = "{profileId}"


def kind_in(path: str) -> str:
    """Of profiles: the generations name them differently, and share them."""
    return next(kind for kind in ("identification", "text-independent", "verification") if kind in path)


def test_every_operation_on_a_profile_is_linked_from_the_one_that_creates_it() -> None:
    paths = DOCUMENT["paths"]
    below = {path: path.partition(f"/{PROFILE}")[0] for path in paths if f"rofiles/{PROFILE}" in path}
    created_by = {path: paths[path]["post"]["responses"] for path in below.values() if "post" in paths.get(path, {})}
    assert len(created_by) == 8
    for path, collection in below.items():
        for operation in paths[path].values() if collection in created_by else ():
            links = [link for answer in created_by[collection].values() for link in answer.get("links", {}).values()]
            assert operation["operationId"] in [link["operationId"] for link in links]


@pytest.mark.local_host("made-up requests meet what only Azure's host can say, such as 401 without a body")
def test_the_life_of_a_profile_follows_the_links(service: RunningService, long_form: bool) -> None:
    created = Operator(service.url, service.management_key).put(f"links-{uuid4()}", {"maxProfiles": 100_000})
    headers = {KEY_HEADER: created.json["keys"]["primary"]}
    paths = EVERY_KIND if long_form else ONE_KIND
    described = (
        schemathesis.openapi.from_dict(deepcopy(DOCUMENT))
        .include(path_regex=paths)
        .exclude(path_regex="^/(profiles|groups)/")
    )
    described = described.exclude(method="GET", path_regex="rofiles$")  # a list shows what earlier walks have left
    described.config.update(base_url=service.url)
    answered: set[tuple[str, int]] = set()
    made: set[tuple[str, str]] = set()
    deleted: set[tuple[str, str]] = set()

    class Walk(described.as_state_machine()):  # type: ignore[misc]  # made at run time
        def before_call(self, case: schemathesis.Case[Any]) -> None:
            """Well-made requests, so that a walk gets far; ill-made ones have a test of their own."""
            parameters = [parameter.name for parameter in case.operation.query]
            known = {"api-version": "2021-09-05", "ignoreMinLength": "true", "shortAudio": "true"}
            case.query = {name: value for name, value in known.items() if name in parameters}
            if case.media_type is not None:
                case.body = {"locale": "en-US"} if "json" in case.media_type else SPOKEN

        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            return {"headers": headers, "timeout": 60}

        def validate_response(self, response: Any, case: schemathesis.Case[Any], *_: Any, **__: Any) -> None:
            case.validate_response(response, checks=CHECKS)
            name, status = case.operation.definition.raw["operationId"], response.status_code
            verb, kind, profile = VERB.findall(name)[0], kind_in(case.operation.path), ("", "")
            if verb == "Create":
                body = response.json()
                made.add((kind, body.get("profileId") or next(iter(body.values()))))  # v1.0 answers the id alone
            else:
                profile = kind, case.path_parameters["profileId"]
                is_there = profile in made - deleted
                absent = (204, 400) if name.startswith("v2Delete") else (400, 404)
                assert status != 404 if is_there else status in absent, f"{name} of {profile}: {status}"
            answered.add(("a deleted one" if profile in deleted else verb, status))
            if verb == "Delete":
                deleted.add(profile)

    Walk.run(
        settings=settings(
            max_examples=LONG_WALKS if long_form else WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
    reached = {("Create", 201), ("Enroll", 201), ("Get", 200), ("Delete", 204), ("a deleted one", 404)}
    assert reached | ({("Verify", 200), ("Reset", 200)} if long_form else set()) <= answered
