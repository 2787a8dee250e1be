"""Production's settings on Azure's own host: managed identity, storage by token, a key vault; and each in trouble."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row
from tests.api.client import Answer, Profiles, identify
from tests.api.later import TEXT_INDEPENDENT, V2021, Speakers
from tests.api.operator import Customer, Operator
from tests.azure import vault
from tests.azure.front import given_json
from tests.azure.identity import SHORT_SECONDS
from tests.azure.production import Production, running_production
from tests.voices import PASSPORT, QUESTION, STORY, recording, takes

pytestmark = [
    pytest.mark.azure_host("managed identity and key vault are tried on Azure's own host"),
    pytest.mark.skipif(vault.missing() is not None, reason=vault.missing() or ""),
]

BOUND_SECONDS = 20.0
"""Until a 503. The worst is a silent identity: three attempts of 3 s with a pause of 0.8 s, and one more for the audit
trail, 12.8 s; the rest is a busy machine's."""

BACK_SECONDS = 15.0
"""Until all works again. MSAL asks an identity that answered 429 or 5xx again after 5 s, or after its Retry-After."""

REFUSAL = {"error": {"code": "Forbidden", "message": "The identity has no such role."}}
SLOW_DOWN = {"error": {"code": "Throttled", "message": "Slow down."}}

Trouble = Callable[[Production], AbstractContextManager[None]]

TROUBLES: dict[str, Trouble] = {
    "vault-away": lambda on: on.vault.front.away(),
    "vault-silent": lambda on: on.vault.front.silent(),
    "vault-refuses": lambda on: on.vault.front.refusing(given_json(403, REFUSAL)),
    "vault-throttles": lambda on: on.vault.front.refusing(given_json(429, SLOW_DOWN, ("Retry-After", "600"))),
    "identity-away": lambda on: on.identity.front.away(),
    "identity-silent": lambda on: on.identity.front.silent(),
    "identity-refuses": lambda on: on.identity.front.refusing(given_json(400, {"statusCode": 400, "message": "No."})),
    "identity-throttles": lambda on: on.identity.front.refusing(given_json(429, SLOW_DOWN, ("Retry-After", "2"))),
}


LONG = pytest.mark.long_form("seconds for each trouble")
VOICES = ("rotated", "identity", *(name for name in TROUBLES if name.startswith("vault")))


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with running_production(tmp_path_factory.mktemp("production")) as running:
        yield running


@pytest.fixture(scope="module")
def operator(production: Production) -> Operator:
    return Operator(production.service.url, production.service.management_key)


@dataclass(frozen=True)
class Voice:
    """A subscription with one enrolled profile."""

    customer: Customer
    profile_id: str

    @property
    def speakers(self) -> Speakers:
        return Speakers(self.customer.primary, V2021, TEXT_INDEPENDENT)

    def verify(self) -> Answer:
        return self.speakers.verify(self.profile_id, recording(QUESTION))

    def enroll(self) -> Answer:
        return self.speakers.enroll(self.profile_id, recording(STORY), "&ignoreMinLength=true")

    @property
    def enrollments(self) -> int:
        return int(self.speakers.show(self.profile_id)["enrollmentsCount"])


def new_voice(operator: Operator) -> Voice:
    customer = operator.customer()
    return Voice(customer, Speakers(customer.primary, V2021, TEXT_INDEPENDENT).enrolled(recording(STORY)))


@pytest.fixture(scope="module")
def cold(production: Production, operator: Operator) -> dict[str, Voice]:
    """Voices in front of a worker that has neither a token nor a data key in memory: one for each trouble of the vault.

    The key-encryption key was rotated since, and each token is asked for again with the next request.
    """
    voices = {name: new_voice(operator) for name in VOICES}
    production.vault.rotate()
    production.identity.lifetime = SHORT_SECONDS
    production.kill_workers()
    assert answered(voices["rotated"].verify).status == 200
    return voices


def answered(call: Callable[[], Answer]) -> Answer:
    """The host's own 500 without a body is what a request gets whose worker has gone."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return call()
        except AssertionError:
            assert time.monotonic() < deadline, "no worker within a minute"
            time.sleep(0.1)


def data_keys(production: Production) -> dict[str, dict[str, Any]]:
    """The rows of wrapped data keys by subscription."""
    prefix = data_key_row("")
    with production.storage.tables() as tables:
        rows = tables.get_table_client("subscriptions").query_entities(f"PartitionKey eq '{SUBSCRIPTIONS_PARTITION}'")
        return {row["RowKey"].removeprefix(prefix): dict(row) for row in rows if row["RowKey"].startswith(prefix)}


def test_a_customers_voices(operator: Operator) -> None:
    client = operator.customer().primary
    by_phrase = Profiles(client, "verification").enrolled(*takes(PASSPORT))
    assert client.post(f"/verify?verificationProfileId={by_phrase}", recording(PASSPORT)).json["result"] == "Accept"
    identification = Profiles(client, "identification")
    ids = {voice: identification.enrolled(recording(STORY, voice)) for voice in ("slt", "awb")}
    outcome = identify(client, ids.values(), recording(QUESTION, "awb"))["processingResult"]
    assert outcome["identifiedProfileId"] == ids["awb"]


def test_a_deleted_subscription_goes_with_its_data_key(production: Production, operator: Operator) -> None:
    voice = new_voice(operator)
    subscription_id = voice.customer.subscription_id
    assert subscription_id in data_keys(production)
    assert operator.delete(subscription_id).status == 202
    assert voice.verify().status == 401
    assert subscription_id not in data_keys(production)
    production.service.fire("retention")
    assert operator.get(subscription_id).json["state"] == "deleted"


@pytest.mark.parametrize("timer", ["retention", "compaction", "migration"])
def test_timers_run(production: Production, timer: str) -> None:
    production.service.fire(timer)
    log = production.service.log.read_text(encoding="utf-8")
    assert f"Executed 'Functions.{timer}' (Succeeded" in log
    assert f"Executed 'Functions.{timer}' (Failed" not in log


def test_a_rotated_key(production: Production, operator: Operator, cold: dict[str, Voice]) -> None:
    voice = cold["rotated"]
    assert voice.verify().json["recognitionResult"] == "Accept"  # under the version before
    new_id = operator.customer().subscription_id
    rows = data_keys(production)
    before, new = rows[voice.customer.subscription_id], rows[new_id]
    assert new["key_id"] != before["key_id"]
    moved = production.tool("rewrap_keys")
    assert (moved.returncode, moved.stderr) == (0, "")
    after = data_keys(production)[voice.customer.subscription_id]
    assert after["key_id"] == new["key_id"]
    opened = [production.vault.unwrap(row["key_id"], row["wrapped"]) for row in (before, after)]
    assert opened[0] == opened[1]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name.endswith("-away") else LONG) for name in TROUBLES],
)
def test_trouble_is_a_503_and_passes(
    production: Production, operator: Operator, cold: dict[str, Voice], name: str
) -> None:
    voice, new = cold.get(name) or cold["identity"], f"new-{uuid4()}"
    enrollments = voice.enrollments
    calls = [voice.verify, voice.enroll, lambda: operator.put(new)]
    with TROUBLES[name](production), ThreadPoolExecutor(len(calls)) as pool:
        for answer, seconds in pool.map(timed, calls):
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
            assert json.loads(answer.body)["error"]["code"] == "ServiceUnavailable"
            assert seconds < BOUND_SECONDS
    assert back(voice.verify).json["recognitionResult"] == "Accept"
    assert voice.enrollments == enrollments
    assert voice.enroll().status == 201
    assert operator.get(new).status == 404
    assert operator.put(new).status == 201


def timed(call: Callable[[], Answer]) -> tuple[Answer, float]:
    started = time.monotonic()
    return call(), time.monotonic() - started


def back(call: Callable[[], Answer]) -> Answer:
    """The first answer that is not a 503."""
    deadline = time.monotonic() + BACK_SECONDS
    while (answer := call()).status == 503:
        assert time.monotonic() < deadline, f"still 503 after {BACK_SECONDS:.0f} s"
        time.sleep(0.5)
    assert answer.status == 200
    return answer


def test_the_log_has_no_secret(production: Production, operator: Operator) -> None:
    """Last, so that it has everything that was printed; and on its own it looks at a whole life."""
    voice = new_voice(operator)
    assert voice.verify().status == 200
    rows = [row for name, row in data_keys(production).items() if name.startswith("test-")]  # those with a voice
    secrets = [production.vault.unwrap(row["key_id"], row["wrapped"]) for row in rows]
    secrets += [row["wrapped"] for row in rows]
    written = [form for secret in secrets for form in forms(secret)]
    written += [part for token in production.identity.tokens for part in token.split(".")[1:]]
    written += [production.identity.secret, voice.customer.primary.key or "", voice.customer.secondary.key or ""]
    log = production.service.log.read_text(encoding="utf-8", errors="replace")
    assert "recognition_measured operation=verify outcome=accept" in log
    assert len(written) > 10
    assert [one for one in written if one in log] == []


def forms(secret: bytes) -> list[str]:
    """As somebody would print bytes; without the last letters of base64, which are padding."""
    encoded = [base64.b64encode(secret).decode(), base64.urlsafe_b64encode(secret).decode()]
    return [*(one.rstrip("=")[:-1] for one in encoded), secret.hex(), repr(secret)[2:-1]]
