"""The app's own table of its routes."""

from __future__ import annotations

import azure.functions as func
import pytest

from shared.http.endpoint import Route
from shared.http.uploads import StreamRequest

FAMILY = "{family:regex(^(verification|identification)$)}"


async def answer(request: StreamRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=200)


def values(template: str, path: str) -> dict[str, str] | None:
    return Route(template, frozenset({"GET"}), answer).values(path)


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("spid/v1.0/verify", "spid/v1.0/verify", {}),
        ("spid/v1.0/verify", "SPID/V1.0/Verify/", {}),
        ("spid/v1.0/verify", "spid/v1x0/verify", None),
        ("profiles/{id}", "profiles/7", {"id": "7"}),
        ("profiles/{id}", "profiles/a%20b", {"id": "a b"}),
        ("profiles/{id}", "profiles/7/reset", None),
        ("profiles/{id}", "profiles/", None),
        ("profiles/{id}:reset", "profiles/7:reset", {"id": "7"}),
        ("profiles/{id}:reset", "profiles/7", None),
        (f"speaker/{FAMILY}/profiles", "speaker/Verification/profiles", {"family": "Verification"}),
        (f"speaker/{FAMILY}/profiles", "speaker/verifications/profiles", None),
    ],
)
def test_what_a_template_takes(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert values(template, path) == expected
