"""The service as its callers see it: over HTTP, with a subscription key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from localhost.azurite import Azurite
from shared.domain.limits import UPLOAD_STALL_SECONDS
from tests.api.client import Client, Profiles
from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Generation, Speakers
from tests.api.operator import Customer, Operator
from tests.api.raw import STALLED_BYTES, RawAnswer, upload
from tests.api.stored import Stored
from tests.service import RunningService
from tests.voices import PASSPORT, STORY, recording, takes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The service's log is read when every other call has been made."""
    items.sort(key=lambda item: item.path.name == "test_secrets.py")


@pytest.fixture(scope="session")
def api(service: RunningService) -> Client:
    return Client(service.url, service.key)


@pytest.fixture(scope="session", autouse=True)
def stalled_upload(service: RunningService, request: pytest.FixtureRequest) -> Iterator[Future[RawAnswer] | None]:
    """What an upload gets that stalls when the session begins: its refusal takes 20 s, so other tests run meanwhile."""
    wanted = any(item.path.name == "test_refusals.py" for item in request.session.items)
    if service.is_azure_host or not wanted:  # that host passes no answer on before the upload has ended
        yield None
        return
    body = b"%x\r\n%s\r\n" % (STALLED_BYTES, bytes(STALLED_BYTES))
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(upload, service, "Transfer-Encoding: chunked", body, 3 * UPLOAD_STALL_SECONDS)


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
