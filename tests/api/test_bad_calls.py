"""Wrong keys, ids, routes and methods: the right status, a JSON body that says why, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.api.client import KEY_HEADER, PREFIX, UNKNOWN, Client
from tests.api.stored import Stored
from tests.voices import PASSPORT, recording

MALFORMED = 'Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx). Received "{}".'
ABSENT = f"SpeakerInvalid: Requested profile doesn't exist: {UNKNOWN}."
DENIED = (
    401,
    "Unspecified",
    "Access denied due to invalid subscription key. Make sure you are subscribed to an API you are trying to call "
    "and provide the right key.",
)
PROFILES = [("GET", ""), ("DELETE", ""), ("POST", "/reset"), ("POST", "/enroll")]
"""What can be done with one profile: a method, and the rest of the path."""

OPERATIONS = [
    *((method, f"/{family}Profiles") for family in ("verification", "identification") for method in ("GET", "POST")),
    *(
        (method, f"/{family}Profiles/{UNKNOWN}{tail}")
        for family in ("verification", "identification")
        for method, tail in PROFILES
    ),
    ("GET", "/verificationPhrases?locale=en-US"),
    ("POST", f"/verify?verificationProfileId={UNKNOWN}"),
    ("POST", f"/identify?identificationProfileIds={UNKNOWN}"),
    ("GET", f"/operations/{UNKNOWN}"),
]
"""All sixteen."""


@pytest.fixture(scope="module", autouse=True)
def nothing_is_written(stored: Stored, api: Client) -> Iterator[None]:
    api.get("/verificationProfiles")  # the first call of a process makes the subscription
    before = stored.everything()
    yield
    assert stored.everything() == before


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "wrong",
        "Local-Subscription-Key",
        "local-subscription-key,x",
        pytest.param("\xc3\xa9", marks=pytest.mark.local_host("Azure's host cannot proxy a header beyond ASCII")),
    ],
)
def test_every_operation_needs_the_key(api: Client, method: str, path: str, key: str | None) -> None:
    body = b'{"locale":"en-us"}' if method == "POST" else None
    sent = {} if key is None else {KEY_HEADER: key}
    assert replace(api, key=None).call(method, PREFIX + path, body, sent).error == DENIED


def test_a_key_in_the_query_opens_nothing(api: Client) -> None:
    path = f"/verificationProfiles?{KEY_HEADER}={api.key}&subscription-key={api.key}"
    assert replace(api, key=None).get(path).error == DENIED


@pytest.mark.parametrize("family", ["verification", "identification"])
@pytest.mark.parametrize(("method", "tail"), PROFILES)
def test_an_id_in_the_path_must_be_of_a_profile(api: Client, family: str, method: str, tail: str) -> None:
    audio = recording(PASSPORT) if tail == "/enroll" else None
    short = "?shortAudio=true" if audio else ""
    path = f"{PREFIX}/{family}Profiles/{{}}{tail}"
    assert api.call(method, path.format(UNKNOWN) + short, audio).error == (404, "NotFound", ABSENT)
    for name in ("42", UNKNOWN[:-1], UNKNOWN + "0", "null", "undefined"):
        answer = api.call(method, path.format(name), b"x" if audio else None)
        assert answer.error == (400, "BadRequest", MALFORMED.format(name))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/verify", "verificationProfileId parameter is missing."),
        ("/verify?verificationProfileId=", "verificationProfileId parameter is missing."),
        ("/verify?verificationProfileId=42", MALFORMED.format("42")),
        (f"/verify?verificationProfileId={UNKNOWN}", ABSENT),
        ("/identify", "identificationProfileIds parameter is missing."),
        ("/identify?identificationProfileIds=,", "identificationProfileIds parameter is missing."),
        (f"/identify?identificationProfileIds={UNKNOWN},42", MALFORMED.format("42")),
        (f"/identify?identificationProfileIds={UNKNOWN}&shortAudio=true", ABSENT),
    ],
)
def test_a_profile_named_by_parameter_must_be_there(api: Client, path: str, message: str) -> None:
    assert api.post(path, recording(PASSPORT)).error == (400, "BadRequest", message)


def test_an_operation_must_be_there(api: Client) -> None:
    message = f"No operation id found: {UNKNOWN}. Operations are kept for 24 hours."
    assert api.get(f"/operations/{UNKNOWN}").error == (404, "NotFound", message)
    assert api.get("/operations/42").error == (400, "BadRequest", MALFORMED.format("42"))


@pytest.mark.parametrize(
    "path",
    [
        "/spid",
        "/spid/v1.0",
        "/spid/v1.0/",
        "/spid/v1.0/profiles",
        "/spid/v9.0/verificationProfiles",
        f"/spid/v1.0/verificationProfiles/{UNKNOWN}/enrol",
        f"/spid/v1.0/verificationProfiles/{UNKNOWN}/enroll/more",
        "/spid/v1.0/xverificationProfiles",
        pytest.param("/admin/elsewhere", marks=pytest.mark.local_host("Azure's host answers below /admin itself")),
        "/%2e%2e/%2e%2e/etc/passwd",
    ],
)
def test_an_unknown_route_is_not_found_with_a_json_body(api: Client, path: str) -> None:
    status, code, message = api.call("GET", path).error
    assert (status, code) == (404, "NotFound")
    assert message


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/verificationProfiles", "GET POST OPTIONS"),
        ("POST", f"/verificationProfiles/{UNKNOWN}", "GET DELETE OPTIONS"),
        ("GET", f"/identificationProfiles/{UNKNOWN}/enroll", "POST OPTIONS"),
        ("GET", "/verify", "POST OPTIONS"),
        ("DELETE", "/identify", "POST OPTIONS"),
        ("POST", "/verificationPhrases", "GET OPTIONS"),
        ("DELETE", f"/operations/{UNKNOWN}", "GET OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_which_are_right(api: Client, method: str, path: str, allowed: str) -> None:
    answer = api.call(method, PREFIX + path)
    assert answer.error[:2] == (405, "MethodNotAllowed")
    assert {name.strip() for name in answer.headers["allow"].split(",")} == set(allowed.split())
