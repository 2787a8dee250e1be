"""How the account is addressed, and what a storage that fails looks like from above."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.domain.errors import StorageUnavailable
from shared.storage.backend import account as account_module
from shared.storage.backend import blobs as blobs_module
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.blobs import AzureBlobs
from shared.storage.backend.ports import Insert
from shared.storage.backend.tables import TableRows
from tests.azure.front import Front, Given


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_module, "MAX_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(blobs_module, "INITIAL_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(blobs_module, "BACKOFF_BASE", 0.0)


def account_at(port: int) -> StorageAccount:
    return StorageAccount(
        connection_string="DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=c2VjcmV0;"
        f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;TableEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )


@pytest.fixture(params=[500, 503, 429, 403, 400])
def failing_port(request: pytest.FixtureRequest) -> Iterator[int]:
    """A server that answers every request with one status."""
    front = Front(lambda _: Given(request.param, headers=[("Retry-After", "0")]))
    yield front.port
    front.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Nobody listens there, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def every_call(account: StorageAccount) -> list[Callable[[], object]]:
    rows, blobs = TableRows(account, "voices"), AzureBlobs(account, "audio")
    return [
        lambda: rows.get("p", "k"),
        lambda: list(rows.query("p", "a", "b")),
        lambda: rows.apply("p", [Insert("k", {})]),
        lambda: blobs.get("a/b"),
        lambda: blobs.put("a/b", b"x"),
        lambda: blobs.delete("a/b"),
        lambda: list(blobs.names("a/")),
    ]


def test_a_failing_storage_is_unavailable_to_every_call(failing_port: int) -> None:
    for call in every_call(account_at(failing_port))[:5:2]:
        with pytest.raises(StorageUnavailable):
            call()


@pytest.mark.parametrize("number", range(7))
def test_a_storage_that_is_not_there_is_unavailable(closed_port: int, number: int) -> None:
    with pytest.raises(StorageUnavailable):
        every_call(account_at(closed_port))[number]()


def test_a_storage_that_accepts_no_connection_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one attempt of the three. Its queue is full, so that it answers no greeting."""
    monkeypatch.setattr(account_module, "RETRIES", 0)
    monkeypatch.setattr(account_module, "CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = int(full.getsockname()[1])
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        started = time.monotonic()
        with pytest.raises(StorageUnavailable):
            TableRows(account_at(port), "voices").get("p", "k")
        assert 0.4 < time.monotonic() - started < 6.0
        for one in waiting:
            one.close()


def test_a_failure_is_logged_by_its_code_without_names_keys_or_addresses(
    closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = account_at(closed_port)
    calls: list[Callable[[], None]] = [
        lambda: TableRows(account, "voices").apply("the-partition", [Insert("the-row", {"phrase": "the-phrase"})]),
        lambda: AzureBlobs(account, "audio").put("the-blob", b"the-audio"),
    ]
    for call in calls:
        with pytest.raises(StorageUnavailable) as caught:
            call()
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
    assert len(caplog.messages) == 2
    assert all(message.startswith("storage_failed error=ServiceRe") for message in caplog.messages)
    assert not [word for word in ("the-", "127.0.0.1", "c2VjcmV0", "devstore") if word in caplog.text]


@pytest.mark.parametrize(
    "text", ["UseDevelopmentStorage=true", "UseDevelopmentStorage=true;", "usedevelopmentstorage=TRUE"]
)
def test_the_emulators_short_form_reaches_tables_and_blobs(text: str) -> None:
    account = StorageAccount(connection_string=text)
    assert "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1" in account.connection_string
    assert "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1" in account.connection_string


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"table_uri": "https://a.table.core.windows.net"},
        {"blob_uri": "https://a.blob.core.windows.net"},
        {"connection_string": "x", "table_uri": "https://a", "blob_uri": "https://b"},
    ],
)
def test_an_account_is_addressed_in_exactly_one_way(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="connection string, or the addresses"):
        StorageAccount(**fields)


def test_a_connection_string_is_not_shown() -> None:
    assert "c2VjcmV0" not in repr(account_at(1))


def test_with_a_connection_string_neither_identity_nor_key_vault_is_imported() -> None:
    """In a process of its own: other tests may have imported them here."""
    program = (
        "import sys; from shared.storage.backend.account import StorageAccount;"
        "from shared.storage.backend.tables import TableRows; from shared.storage.backend.blobs import AzureBlobs;"
        "from shared.storage.sealing.key_vault import KeyVaultKeyEncryption;"
        "account = StorageAccount(connection_string='UseDevelopmentStorage=true');"
        "TableRows(account, 'voices'); AzureBlobs(account, 'audio');"
        "KeyVaultKeyEncryption('https://vault.vault.azure.net/keys/timbre', account);"
        "lazy = {'azure.identity', 'azure.keyvault.keys', 'azure.storage.blob'}; print(sorted(lazy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_proxy_and_certificates_of_the_machine_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/own.pem")
    transport = account_at(1).transport
    assert transport.session.trust_env
    assert transport.connection_config.verify == "/etc/ssl/own.pem"


def test_where_there_are_none_nothing_is_looked_for_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in os.environ if one.lower().endswith("_proxy") or one.endswith("_CA_BUNDLE")]:
        monkeypatch.delenv(name)
    transport = account_at(1).transport
    assert not transport.session.trust_env
    assert transport.connection_config.verify is True
