"""Long recordings over HTTP: read from a host on this machine, worked on by the timer."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.api.client import DATE, UNKNOWN, Answer, Client
from tests.api.later import IDENTIFICATION, V2021
from tests.api.operator import Customer
from tests.api.stored import Stored
from tests.api.test_turns import ask, conversation
from tests.recording_host import RecordingHost
from tests.service import RunningService
from tests.voices import QUESTION, flite, wav_bytes


def begin(client: Client, candidates: str, url: object, query: str = "") -> Answer:
    path = V2021.path(IDENTIFICATION, "/profiles:identifyTurns", f"&profileIds={candidates}{query}")
    body = json.dumps({"recordingUrl": url}).encode()
    return client.call("POST", path, body, {"Content-Type": "application/json; charset=utf-8"})


def look(client: Client, operation: str) -> Answer:
    return client.call("GET", operation)


def begun(client: Client, candidates: str, url: str, query: str = "") -> str:
    answer = begin(client, candidates, url, query)
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (202, b"", "60")
    location = answer.headers["operation-location"]
    assert location.startswith(f"{client.url}/operations/")
    return location.removeprefix(client.url)


@pytest.fixture
def meeting(recordings: RecordingHost) -> str:
    return recordings.put("/meeting.wav", conversation())


def test_it_is_named_as_in_a_request_and_can_be_taken_away(
    api: Client, voices: Mapping[str, str], meeting: str, service: RunningService
) -> None:
    among = f"{voices['slt']},{voices['rms']}"
    operation = begun(api, among, meeting)
    waiting = look(api, operation).json
    assert (waiting["status"], waiting["percentComplete"]) == ("notstarted", 0)
    assert (waiting["result"], waiting["error"]) == (None, None)
    service.fire("turns")
    done = look(api, operation).json
    assert (done["status"], done["percentComplete"], done["error"]) == ("succeeded", 100, None)
    assert done["result"] == ask(api, among, conversation()).json
    assert all(DATE.fullmatch(done[name]) for name in ("createdDateTime", "lastActionDateTime", "expiresDateTime"))
    assert operation.endswith(done["operationId"])
    assert [api.call("DELETE", operation).status, look(api, operation).status] == [204, 404]
    assert api.call("DELETE", operation).status == 404


def test_a_source_that_fails_is_named_and_its_url_is_not_repeated(
    customer: Customer, recordings: RecordingHost, service: RunningService
) -> None:
    customer.identification.enrolled(wav_bytes(flite(QUESTION)))
    client = customer.primary
    gone = begun(client, "*", f"http://127.0.0.1:{recordings.port}/absent?sig=secret-signature")
    text = begun(client, "*", recordings.put("/page.html", b"<html>Sign in</html>"))
    service.fire("turns")
    failures = [look(client, operation).json for operation in (gone, text)]
    assert [failure["status"] for failure in failures] == ["failed", "failed"]
    assert [failure["error"]["code"] for failure in failures] == ["SourceExpired", "AudioUnreadable"]
    assert "secret" not in json.dumps(failures)
    assert "secret" not in service.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.com/x",
        "http://127.0.0.1:1/x",
        "http://169.254.169.254/metadata/identity/oauth2/token",
        "file:///etc/passwd",
        "",
        "x" * 5_000,
    ],
)
def test_what_the_operator_has_not_listed_is_refused_at_once(api: Client, voices: Mapping[str, str], url: str) -> None:
    status, code, message = begin(api, voices["slt"], url).error
    assert (status, code) == (400, "InvalidArgument")
    assert message.startswith("Invalid recordingUrl parameter value. ")
    assert not url or url not in message


def test_a_request_is_refused_by_what_it_lacks(api: Client, voices: Mapping[str, str], meeting: str) -> None:
    path = V2021.path(IDENTIFICATION, "/profiles:identifyTurns", f"&profileIds={voices['slt']}")

    def refused(body: bytes) -> tuple[int, str, str]:
        return api.call("POST", path, body, {"Content-Type": "application/json"}).error

    assert refused(b"{}")[:2] == (400, "InvalidRequest")
    assert refused(b'{"recordingUrl": 7}')[:2] == (400, "InvalidArgument")
    assert refused(b'{"recordingUrl": "x", "more": 1}')[:2] == (400, "InvalidArgument")
    assert refused(b"{nonsense")[:2] == (400, "InvalidRequest")
    assert begin(api, UNKNOWN, meeting).status == 404
    assert begin(api, voices["slt"], meeting, "&minSpeakers=5&maxSpeakers=2").status == 400
    assert begin(api, voices["slt"], meeting, "&channel=0").status == 400
    assert begin(api, "group:absent", meeting).status == 404


def test_two_are_open_and_foreign_ones_are_unknown(
    customer: Customer, api: Client, meeting: str, stored: Stored
) -> None:
    customer.identification.enrolled(wav_bytes(flite(QUESTION)))
    before = stored.of_subscription(customer.subscription_id)
    first, second = (begun(customer.primary, "*", meeting) for _ in range(2))
    third = begin(customer.primary, "*", meeting)
    assert (third.status, third.headers["retry-after"]) == (429, "60")
    for method in ("GET", "DELETE"):
        assert api.call(method, first).error[:2] == (404, "NotFound")
    assert [customer.primary.call("DELETE", operation).status for operation in (first, second)] == [204, 204]
    assert stored.of_subscription(customer.subscription_id) == before


def test_an_unknown_one_is_404_and_what_is_no_id_400(api: Client) -> None:
    for operation_id in (UNKNOWN, "019b7ca9-8c88-7000-8000-000000000005"):
        assert look(api, f"/operations/{operation_id}").error[:2] == (404, "NotFound")
    assert look(api, "/operations/no-id").error[:2] == (400, "InvalidArgument")


def test_a_recording_that_is_called_json_is_heard_all_the_same(api: Client, voices: Mapping[str, str]) -> None:
    path = V2021.path(IDENTIFICATION, "/profiles:identifyTurns", f"&profileIds={voices['slt']}")
    assert api.call("POST", path, conversation(), {"Content-Type": "application/json"}).status == 200
