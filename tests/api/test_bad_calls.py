"""Wrong keys, ids, routes and methods: the right status, a JSON body that says why, and nothing written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.api.client import PREFIX, Client
from tests.voices import PASSPORT, recording

UNKNOWN = "d7c62d70-632d-4e3d-af8b-8e5485f56dad"
MALFORMED = 'Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx). Received "{}".'
DENIED = (
    401,
    "Unspecified",
    "Access denied due to invalid subscription key. Make sure you are subscribed to an API you are trying to call "
    "and provide the right key.",
)
OPERATIONS = [
    ("POST", "/verificationProfiles"),
    ("GET", "/verificationProfiles"),
    ("GET", f"/verificationProfiles/{UNKNOWN}"),
    ("DELETE", f"/verificationProfiles/{UNKNOWN}"),
    ("POST", f"/verificationProfiles/{UNKNOWN}/enroll"),
    ("POST", f"/verificationProfiles/{UNKNOWN}/reset"),
    ("GET", "/verificationPhrases?locale=en-US"),
    ("POST", f"/verify?verificationProfileId={UNKNOWN}"),
    ("POST", "/identificationProfiles"),
    ("GET", "/identificationProfiles"),
    ("GET", f"/identificationProfiles/{UNKNOWN}"),
    ("DELETE", f"/identificationProfiles/{UNKNOWN}"),
    ("POST", f"/identificationProfiles/{UNKNOWN}/enroll"),
    ("POST", f"/identificationProfiles/{UNKNOWN}/reset"),
    ("POST", f"/identify?identificationProfileIds={UNKNOWN}"),
    ("GET", f"/operations/{UNKNOWN}"),
]
"""All sixteen."""


@pytest.fixture(autouse=True)
def nothing_is_written(stored: Callable[[], dict[str, str]], api: Client) -> Iterator[None]:
    api.get("/verificationProfiles")  # the first call of a process makes the subscription
    before = stored()
    yield
    assert stored() == before


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
    sent = {} if key is None else {"Ocp-Apim-Subscription-Key": key}
    body = b'{"locale":"en-us"}' if method == "POST" else None
    assert Client(api.url, None).call(method, PREFIX + path, body, sent).error == DENIED


def test_a_key_in_the_query_opens_nothing(api: Client) -> None:
    path = f"{PREFIX}/verificationProfiles?Ocp-Apim-Subscription-Key={api.key}&subscription-key={api.key}"
    assert Client(api.url, None).call("GET", path).error == DENIED


@pytest.mark.parametrize("family", ["verification", "identification"])
@pytest.mark.parametrize(
    ("method", "tail"), [("GET", ""), ("DELETE", ""), ("POST", "/reset"), ("POST", "/enroll?shortAudio=true")]
)
def test_an_unknown_profile_in_the_path_is_not_found(api: Client, family: str, method: str, tail: str) -> None:
    path = f"{PREFIX}/{family}Profiles/{UNKNOWN}{tail}"
    assert api.call(method, path, recording(PASSPORT) if tail.startswith("/enroll") else None).error == (
        404,
        "NotFound",
        f"SpeakerInvalid: Requested profile doesn't exist: {UNKNOWN}.",
    )


@pytest.mark.parametrize("family", ["verification", "identification"])
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("DELETE", ""), ("POST", "/reset"), ("POST", "/enroll")])
@pytest.mark.parametrize("name", ["42", UNKNOWN[:-1], UNKNOWN + "0", "null", "undefined"])
def test_a_malformed_id_in_the_path_is_named(api: Client, family: str, method: str, tail: str, name: str) -> None:
    path = f"{PREFIX}/{family}Profiles/{name}{tail}"
    body = b"x" if tail == "/enroll" else None
    assert api.call(method, path, body).error == (400, "BadRequest", MALFORMED.format(name))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/verify", "verificationProfileId parameter is missing."),
        ("/verify?verificationProfileId=", "verificationProfileId parameter is missing."),
        ("/verify?verificationProfileId=42", MALFORMED.format("42")),
        (
            f"/verify?verificationProfileId={UNKNOWN}",
            f"SpeakerInvalid: Requested profile doesn't exist: {UNKNOWN}.",
        ),
        ("/identify", "identificationProfileIds parameter is missing."),
        ("/identify?identificationProfileIds=,", "identificationProfileIds parameter is missing."),
        (f"/identify?identificationProfileIds={UNKNOWN},42", MALFORMED.format("42")),
        (
            f"/identify?identificationProfileIds={UNKNOWN}&shortAudio=true",
            f"SpeakerInvalid: Requested profile doesn't exist: {UNKNOWN}.",
        ),
    ],
)
def test_a_profile_named_by_parameter_must_be_there(api: Client, path: str, message: str) -> None:
    assert api.post(path, recording(PASSPORT)).error == (400, "BadRequest", message)


def test_an_unknown_operation_is_not_found(api: Client) -> None:
    assert api.get(f"/operations/{UNKNOWN}").error == (
        404,
        "NotFound",
        f"No operation id found: {UNKNOWN}. Operations are kept for 24 hours.",
    )


def test_a_malformed_operation_id_is_named(api: Client) -> None:
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
        ("PUT", "/verificationProfiles", {"GET", "POST", "OPTIONS"}),
        ("POST", f"/verificationProfiles/{UNKNOWN}", {"GET", "DELETE", "OPTIONS"}),
        ("GET", f"/identificationProfiles/{UNKNOWN}/enroll", {"POST", "OPTIONS"}),
        ("GET", "/verify", {"POST", "OPTIONS"}),
        ("DELETE", "/identify", {"POST", "OPTIONS"}),
        ("POST", "/verificationPhrases", {"GET", "OPTIONS"}),
        ("DELETE", f"/operations/{UNKNOWN}", {"GET", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_told_which_are_right(api: Client, method: str, path: str, allowed: set[str]) -> None:
    answer = api.call(method, PREFIX + path)
    assert answer.error[:2] == (405, "MethodNotAllowed")
    assert {name.strip() for name in answer.headers["allow"].split(",")} == allowed
