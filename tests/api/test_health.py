"""Health over the wire: alive is not ready, and what is not ready is named without saying why."""

from __future__ import annotations

import base64
import socket
from pathlib import Path

import pytest

from tests.api.client import Client
from tests.service import RunningService, running_service

READY = {"storage": True, "keyEncryption": True, "model": True}


def test_a_service_with_all_it_needs_is_ready_and_needs_no_key(service: RunningService) -> None:
    client = Client(service.url, None)
    assert client.call("GET", "/health").json == {"status": "healthy"}
    answer = client.call("GET", "/health/ready")
    assert (answer.status, answer.json) == (200, {"status": "ready", "parts": READY})
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.long_on_azure("the host waits half a minute for its storage")
def test_without_storage_it_is_alive_and_not_ready(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}/none"
        secret = base64.b64encode(b"secret").decode()
        settings = {
            "VOICE_STORAGE": f"AccountName=none;AccountKey={secret};TableEndpoint={nowhere};BlobEndpoint={nowhere};",
            "TIMBRE_LOCAL_SUBSCRIPTION_KEY": "",
        }
        with running_service(tmp_path / "log", environment=settings) as running:
            client = Client(running.url, None)
            assert client.call("GET", "/health").status == 200
            answer = client.call("GET", "/health/ready")
            assert (answer.status, answer.json["parts"]) == (503, {**READY, "storage": False})
            assert secret.encode() not in answer.body


def test_with_settings_that_stop_the_start_it_is_alive_and_not_ready(tmp_path: Path, service: RunningService) -> None:
    settings = {"TIMBRE_STRICT_AUDIO": "perhaps"}
    with running_service(tmp_path / "log", environment=settings) as running:
        client = Client(running.url, None)
        assert client.call("GET", "/health").status == 200
        answer = client.call("GET", "/health/ready")
        assert (answer.status, answer.json) == (503, {"status": "notReady", "parts": {"settings": False}})
