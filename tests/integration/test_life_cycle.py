"""A subscription from its creation to nothing, over HTTP on Azurite, with the service killed in the middle of deleting.

The kill is SIGKILL to the whole process. Azurite is a process of its own and goes on, as Azure's storage would.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.storage import layout
from tests.api.client import Answer, Profiles
from tests.api.two_subscriptions import PlainClient, new_subscription, operator
from tests.integration.own_storage import World, world
from tests.service import RunningService
from tests.voices import PASSPORT, STORY, recording, takes

pytestmark = pytest.mark.azurite

TABLES = (layout.VOICES, layout.KEYS, layout.AUDIT, layout.SUBSCRIPTIONS)
DAY_SECONDS = 86_400
RECORDINGS = 4
NEVER = 60.0


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("life")) as one:
        yield one


@pytest.fixture(scope="module")
def kept(storage: World) -> str:
    """A subscription that nothing is done to."""
    with storage.service() as service:
        return with_voices(service)[0]


def stored(storage: World) -> dict[str, str]:
    """Every row and blob there is, by place and name, each with its ETag."""
    found: dict[str, str] = {}
    connection_string = storage.azurite.connection_string
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for name in TABLES:
            for row in tables.get_table_client(name).list_entities():
                owner = row.get("subscription_id", "")
                found[f"{name}/{row['PartitionKey']}/{row['RowKey']}/{owner}"] = str(row.metadata["etag"])
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for name in (layout.ENROLLMENT_AUDIO, layout.GALLERIES):
            with suppress(ResourceNotFoundError):  # made by the first write
                for blob in blobs.get_container_client(name).list_blobs():
                    found[f"{name}/{blob.name}"] = str(blob.etag)
    return found


def about(storage: World, one: str) -> dict[str, str]:
    return {name: etag for name, etag in stored(storage).items() if one in name}


def state(service: RunningService, subscription_id: str) -> str:
    answer = operator(service, "GET", f"/manage/subscriptions/{subscription_id}")
    assert answer.status == 200, answer.body
    return str(answer.json["state"])


def delete(service: RunningService, subscription_id: str) -> Answer:
    return operator(service, "DELETE", f"/manage/subscriptions/{subscription_id}")


def with_voices(service: RunningService) -> tuple[str, PlainClient, list[str]]:
    """A new subscription with an enrolled profile of a phrase, one of speech with audio, and an operation."""
    subscription_id, client = new_subscription(service)
    assert isinstance(client, PlainClient)
    by_phrase = Profiles(client, "verification").enrolled(*takes(PASSPORT))
    recordings = [recording(STORY)] * RECORDINGS
    by_speech = Profiles(client, "identification").enrolled(*recordings, query="?shortAudio=true")
    return subscription_id, client, [by_phrase, by_speech]


def killed_during(storage: World, service: RunningService, call: Callable[[], object], after: float) -> None:
    """The call goes out, and that many seconds later the service is no more."""

    def ignoring_the_end() -> None:
        with suppress(OSError, HTTPException, AssertionError):
            call()

    caller = threading.Thread(target=ignoring_the_end)
    caller.start()
    caller.join(after)
    storage.kill(service)
    caller.join(NEVER)
    assert not caller.is_alive()


def assert_nothing_is_left(storage: World, subscription_id: str) -> None:
    """But the completion record: the subscription's own row."""
    own = f"{layout.SUBSCRIPTIONS}/{layout.SUBSCRIPTIONS_PARTITION}/{layout.subscription_row(subscription_id)}/"
    assert list(about(storage, subscription_id)) == [own]


def test_a_short_retention_takes_the_voices_within_two_ticks(
    storage: World, kept: str, record_property: Callable[[str, object], None]
) -> None:
    with storage.service() as service:
        subscription_id, client, (by_phrase, by_speech) = with_voices(service)
        neighbour = about(storage, kept)
        policy = {"retention": {"maxIdleDays": 2 / DAY_SECONDS}}
        assert operator(service, "PUT", f"/manage/subscriptions/{subscription_id}", policy).status == 200
        time.sleep(2.1)
        gone = [
            client.get(f"/verificationProfiles/{by_phrase}").status,
            client.get(f"/identificationProfiles/{by_speech}").status,
            client.post(f"/verify?verificationProfileId={by_phrase}", recording(PASSPORT)).status,
        ]
        assert gone == [404, 404, 400]
        started = time.perf_counter()
        service.fire("retention")  # walks the profiles that the new policy ends
        service.fire("retention")  # and takes them
        record_property("two_ticks_ms", round(1000 * (time.perf_counter() - started)))
        left = [name for name in about(storage, subscription_id) if not name.startswith(f"{layout.AUDIT}/")]
        assert not any(one in name for name in left for one in (by_phrase, by_speech))
        assert not any(name.startswith(layout.ENROLLMENT_AUDIO) for name in left)
        assert about(storage, kept) == neighbour


@pytest.mark.parametrize(
    ("delete_seconds", "tick_seconds"),
    [(0.0, 0.05), (0.01, 0.15), (0.02, 0.25), (0.03, 0.35), (0.05, 0.45)],
)
def test_a_service_killed_while_it_deletes_leaves_nothing_behind(
    delete_seconds: float,
    tick_seconds: float,
    storage: World,
    kept: str,
    record_property: Callable[[str, object], None],
) -> None:
    """Killed in the middle of DELETE, started anew, killed in the middle of the timer, started anew: then finished."""
    with storage.service() as service:
        subscription_id, client, _ = with_voices(service)
        neighbour = about(storage, kept)
        killed_during(storage, service, lambda: delete(service, subscription_id), delete_seconds)
    started = time.perf_counter()
    with storage.service() as service:
        record_property("restart_ms", round(1000 * (time.perf_counter() - started)))
        record_property("after_the_first_kill", state(service, subscription_id))
        started = time.perf_counter()
        assert delete(service, subscription_id).status == 202
        record_property("delete_ms", round(1000 * (time.perf_counter() - started)))
        assert PlainClient(service.url, client.key).get("/verificationProfiles").status == 401
        killed_during(storage, service, lambda: service.fire("retention"), tick_seconds)
    record_property("left_by_the_second_kill", len(about(storage, subscription_id)))
    with storage.service() as service:
        started = time.perf_counter()
        service.fire("retention")
        record_property("last_tick_ms", round(1000 * (time.perf_counter() - started)))
        assert_nothing_is_left(storage, subscription_id)
        assert state(service, subscription_id) == "deleted"
        assert about(storage, kept) == neighbour
    assert storage.orphans().found == ()


def test_after_everything_the_audit_of_orphans_reports_zero(storage: World) -> None:
    result = storage.orphans()
    assert result.found == ()
    assert result.subscriptions >= 2
