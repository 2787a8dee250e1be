"""The key-encryption key is rotated while voices are stored: on Azurite, with the operator's command."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from localhost.azurite import Azurite
from shared.domain.errors import SealBroken, StorageUnavailable
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.memory import MemoryRows
from shared.storage.backend.ports import Insert, Merge, Remove, Rows
from shared.storage.backend.tables import TableRows
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption, WrappedKey
from tests.service import REPOSITORY
from tools.rewrap_keys import Rewrapped, rewrap

OLD, NEW = b"o" * 32, b"n" * 32


@dataclass(frozen=True)
class World:
    """Three subscriptions' data keys, wrapped under the old key."""

    rows: Rows
    ids: tuple[str, ...]
    keys: dict[str, bytes]


def world(rows: Rows) -> World:
    data_keys, ids = DataKeys(rows, LocalKeyEncryption(OLD)), tuple(f"s{number}-{uuid4()}" for number in range(3))
    for one in ids:
        rows.apply(SUBSCRIPTIONS_PARTITION, [data_keys.creation(one)])
    return World(rows, ids, {one: data_keys.of(one) for one in ids})


def under(rows: Rows, *keys: bytes) -> DataKeys:
    return DataKeys(rows, LocalKeyEncryption(keys[0], keys[1:]))


def quiet(_: Rewrapped) -> None:
    pass


def setting(*keys: bytes) -> str:
    return "local:" + ",".join(base64.b64encode(key).decode() for key in keys)


def command(azurite: Azurite, key_encryption: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.rewrap_keys"],
        cwd=REPOSITORY,
        env={**os.environ, "VOICE_STORAGE": azurite.connection_string, "TIMBRE_KEY_ENCRYPTION": key_encryption},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.azurite
def test_after_the_command_the_new_key_alone_opens_everything(tmp_path: Path) -> None:
    with Azurite() as azurite:  # its own: the command moves every key of an account
        rows = TableRows(StorageAccount(azurite.connection_string), "subscriptions")
        old = world(rows)
        first = command(azurite, setting(NEW, OLD))
        assert (first.returncode, first.stdout) == (0, "data keys moved 3, there already 0, destroyed meanwhile 0\n")
        again = command(azurite, setting(NEW))
        assert (again.returncode, again.stdout) == (0, "data keys moved 0, there already 3, destroyed meanwhile 0\n")
        assert {one: under(rows, NEW).of(one) for one in old.ids} == old.keys
        without = command(azurite, setting(OLD))
        assert without.returncode == 1
        said = [line for line in without.stderr.splitlines() if line.startswith("does not open")]
        assert sorted(line.split()[-1] for line in said) == sorted(old.ids)
        assert setting(OLD).removeprefix("local:") not in without.stderr + first.stderr


def test_a_key_that_does_not_open_is_named_and_the_others_are_moved() -> None:
    old = world(MemoryRows())
    wrapped = LocalKeyEncryption(b"x" * 32).wrap(bytes(32))
    change = Merge(data_key_row(old.ids[1]), {"key_id": wrapped.key_id, "wrapped": wrapped.wrapped})
    old.rows.apply(SUBSCRIPTIONS_PARTITION, [change])
    result = rewrap(old.rows, under(old.rows, NEW, OLD), quiet)
    assert (result.moved, result.broken) == (2, [old.ids[1]])
    with pytest.raises(SealBroken):
        under(old.rows, NEW, OLD).of(old.ids[1])


def test_what_was_cut_off_goes_on_where_it_stopped() -> None:
    old = world(MemoryRows())

    class FailsAfterOne(LocalKeyEncryption):
        calls = 0

        def wrap(self, data_key: bytes) -> WrappedKey:
            self.calls += 1
            if self.calls > 1:
                raise StorageUnavailable
            return super().wrap(data_key)

    with pytest.raises(StorageUnavailable):
        rewrap(old.rows, DataKeys(old.rows, FailsAfterOne(NEW, (OLD,))), quiet)
    result = rewrap(old.rows, under(old.rows, NEW, OLD), quiet)
    assert (result.moved, result.there_already) == (2, 1)


def test_a_subscription_that_is_deleted_meanwhile_is_no_fault() -> None:
    old = world(MemoryRows())

    def delete_the_last(so_far: Rewrapped) -> None:
        if so_far.seen == 1:
            old.rows.apply(SUBSCRIPTIONS_PARTITION, [Remove(data_key_row(old.ids[2]))])

    result = rewrap(old.rows, under(old.rows, NEW, OLD), delete_the_last)
    assert (result.moved, result.broken) == (2, [])
    assert result.seen - result.moved == result.gone


def test_other_rows_beside_the_keys_are_left_alone() -> None:
    old = world(MemoryRows())
    old.rows.apply(SUBSCRIPTIONS_PARTITION, [Insert("subscription:other", {"state": "active"})])
    assert rewrap(old.rows, under(old.rows, NEW, OLD), quiet).seen == 3
    row = old.rows.get(SUBSCRIPTIONS_PARTITION, "subscription:other")
    assert row is not None
    assert dict(row.values) == {"state": "active"}
