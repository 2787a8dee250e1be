"""What a caller gets where a request cannot be served: our own JSON, on whichever host the service runs."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from localhost.azurite import Azurite
from shared.domain.limits import MAX_BODY_BYTES
from tests.api.client import NOBODY, Answer, Client, Profiles, verify
from tests.api.later import IDENTIFY
from tests.service import REPOSITORY, RunningService, running_service
from tests.voices import PASSPORT, QUESTION, recording

MIB = 1024 * 1024


@pytest.mark.parametrize("generation", IDENTIFY)
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [40, 200])
def test_a_body_of_many_megabytes(api: Client, generation: str, chunked: bool, size: int) -> None:
    """Beyond our limit, and beyond what the functions host itself once took."""
    body = (bytes(MIB) for _ in range(size)) if chunked else bytes(size * MIB)
    status, code, message = api.call("POST", IDENTIFY[generation].format(NOBODY), body).error
    assert (status, code) == (413, "RequestEntityTooLarge")
    assert message.startswith(f"The request body may have {MAX_BODY_BYTES:,} bytes. Received ")
    assert ("at least" in message) is chunked


def test_200_at_once_are_all_answered_by_us(api: Client, by_passport: str) -> None:
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: verify(api, by_passport, recording(PASSPORT)), range(200)))
    assert {answer.status for answer in answers} == {200, 503}
    for refused in (answer for answer in answers if answer.status == 503):
        assert refused.headers["retry-after"] == "1"
        assert refused.error[1] == "ServiceUnavailable"


def test_the_root_says_what_this_is(api: Client) -> None:
    nobody = replace(api, key=None)
    answer = nobody.call("GET", "/")
    assert answer.status == 200
    assert set(answer.json) == {"service", "version", "openapi", "health", "console", "docs"}
    assert (answer.json["service"], answer.json["health"]) == ("Timbre", "/health/ready")
    assert nobody.call("GET", answer.json["openapi"]).status == 200
    assert replace(nobody, checked=False).call("GET", answer.json["console"]).status == 307
    assert (REPOSITORY / answer.json["docs"].partition(" ")[0]).is_file()


@pytest.mark.local_host("Azure's host passes no answer on before the upload has ended, and gives up at functionTimeout")
def test_an_upload_that_stalls(stalled_upload: Future[Answer]) -> None:
    status, code, message = stalled_upload.result().error
    assert (status, code) == (408, "RequestTimeout")
    assert "Received 262,144 bytes" in message


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[RunningService]:
    """A service whose worker may be killed."""
    settings = {"VOICE_STORAGE": azurite.connection_string}
    with running_service(tmp_path_factory.mktemp("own") / "service.log", environment=settings) as running:
        yield running


@pytest.mark.azure_host("only Azure's host starts another worker when one dies")
def test_a_worker_that_dies_is_replaced(own: RunningService) -> None:
    client = Client(own.url, own.key)
    profile_id = Profiles(client, "identification").enrolled(recording(QUESTION))
    for worker in workers(own):
        os.kill(worker, signal.SIGKILL)
    answer = answered(client, IDENTIFY["v2.0"].format(profile_id), recording(QUESTION))
    assert answer.json["identifiedProfile"]["profileId"] == profile_id
    alert = (REPOSITORY / "infra" / "queries" / "worker-restarts.kql").read_text(encoding="utf-8")
    (exception,) = re.findall(r'has "(\w+)"', alert)
    assert f".{exception}: " in own.log.read_text(encoding="utf-8"), "the alert asks for what the host writes"


def workers(service: RunningService) -> list[int]:
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    children = [int(pid) for pid, parent, args in rows if int(parent) == service.process.pid and "worker.py" in args]
    assert children
    return children


def answered(client: Client, path: str, audio: bytes) -> Answer:
    """The host's own 500 without a body is what a request gets whose worker has gone; the next one waits for a new."""
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = client.call("POST", path, audio)
        except AssertionError:
            assert time.monotonic() < deadline, "no worker within a minute"
            continue
        assert answer.status == 200, answer.body
        return answer


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:7071"])
def test_no_link_leads_to_a_host_that_the_caller_made_up(api: Client, host: str) -> None:
    headers = {"Host": host, "X-Forwarded-Host": "localhost"}
    status, code, message = api.call("POST", IDENTIFY["v1.0"].format(NOBODY), recording(QUESTION), headers).error
    assert (status, code) == (400, "BadRequest")
    assert host in message
    assert "TIMBRE_ALLOWED_HOSTS" in message


@pytest.mark.azure_host("the local host passes such a header on")
@pytest.mark.long_on_azure("the host gives up after twenty seconds")
def test_a_header_that_the_host_cannot_proxy_holds_up_nobody(service: RunningService, api: Client) -> None:
    """The host's own 500, when the invocation has given up waiting for its request."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=90)
    try:
        connection.request("GET", "/spid/v1.0/verificationProfiles", headers={"Ocp-Apim-Subscription-Key": "\xc3\xa9"})
        assert connection.getresponse().status == 500
    finally:
        connection.close()
    assert api.call("GET", "/spid/v1.0/verificationProfiles").status == 200
