"""Tokens for one purpose: what each opens, for how long and how often, and what it never does."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from localhost.azurite import Azurite
from shared.domain.token import AMONG_CANDIDATES, SignedToken, TokenOperation
from shared.storage.backend.account import StorageAccount
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from tests.api.client import PREFIX, UNKNOWN, Answer, Client, Profiles, verify
from tests.api.contract import DOCUMENT
from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, V2, V2021, Speakers
from tests.api.log import check_secrets
from tests.api.operator import Customer, Operator
from tests.service import KEYS, RunningService
from tests.voices import HOUSTON, OUTSIDE, PASSPORT, STORY, recording, takes

OTHER = UNKNOWN.replace("1", "2")
DENIED = "Access denied due to invalid subscription key."
SPOKEN = recording(PASSPORT)


@dataclass(frozen=True)
class Shop:
    """A subscription with somebody whose phrase is PASSPORT, and somebody who can be identified."""

    customer: Customer
    speaker: str
    heard: str

    def token(self, *operations: str, **asked: object) -> Client:
        """A client that holds one."""
        answer = self.ask(*operations, **asked)
        assert answer.status == 201, answer.body
        return replace(self.customer.primary, key=answer.json["token"])

    def ask(self, *operations: str, **asked: object) -> Answer:
        return self.customer.primary.send("POST", "/tokens", {"operations": operations, **asked})


@pytest.fixture(scope="module")
def shop(operator: Operator) -> Shop:
    """Not to be changed."""
    customer = operator.customer()
    heard = Speakers(customer.primary, V2021, IDENTIFICATION).enrolled(recording(STORY))
    return Shop(customer, customer.verification.enrolled(*takes(PASSPORT)), heard)


def test_a_server_can_tell_a_page_s_accept_from_a_made_up_one(operator: Operator) -> None:
    """By the id of the answer, which the page may read, in the trail that the page may not."""
    customer = operator.customer(recordRecognitions={"days": 1})
    shop = Shop(customer, customer.verification.enrolled(*takes(PASSPORT)), UNKNOWN)
    token = shop.token("verify", profileId=shop.speaker)
    answers = [verify(token, shop.speaker, recording(PASSPORT, voice)) for voice in ("slt", "rms")]
    assert "apim-request-id" in answers[0].headers["access-control-expose-headers"]
    entries = customer.audit(f"?action=recognition.verify&profileId={shop.speaker}")["value"]
    told = [
        (answer.headers["apim-request-id"], outcome)
        for answer, outcome in zip(answers, ("accepted", "rejected"), strict=True)
    ]
    assert [(entry["requestId"], entry["outcome"]) for entry in entries] == told
    assert token.call("GET", "/audit").status == 403


def test_what_is_answered(shop: Shop) -> None:
    for minutes, asked in ((10, {}), (1, {"minutes": 1}), (60, {"minutes": 60, "uses": None})):
        before = datetime.now(UTC)
        answer = shop.ask("verify", profileId=shop.speaker.replace("-", "").upper(), **asked)
        ends = datetime.fromisoformat(answer.json["expiresDateTime"])
        assert answer.headers["cache-control"] == "no-store"
        a_second = timedelta(seconds=1)
        assert before - a_second <= ends - timedelta(minutes=minutes) <= datetime.now(UTC) + a_second
        token = SignedToken.parse(answer.json["token"]).token
        assert (token.expires_at, token.scope.profile_id, token.once) == (ends, shop.speaker, False)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "operations"),
        ({"operations": []}, "operations"),
        ({"operations": "read"}, "operations"),
        ({"operations": ["read", 1]}, "operations"),
        ({"operations": ["Read"]}, "verify, identify, identifyTurns, enroll, reset, challenge, read"),
        *[({"operations": [name]}, "profileId") for name in ("verify", "enroll", "reset")],
        ({"operations": ["read"], "profileId": "42"}, "Guid"),
        ({"operations": ["read"], "profileId": 42}, "profileId"),
        ({"operations": ["identify"], "profileId": UNKNOWN}, "profileIds"),
        ({"operations": ["identify"], "profileIds": ""}, "profileIds"),
        ({"operations": ["identify"], "profileIds": "group:a b"}, "profileIds"),
        ({"operations": ["identify"], "profileIds": ",".join([UNKNOWN] * 51)}, "Maximum number of profiles"),
        *[({"operations": ["read"], "minutes": minutes}, "minutes") for minutes in (0, 61, 1.5, True, "5", None)],
        *[({"operations": ["read"], "uses": uses}, "uses") for uses in (0, 2, True, "1", 1.0)],
        ({"operations": ["read"], "use": 1}, '"use"'),
    ],
)
def test_what_cannot_be_asked_for_is_named(shop: Shop, body: object, named: str) -> None:
    status, code, message = shop.customer.primary.send("POST", "/tokens", body).error
    assert (status, code[:7]) == (400, "Invalid")
    assert named in message


def test_it_is_accepted_in_both_headers(shop: Shop) -> None:
    token = shop.token("verify", profileId=shop.speaker)
    bearer = replace(token, key=f"Bearer {token.key}", key_header="Authorization")
    for client in (token, bearer, replace(bearer, key=f"bearer  {token.key}")):
        assert verify(client, shop.speaker, SPOKEN).json["result"] == "Accept"
    for other in (f"Basic {token.key}", f"Bearer {shop.customer.primary.key}", token.key):
        assert verify(replace(bearer, key=other), shop.speaker, SPOKEN).status == 401


DOES = {
    TokenOperation.VERIFY: r"post .*[/:]verify",
    TokenOperation.IDENTIFY: r"post .*[/:]identify(SingleSpeaker)?",
    TokenOperation.IDENTIFY_TURNS: r"post .*:identifyTurns|get /operations/.*",
    TokenOperation.ENROLL: r"post .*/(enroll|enrollments)",
    TokenOperation.RESET: r"post .*[/:]reset",
    TokenOperation.CHALLENGE: r"post .*/challenges",
    TokenOperation.READ: r"get (/spid/v1\.0|/speaker|/operations).*",
}
"""Method and path of what a token for each operation opens."""


@pytest.mark.parametrize("operation", TokenOperation)
def test_it_opens_its_operation_and_no_other(shop: Shop, operation: TokenOperation) -> None:
    candidates = "*" if operation in AMONG_CANDIDATES else None
    token = shop.token(operation, profileId=OTHER, profileIds=candidates)
    if operation is TokenOperation.READ:
        token = shop.token(operation)
    opened = []
    for path, item in DOCUMENT["paths"].items():
        for method, described in item.items():
            if "security" not in described:
                place = path.replace("{locale}", "en-US")
                place = re.sub(r"\{\w+\}", OTHER, place)
                query = f"?verificationProfileId={OTHER}" if place.endswith("v1.0/verify") else ""
                answer = token.call(method.upper(), place + query)
                assert answer.status in (200, 400, 403, 404), answer.body
                if answer.status != 403:
                    opened.append(f"{method} {path}")
                else:
                    assert answer.error[1:] == ("Forbidden", f"The token of this request is for {operation} only.")
    assert [one for one in opened if not re.fullmatch(DOES[operation], one)] == ["get /caller"]
    assert len(opened) > 1


def test_it_says_what_it_is(shop: Shop, operator: Operator) -> None:
    body = {"role": "enroll", "expiresDateTime": "2100-01-01T00:00:00Z"}
    key = operator.put_key(shop.customer.subscription_id, "desk", body).json["key"]
    desk = replace(shop, customer=replace(shop.customer, primary=replace(shop.customer.primary, key=key)))
    for operations, role, profile_id in ((["read"], "recognise", None), (["verify", "reset"], "enroll", OTHER)):
        answer = desk.ask(*operations, profileId=profile_id).json
        assert replace(desk.customer.primary, key=answer["token"]).call("GET", "/caller").json == {
            "name": "desk",
            "role": role,
            "operations": operations,
            "profileId": profile_id,
            "expiresDateTime": answer["expiresDateTime"],
        }


def test_a_key_gives_no_more_than_it_has_then_and_now(operator: Operator) -> None:
    customer = operator.customer()
    key = operator.put_key(customer.subscription_id, "desk", {"role": "enroll"}).json["key"]
    desk = Shop(replace(customer, primary=replace(customer.primary, key=key)), "", "")
    token = desk.token("reset", profileId=OTHER)
    assert Profiles(token, "verification").reset(OTHER).status == 404
    operator.put_key(customer.subscription_id, "desk", {"role": "recognise"})
    message = "This takes a key with the role enroll. The key of this request has the role recognise."
    assert Profiles(token, "verification").reset(OTHER).error == (403, "Forbidden", message)
    assert desk.ask("reset", profileId=OTHER).error == (403, "Forbidden", message)
    assert desk.token("read").get("/verificationProfiles").status == 200
    operator.delete_key(customer.subscription_id, "desk")
    assert token.get("/verificationProfiles").status == 401


@pytest.mark.parametrize("operation", ["verify", "enroll", "reset", "read"])
def test_it_is_for_its_profile_whether_there_is_another_or_not(shop: Shop, operation: str) -> None:
    token = shop.token(operation, profileId=OTHER)
    paths = [
        {
            "verify": ("POST", f"{PREFIX}/verify?verificationProfileId={profile_id}"),
            "enroll": ("POST", f"{PREFIX}/verificationProfiles/{profile_id}/enroll"),
            "reset": ("POST", V2.path(TEXT_DEPENDENT, f"/profiles/{profile_id}/reset")),
            "read": ("GET", V2021.path(TEXT_DEPENDENT, f"/profiles/{profile_id}")),
        }[operation]
        for profile_id in (shop.speaker, UNKNOWN)
    ]
    for method, path in paths:
        assert token.call(method, path).error == (
            403,
            "Forbidden",
            f"The token of this request is for the profile {OTHER} only.",
        )
    if operation == "read":
        assert token.get("/verificationProfiles").status == 403, "the list names the others"


def test_it_is_for_its_candidates(shop: Shop) -> None:
    audio = recording(STORY)

    def statuses(token: Client) -> list[int]:
        speakers = Speakers(token, V2021, IDENTIFICATION)
        return [speakers.identify(ids, audio).status for ids in (shop.heard, f"{shop.heard},{OTHER}", "*", "group:a")]

    assert statuses(shop.token("identify", profileIds=shop.heard)) == [200, 403, 403, 403]
    assert statuses(shop.token("identify", profileIds="group:a")) == [403, 403, 403, 404]
    assert statuses(shop.token("identify", profileIds="*")) == [200, 404, 200, 404]


USES: dict[str, Callable[[Shop, Client], Answer]] = {
    "verify": lambda shop, token: verify(token, shop.speaker, SPOKEN),
    "identify": lambda shop, token: Speakers(token, V2021, IDENTIFICATION).identify(shop.heard, recording(STORY)),
    "enroll": lambda shop, token: Speakers(token, V2021, TEXT_DEPENDENT).enroll(shop.speaker, SPOKEN),
}


@pytest.mark.parametrize("operation", USES)
def test_of_two_uses_at_once_one_succeeds(shop: Shop, operation: str) -> None:
    tokens = [shop.token(operation, profileId=shop.speaker, profileIds="*", uses=1) for _ in range(3)]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(USES[operation], [shop] * 6, [token for token in tokens for _ in range(2)]))
    for first, second in zip(answers[::2], answers[1::2], strict=True):
        assert {first.status, second.status} == {401, 201 if operation == "enroll" else 200}
    assert {USES[operation](shop, token).status for token in tokens} == {401}


def test_what_is_refused_is_no_use_and_nor_is_reading(shop: Shop) -> None:
    token = shop.token("verify", "read", profileId=shop.speaker, uses=1)
    by_phrase = Speakers(token, V2021, TEXT_DEPENDENT)
    assert verify(token, shop.speaker, b"no recording").status == 400
    assert verify(token, shop.speaker, recording(OUTSIDE)).error[2].startswith("InvalidPhrase")
    assert by_phrase.show(shop.speaker)["profileId"] == shop.speaker
    assert by_phrase.verify(shop.speaker, recording(HOUSTON)).json["recognitionResult"] == "Reject"
    status, code, message = verify(token, shop.speaker, SPOKEN).error
    assert (status, code, message[: len(DENIED)]) == (401, "Unspecified", DENIED)
    assert by_phrase.show(shop.speaker)["profileId"] == shop.speaker


def test_a_reset_is_one_use(customer: Customer) -> None:
    token = Shop(customer, "", "").token("reset", profileId=OTHER, uses=1)
    assert Profiles(token, "verification").reset(OTHER).status == 404
    profile_id = customer.verification.create()
    token = Shop(customer, "", "").token("reset", profileId=profile_id, uses=1)
    profiles = Profiles(token, "verification")
    assert [profiles.reset(profile_id).status for _ in range(2)] == [200, 401]


def test_it_makes_no_token_and_no_laxer_threshold(shop: Shop) -> None:
    token = shop.token(*TokenOperation, profileId=shop.speaker, profileIds="*")
    assert token.send("POST", "/tokens", {"operations": ["read"]}).error[:2] == (403, "Forbidden")
    key = shop.customer.primary
    asked = [verify(client, shop.speaker, SPOKEN, "&threshold=0.1").error for client in (key, token)]
    assert asked[0] == asked[1]
    assert asked[0][0] == 400


def test_it_ends_with_its_key_and_with_its_subscription(operator: Operator) -> None:
    shop = Shop(customer := operator.customer(), "", "")
    first, second = shop.token("read"), Shop(replace(customer, primary=customer.secondary), "", "").token("read")
    path = "/verificationProfiles"
    assert [client.get(path).status for client in (first, second)] == [200, 200]
    operator.regenerate(customer.subscription_id, "primary")
    assert [client.get(path).status for client in (first, second)] == [401, 200]
    operator.delete(customer.subscription_id)
    assert second.get(path).status == 401


def test_it_takes_from_the_subscriptions_rate(operator: Operator) -> None:
    token = Shop(operator.customer(requestsPerSecond=0.1), "", "").token("read")
    assert token.get("/verificationProfiles").status == 429, "its key has just sent a request"


def test_the_audit_trail_names_the_key(customer: Customer) -> None:
    profile_id = customer.verification.create()
    token = Shop(customer, "", "").token("reset", profileId=profile_id)
    Profiles(token, "verification").reset(profile_id)
    assert [(entry["action"], entry["caller"]) for entry in customer.trail()[1:]] == [
        ("profile.create", "key:primary"),
        ("profile.reset", "key:primary"),
    ]


@pytest.mark.local_host("the storage of Azure's host is another one's")
def test_the_subscriptions_own_key_signs_it(shop: Shop, azurite: Azurite) -> None:
    text = shop.token("read").key or ""
    rows = Storage.in_azure(StorageAccount(azurite.connection_string)).subscriptions
    data_keys = DataKeys(rows, LocalKeyEncryption.from_setting(KEYS["TIMBRE_KEY_ENCRYPTION"]))
    key, token = data_keys.token_key(shop.customer.subscription_id), SignedToken.parse(text).token
    ahead = token.expires_at + timedelta(hours=1)
    a_minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    signed = token.signed(key)
    forged = {
        signed: 200,
        replace(token, expires_at=ahead).signed(key): 200,
        replace(token, expires_at=a_minute_ago).signed(key): 401,
        replace(token, expires_at=ahead).signed(data_keys.of(shop.customer.subscription_id)): 401,
        replace(token, key_name="secondary").signed(key): 401,
        replace(token, key_name="nobody").signed(key): 401,
        replace(token, subscription_id="local").signed(key): 401,
        signed[:-1] + ("B" if signed.endswith("A") else "A"): 401,
    }
    for received, status in forged.items():
        client = replace(shop.customer.primary, key=received)
        assert client.get("/verificationProfiles").status == status, received


def test_it_is_in_no_log(shop: Shop, service: RunningService) -> None:
    token = shop.token("verify", profileId=shop.speaker, uses=1)
    for client in (token, replace(token, key=f"Bearer {token.key}", key_header="Authorization")):
        for audio in (b"no recording", SPOKEN):
            verify(client, shop.speaker, audio)
    replace(token, key=f"{token.key}A").get("/verificationProfiles")
    text = str(token.key)
    parts = (text, *text.split(".")[1:], SignedToken.parse(text).token.token_id)
    check_secrets(service.log.read_text(encoding="utf-8"), service, parts)
