"""An identity that gives no token is storage that cannot be reached: within bounds, and never a defect."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from shared.domain.errors import StorageUnavailable
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.ports import Insert, Merge, Remove
from shared.storage.backend.tables import TableRows
from tests.azure.certificates import Certificate
from tests.azure.front import Asked, Front, Given, given_json
from tests.azure.identity import CLIENT_ID, Identity
from tests.integration.storage.conftest import BOUND_SECONDS

TROUBLES: dict[str, Callable[[Front], AbstractContextManager[None]]] = {
    "away": lambda front: front.away(),
    "silent": lambda front: front.silent(),
    "refuses": lambda front: front.refusing(given_json(400, {"statusCode": 400, "message": "No."})),
    "throttles": lambda front: front.refusing(given_json(429, {}, ("Retry-After", "600"))),
    "breaks": lambda front: front.refusing(Given(502, b"<html>Bad Gateway</html>")),
}


def answer(asked: Asked) -> Given:
    """A table that is there, empty, and takes every row."""
    assert asked.headers["authorization"].startswith("Bearer ")
    if asked.path.startswith("/Tables"):
        return given_json(409, {"odata.error": {"code": "TableAlreadyExists", "message": {"value": ""}}})
    if asked.method == "GET":
        return given_json(404, {"odata.error": {"code": "ResourceNotFound", "message": {"value": ""}}})
    return Given(204)


@pytest.fixture
def storage(own_certificate: Certificate) -> Iterator[Front]:
    front = Front(answer, own_certificate.of_server())
    yield front
    front.close()


@pytest.mark.parametrize("client_id", [CLIENT_ID, ""])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_without_a_token_storage_is_unavailable(
    identity: Identity, storage: Front, trouble: str, client_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    if not client_id:
        identity.client_id = None  # the machine's own identity
    rows = _rows(storage, client_id)
    rows.apply("p", [Insert("k", {"n": 1})])  # the table is known from here on
    calls: list[Callable[[], object]] = [
        lambda: rows.get("p", "k"),
        lambda: list(rows.query("p", "a", "b")),
        lambda: rows.apply("p", [Insert("k", {})]),
        lambda: rows.apply("p", [Merge("k", {})]),
        lambda: rows.apply("p", [Insert("k", {}), Remove("l")]),
    ]
    asked = storage.asked
    with TROUBLES[trouble](identity.front):
        for call in calls:
            started, before = time.monotonic(), identity.front.asked
            with pytest.raises(StorageUnavailable):
                call()
            assert time.monotonic() - started < BOUND_SECONDS
            assert identity.front.asked - before <= 3, "retries inside retries"
    assert storage.asked == asked
    assert caplog.text.count("storage_failed") == len(calls)
    assert not [token for token in identity.tokens if token in caplog.text]
    assert identity.secret not in caplog.text


def test_an_identity_that_is_back_is_used_again(identity: Identity, storage: Front) -> None:
    rows = _rows(storage, CLIENT_ID)
    with identity.front.away(), pytest.raises(StorageUnavailable):
        rows.get("p", "k")
    assert rows.get("p", "k") is None


def _rows(storage: Front, client_id: str) -> TableRows:
    uri = f"https://127.0.0.1:{storage.port}"
    return TableRows(StorageAccount(table_uri=uri, blob_uri=uri, client_id=client_id), "voices")
