"""Half an hour of four enrolled people and a stranger, over HTTP, with the service killed in the middle of it.

Simulated from real takes of people whom nothing was fitted by (``tools/meetings``). The cuts at every single call of
storage are in tests/chaos.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from tests.api.client import Client, Profiles
from tests.api.test_long_recordings import begun, look
from tests.integration.own_storage import world
from tests.recording_host import recording_host
from tests.service import RunningService
from tools.calibration.hearing import as_wav
from tools.meetings.long import long_meeting
from tools.meetings.measures import naming
from tools.meetings.simulation import Meeting, Turn

pytestmark = pytest.mark.azurite

MINUTES = 30
RIGHT = 0.9
"""Of the enrolled people's time."""
PATIENCE_SECONDS = 1_200.0


def names_of(client: Client, meeting: Meeting) -> Mapping[str, str]:
    """Profile to voice."""
    profiles = Profiles(client, "identification")
    return {profiles.enrolled(*map(as_wav, voice.enrolment)): voice.name for voice in meeting.candidates}


def ended(client: Client, service: RunningService, operation: str) -> dict[str, Any]:
    """Fires the timer until it is over; a lease that a killed slice has left ends after three minutes."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        service.fire("turns")
        found: dict[str, Any] = look(client, operation).json
        if found["status"] in ("succeeded", "failed"):
            return found
        time.sleep(5.0)
    raise AssertionError("the recording is never done")


def fire(service: RunningService) -> None:
    with suppress(OSError, URLError):
        service.fire("turns")


def test_a_meeting_of_half_an_hour_is_named_though_the_service_is_killed_in_the_middle(
    speech: Path, tmp_path: Path, long_form: bool
) -> None:
    if not long_form:
        pytest.skip("takes minutes: the long form")
    meeting = long_meeting(speech / "manifest.csv", MINUTES)
    with world(tmp_path) as storage, recording_host() as host:
        hosts = {"TIMBRE_RECORDING_HOSTS": f"127.0.0.1:{host.port}"}
        url = host.put("/meeting.wav", as_wav(meeting.samples[0]))
        with storage.service(hosts) as service:
            client = Client(service.url, service.key)
            names = names_of(client, meeting)
            operation = begun(client, ",".join(names), url)
            service.fire("turns")
            half = look(client, operation).json
            slice_ = threading.Thread(target=fire, args=[service])
            slice_.start()
            slice_.join(15.0)
            assert slice_.is_alive()
            storage.kill(service)
            slice_.join()
        assert 0 < half["percentComplete"] < 100
        with storage.service(hosts) as service:
            client = Client(service.url, service.key)
            assert look(client, operation).json["percentComplete"] == half["percentComplete"]
            found = ended(client, service, operation)
    assert found["error"] is None
    turns = [
        Turn(turn["start"], turn["end"], names.get(turn["speaker"], turn["speaker"]))
        for turn in found["result"]["turns"]
    ]
    counted = naming(meeting.turns, turns, meeting.strangers)
    print(f"half an hour: {counted}, {len(found['result']['speakers'])} speakers")
    assert counted.right >= RIGHT * counted.enrolled
    assert counted.strangers_named == pytest.approx(0.0, abs=0.05 * counted.strangers)
