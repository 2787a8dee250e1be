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
from tools.meetings.long import MINUTES as DRAWN_MINUTES
from tools.meetings.long import long_meeting
from tools.meetings.measures import naming
from tools.meetings.simulation import Meeting, Turn

pytestmark = pytest.mark.azurite

MINUTES = 30
PATIENCE_SECONDS = 1_200.0
PAUSE_SECONDS = 2.0
"""Of the host before each part, so that half an hour takes two slices on the fastest machine."""


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


def test_a_meeting_comes_back_as_if_nothing_had_happened_though_the_service_is_killed_in_the_middle(
    speech: Path, tmp_path: Path, long_form: bool
) -> None:
    """How much of it is right is measured in ``dev.py evaluate --turns``, and printed here."""
    if not long_form:
        pytest.skip("takes minutes: the long form")
    meeting = long_meeting(speech / "manifest.csv", DRAWN_MINUTES[-1]).until(60.0 * MINUTES)
    with world(tmp_path) as storage, recording_host(PAUSE_SECONDS) as host:
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
            slice_.join(5.0)
            assert slice_.is_alive()
            storage.kill(service)
            slice_.join()
        assert 0 < half["percentComplete"] < 100
        with storage.service(hosts) as service:
            client = Client(service.url, service.key)
            assert look(client, operation).json["percentComplete"] == half["percentComplete"]
            killed = ended(client, service, operation)
            whole = ended(client, service, begun(client, ",".join(names), url))
        orphans = storage.orphans()
    assert (killed["status"], whole["status"], orphans.found) == ("succeeded", "succeeded", ())
    assert killed["result"] == whole["result"]
    turns = [
        Turn(turn["start"], turn["end"], names.get(turn["speaker"], turn["speaker"]))
        for turn in killed["result"]["turns"]
    ]
    print(f"half an hour: {naming(meeting.turns, turns, meeting.strangers)}")
    assert {turn.speaker for turn in turns} & set(names.values())
