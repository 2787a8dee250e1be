"""The service as its callers see it: over HTTP, with a subscription key."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from localhost.azurite import Azurite
from shared.domain.limits import UPLOAD_STALL_SECONDS
from tests.api.client import NOBODY, Answer, Client, Profiles
from tests.api.later import IDENTIFICATION, IDENTIFY, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Generation, Speakers
from tests.api.log import check_secrets
from tests.api.operator import Customer, Operator
from tests.api.stored import Stored
from tests.service import RunningService
from tests.voices import PASSPORT, STORY, recording, takes

STALLED_BYTES = 256 * 1024


def pytest_configure(config: pytest.Config) -> None:
    """Here alone, as its import takes a second of every process."""
    config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


@pytest.fixture(scope="session", autouse=True)
def log_at_the_end(service: RunningService, azurite: Azurite) -> Iterator[None]:
    """After the last test of this process: what the service has printed over all of them holds no secret.

    Each request has a line, the app's own lines are of level INFO or say that a hostile body has killed a decoder.
    """
    yield
    log = service.log.read_text(encoding="utf-8")
    storage_key = azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]
    check_secrets(log, service, (service.key, service.management_key, storage_key))


@pytest.fixture(scope="session")
def api(service: RunningService) -> Client:
    return Client(service.url, service.key)


def stalling() -> Iterator[bytes]:
    """A body whose second half comes too late."""
    yield bytes(STALLED_BYTES)
    time.sleep(UPLOAD_STALL_SECONDS + 1.0)


@pytest.fixture(scope="session", autouse=True)
def stalled_upload(api: Client, request: pytest.FixtureRequest) -> Iterator[Future[Answer] | None]:
    """What an upload gets that stalls when the session begins: its refusal takes 20 s, so other tests run meanwhile."""
    if not any(item.path.name == "test_refusals.py" for item in request.session.items):
        yield None
        return
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(api.call, "POST", IDENTIFY["v1.0"].format(NOBODY), stalling())


@pytest.fixture(scope="session")
def operator(service: RunningService) -> Operator:
    return Operator(service.url, service.management_key)


@pytest.fixture
def customer(operator: Operator) -> Customer:
    """A subscription of the test's own."""
    return operator.customer()


@pytest.fixture(scope="session")
def verification(api: Client) -> Profiles:
    return Profiles(api, "verification")


@pytest.fixture(scope="session")
def identification(api: Client) -> Profiles:
    return Profiles(api, "identification")


@pytest.fixture(scope="session")
def by_passport(verification: Profiles) -> str:
    """A profile whose phrase is PASSPORT, spoken by slt. Not to be changed."""
    return verification.enrolled(*takes(PASSPORT))


@pytest.fixture(scope="session")
def voices(identification: Profiles) -> Mapping[str, str]:
    """Voice to the id of its identification profile. Not to be changed."""
    return {voice: identification.enrolled(recording(STORY, voice)) for voice in ("slt", "awb", "rms")}


@pytest.fixture(params=[V2, V2021], ids=lambda generation: generation.name)
def generation(request: pytest.FixtureRequest) -> Generation:
    """A test that uses it, or a fixture below, runs once for each later generation."""
    generation: Generation = request.param
    return generation


@pytest.fixture
def by_phrase(api: Client, generation: Generation) -> Speakers:
    return Speakers(api, generation, TEXT_DEPENDENT)


@pytest.fixture
def by_voice(api: Client, generation: Generation) -> Speakers:
    return Speakers(api, generation, TEXT_INDEPENDENT)


@pytest.fixture
def to_identify(api: Client, generation: Generation) -> Speakers:
    return Speakers(api, generation, IDENTIFICATION)


@pytest.fixture(scope="session")
def stored(azurite: Azurite) -> Stored:
    return Stored(azurite.connection_string)
