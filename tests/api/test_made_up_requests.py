"""Every operation of openapi.json with made-up requests: never a 5xx, and every answer as described."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.client import KEY_HEADER
from tests.api.contract import DOCUMENT
from tests.api.operator import Operator
from tests.azure_host import APP
from tests.service import REPOSITORY, RunningService

EXAMPLES = 6
"""For each of some 100 operations."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

SPOKEN = (REPOSITORY / "samples" / "passphrase-1.wav").read_bytes()


@pytest.fixture(scope="session")
def keys(service: RunningService) -> dict[str, str]:
    """Those of a subscription of this file's own, whose settings may be changed at will, and the operator's."""
    created = Operator(service.url, service.management_key).put(f"made-up-{uuid4()}")
    return {KEY_HEADER: created.json["keys"]["primary"], "x-functions-key": service.management_key}


Test = Callable[..., None]

schema = schemathesis.openapi.from_dict(deepcopy(DOCUMENT))
schemathesis.openapi.media_type("audio/wav", st.sampled_from([SPOKEN, SPOKEN[:20_000], SPOKEN[44:]]) | st.binary())


def of_every_operation(test: Test) -> Test:
    """To make them up takes each process of a test run seconds: not where the test is skipped."""
    parametrized: Test = test if APP in os.environ else schema.parametrize()(test)
    return parametrized


@pytest.mark.local_host("made-up requests meet what only Azure's host can say, such as 401 without a body")
@of_every_operation
# schemathesis gives all cases of a test one id, unless pytest has a parameter of its own to add.
@pytest.mark.parametrize("checks", [CHECKS], ids=["all checks"])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(
    case: schemathesis.Case[Any],
    service: RunningService,
    keys: dict[str, str],
    checks: list[schemathesis.CheckFunction],
) -> None:
    case.call_and_validate(base_url=service.url, headers=keys, checks=checks, timeout=60)
