"""Whose things there are: subscriptions that are known, and ids under which something lies all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.storage.backend.account import StorageAccount
from shared.storage.backend.errors import azure_errors
from shared.storage.layout import (
    AUDIT,
    ENROLLMENT_AUDIO,
    GALLERIES,
    LONG_RECORDINGS,
    SUBSCRIPTIONS_PARTITION,
    VOICES,
)
from shared.storage.stores import Storage
from tools.orphans.census import ALL

Strays = Callable[[], Iterable[str]]
"""Every partition of voices and audit and every first part of a blob's name: more than the storage ports can ask."""

_KEY_PARTITIONS: Final = tuple(f"{number:02x}" for number in range(256))


@dataclass(frozen=True)
class Owners:
    """``known`` stand in the table of subscriptions; ``indexed`` are the entries of the keys' index, by whose id."""

    known: frozenset[str]
    all: tuple[str, ...]
    indexed: dict[str, list[str]]


def find(account: Storage, strays: Strays) -> Owners:
    own = [row.key.partition(":") for row in account.subscriptions.query(SUBSCRIPTIONS_PARTITION, *ALL, select=())]
    indexed: dict[str, list[str]] = {}
    for partition in _KEY_PARTITIONS:
        for row in account.keys.query(partition, *ALL):
            indexed.setdefault(row.get("subscription_id", str), []).append(row.key)
    known = frozenset(name for kind, _, name in own if kind == "subscription")
    everyone = {name.partition(":")[0] for _, _, name in own} | set(indexed) | set(strays())
    return Owners(known, tuple(sorted(everyone)), indexed)


def azure_strays(storage: StorageAccount) -> set[str]:
    found: set[str] = set()
    with azure_errors(), _tables(storage) as tables:
        for name in (VOICES, AUDIT):
            with suppress(ResourceNotFoundError):  # made by the first write
                found.update(_partitions(tables.get_table_client(name)))
    with azure_errors(), _blobs(storage) as blobs:
        for name in (ENROLLMENT_AUDIO, GALLERIES, LONG_RECORDINGS):
            with suppress(ResourceNotFoundError):
                names = blobs.get_container_client(name).walk_blobs(delimiter="/")
                found.update(str(one.name).partition("/")[0] for one in names)
    return found


def _partitions(table: TableClient) -> Iterator[str]:
    """From one partition to the next: a query for each, however many rows they have."""
    last = ""
    while True:
        query = table.query_entities(
            "PartitionKey gt @last", parameters={"last": last}, select=["PartitionKey"], results_per_page=1
        )
        row = next(iter(query), None)
        if row is None:
            return
        last = str(row["PartitionKey"])
        yield last


def _tables(storage: StorageAccount) -> TableServiceClient:
    if storage.connection_string:
        return TableServiceClient.from_connection_string(storage.connection_string)
    return TableServiceClient(storage.table_uri, credential=storage.credential)


def _blobs(storage: StorageAccount) -> BlobServiceClient:
    if storage.connection_string:
        return BlobServiceClient.from_connection_string(storage.connection_string)
    return BlobServiceClient(storage.blob_uri, credential=storage.credential)
