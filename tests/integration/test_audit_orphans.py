"""The operator's command on a real account: what it prints, what it takes away, how it ends."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from localhost.azurite import Azurite
from shared.storage.backend.account import StorageAccount
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage
from tests.contract.stores import KEY_ENCRYPTION_KEY, enroll, instance, new_profile, new_subscription
from tools.audit_orphans import main

pytestmark = pytest.mark.azurite

SETTING = "local:" + base64.b64encode(KEY_ENCRYPTION_KEY).decode()
STRAY = "nobody/tii/0d9a2f7e-0000-4000-8000-000000000000/000000/0d9a2f7e-1111-4000-8000-000000000000.flac"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this machine: those of the test alone."""
    for name in ("VOICE_STORAGE", "VOICE_STORAGE__tableServiceUri", "VOICE_STORAGE__blobServiceUri"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIMBRE_KEY_ENCRYPTION", SETTING)
    for module in ("audit_orphans", "portability.deployment"):
        monkeypatch.setattr(f"tools.{module}.REPOSITORY", tmp_path)
    monkeypatch.setattr("tools.audit_orphans.SECOND_LOOK_SECONDS", 0.0)


@pytest.fixture
def account() -> Iterator[StorageAccount]:
    """An account of its own, with an enrolled voice in it: the command looks at all there is."""
    with Azurite() as azurite:
        found = StorageAccount(connection_string=azurite.connection_string)
        fill(found)
        yield found


def fill(account: StorageAccount) -> Storage:
    storage = Storage.in_azure(account)
    stores = instance(storage)
    enroll(stores, stores.profiles.create(new_profile(new_subscription(stores)), 10).key)
    return storage


def test_an_orphan_is_counted_named_on_demand_and_taken_away(
    account: StorageAccount, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICE_STORAGE", account.connection_string)
    assert main([]) == 0
    clean = capsys.readouterr().out
    assert "subscriptions 1," in clean
    assert "blobs 1\n" in clean
    assert "orphans and inconsistencies 0\n" in clean
    Storage.in_azure(account).audio.put(STRAY, b"sealed")
    assert main([]) == 1
    assert STRAY not in capsys.readouterr().out
    assert main(["--list"]) == 1
    assert STRAY in capsys.readouterr().out
    assert main(["--repair"]) == 1
    assert "repaired 1, left for a person 0" in capsys.readouterr().out
    assert Storage.in_azure(account).audio.get(STRAY) is None
    assert main([]) == 0


def test_nothing_is_repaired_in_an_account_without_subscriptions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """More likely the wrong account than one where everything is an orphan."""
    with Azurite() as azurite:
        account = Storage.in_azure(StorageAccount(connection_string=azurite.connection_string))
        account.audio.put(STRAY, b"sealed")
        data_keys = DataKeys(account.subscriptions, LocalKeyEncryption(KEY_ENCRYPTION_KEY))
        account.subscriptions.apply(SUBSCRIPTIONS_PARTITION, [data_keys.creation("nobody")])
        monkeypatch.setenv("VOICE_STORAGE", azurite.connection_string)
        assert main(["--repair"]) == 1
        assert "Is this the right account?" in capsys.readouterr().err
        assert account.audio.get(STRAY) == b"sealed"
        assert account.subscriptions.get(SUBSCRIPTIONS_PARTITION, data_key_row("nobody")) is not None


def test_the_local_services_own_data_is_opened_where_no_account_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Azurite(tmp_path / "data" / "azurite") as azurite:
        fill(StorageAccount(connection_string=azurite.connection_string))
    assert main(["--data", str(tmp_path / "data")]) == 0
    assert "subscriptions 1," in capsys.readouterr().out


def test_what_cannot_be_looked_at_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path / "none")]) == 2
    assert "There is no data of a local service" in capsys.readouterr().err
    monkeypatch.setenv("TIMBRE_KEY_ENCRYPTION", "wrong")
    monkeypatch.setenv("VOICE_STORAGE", "UseDevelopmentStorage=true")
    assert main(["--data", str(tmp_path / "none")]) == 2
    assert "TIMBRE_KEY_ENCRYPTION" in capsys.readouterr().err


def test_an_empty_account_has_no_orphans_and_one_that_does_not_answer_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Azurite() as azurite:
        monkeypatch.setenv("VOICE_STORAGE", azurite.connection_string)
        assert main([]) == 0
    assert main([]) == 2
    assert "does not answer" in capsys.readouterr().err
