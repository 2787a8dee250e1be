"""What a caller gets where a request cannot be served: our own JSON, on whichever host the service runs."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from localhost.azurite import Azurite
from shared.domain.limits import MAX_BODY_BYTES, UPLOAD_STALL_SECONDS
from tests.api.client import Answer, Client, Profiles
from tests.service import RunningService, running_service
from tests.voices import PASSPORT, QUESTION, recording, takes

V1 = "/spid/v1.0/identify?shortAudio=true&identificationProfileIds={}"
V2 = "/speaker/identification/v2.0/text-independent/profiles/identifySingleSpeaker?ignoreMinLength=true&profileIds={}"
V2021 = (
    "/speaker-recognition/identification/text-independent/profiles:identifySingleSpeaker"
    "?api-version=2021-09-05&ignoreMinLength=true&profileIds={}"
)
NOBODY = "00000000-0000-0000-0000-000000000000"
MIB = 1024 * 1024


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // MIB):
        yield bytes(MIB)


@pytest.mark.parametrize("path", [V1, V2, V2021])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_ours_and_beyond_the_hosts_old_limit(api: Client, path: str, chunked: bool) -> None:
    size = 40 * MIB
    answer = api.call("POST", path.format(NOBODY), chunks(size) if chunked else bytes(size))
    assert answer.status == 413
    error = json.loads(answer.body)["error"]
    assert error["code"] == "RequestEntityTooLarge"
    assert error["message"].startswith(f"The request body may have {MAX_BODY_BYTES:,} bytes. Received ")
    assert ("at least" in error["message"]) is chunked


def test_200_at_once_are_all_answered_by_us(api: Client) -> None:
    profile_id = Profiles(api, "verification").enrolled(*takes(PASSPORT))
    path, audio = f"/spid/v1.0/verify?verificationProfileId={profile_id}", recording(PASSPORT)
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: api.call("POST", path, audio), range(200)))
    assert {answer.status for answer in answers} == {200, 503}
    for refused in (answer for answer in answers if answer.status == 503):
        assert refused.headers["retry-after"] == "1"
        assert refused.error[1] == "ServiceUnavailable"


def test_the_root_says_what_this_is(service: RunningService) -> None:
    answer = Client(service.url, None).call("GET", "/")
    assert answer.status == 200
    assert set(answer.json) == {"service", "version", "openapi", "health"}
    assert (answer.json["service"], answer.json["health"]) == ("Timbre", "/health/ready")
    assert Client(service.url, None).call("GET", answer.json["openapi"]).status == 200


def raw(service: RunningService, head: str, body: bytes, patience: float, end: bool = False) -> tuple[bytes, float]:
    """Everything that comes back, and after how many seconds; ``end`` closes the client's own side."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=patience) as connection:
        head = f"POST {V1.format(NOBODY)} HTTP/1.1\r\nHost: {address.netloc}\r\n{head}\r\n"
        connection.sendall(f"{head}Ocp-Apim-Subscription-Key: {service.key}\r\n\r\n".encode() + body)
        if end:
            connection.shutdown(socket.SHUT_WR)
        started, received = time.monotonic(), b""
        while part := connection.recv(65536):
            received += part
            if _is_whole(received):
                break
        return received, time.monotonic() - started


def _is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(separator and lengths and len(body) >= int(lengths[0]))


@pytest.mark.local_host("Azure's host passes no answer on before the upload has ended, and gives up at functionTimeout")
def test_an_upload_that_stalls(service: RunningService) -> None:
    part = bytes(256 * 1024)
    body = b"%x\r\n%s\r\n" % (len(part), part)
    answer, seconds = raw(service, "Transfer-Encoding: chunked", body, patience=3 * UPLOAD_STALL_SECONDS)
    assert seconds > UPLOAD_STALL_SECONDS - 1
    assert int(answer.split()[1]) == 408
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert error["code"] == "RequestTimeout"
    assert f"Received {len(part):,} bytes" in error["message"]


@pytest.mark.local_host("Azure's host ends the connection when a client closes its own side early")
def test_an_upload_that_ends_early(service: RunningService) -> None:
    answer, _ = raw(service, "Content-Length: 1000", bytes(100), patience=30, end=True)
    assert int(answer.split()[1]) == 400
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert "Received 100 of 1,000 bytes" in error["message"]


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[RunningService]:
    """A service whose worker may be killed."""
    settings = {"VOICE_STORAGE": azurite.connection_string}
    with running_service(tmp_path_factory.mktemp("own") / "service.log", environment=settings) as running:
        yield running


@pytest.mark.azure_host("only Azure's host starts another worker when one dies")
def test_a_worker_that_dies_is_replaced(own: RunningService) -> None:
    client = Client(own.url, own.key)
    profile_id = Profiles(client, "identification").enrolled(recording(QUESTION), query="?shortAudio=true")
    for worker in workers(own):
        os.kill(worker, signal.SIGKILL)
    answer = answered(client, V2.format(profile_id), recording(QUESTION))
    assert answer.json["identifiedProfile"]["profileId"] == profile_id


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
    answer = api.call("POST", V1.format(NOBODY), recording(QUESTION), {"Host": host, "X-Forwarded-Host": "localhost"})
    status, code, message = answer.error
    assert (status, code) == (400, "BadRequest")
    assert host in message
    assert "TIMBRE_ALLOWED_HOSTS" in message


@pytest.mark.azure_host("the local host passes such a header on")
def test_a_header_that_the_host_cannot_proxy_holds_up_nobody(service: RunningService, api: Client) -> None:
    """The host's own 500, when the invocation has given up waiting for its request."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=90)
    try:
        connection.request("GET", "/spid/v1.0/verificationProfiles", headers={"Ocp-Apim-Subscription-Key": "\xc3\xa9"})
        assert connection.getresponse().status == 500
    finally:
        connection.close()
    assert api.call("GET", "/spid/v1.0/verificationProfiles").status == 200
