from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from localhost.azurite import Azurite
from localhost.failure import CannotStart
from localhost.folder_lock import lock
from tests.integration.localhost.test_process import posix_only
from tests.service import REPOSITORY

pytestmark = pytest.mark.azurite


def test_a_data_folder_survives_a_restart(tmp_path: Path) -> None:
    with (
        Azurite(tmp_path / "kept") as first,
        BlobServiceClient.from_connection_string(first.connection_string) as blobs,
        TableServiceClient.from_connection_string(first.connection_string) as tables,
    ):
        blobs.create_container("kept").upload_blob("b", b"data")
        tables.create_table("kept").create_entity({"PartitionKey": "p", "RowKey": "r"})
    with (
        Azurite(tmp_path / "kept") as second,
        BlobServiceClient.from_connection_string(second.connection_string) as blobs,
        TableServiceClient.from_connection_string(second.connection_string) as tables,
    ):
        assert blobs.get_blob_client("kept", "b").download_blob().readall() == b"data"
        assert tables.get_table_client("kept").get_entity("p", "r")["RowKey"] == "r"


def test_without_a_folder_nothing_is_kept() -> None:
    with Azurite() as first, BlobServiceClient.from_connection_string(first.connection_string) as blobs:
        blobs.create_container("gone")
    with (
        Azurite() as second,
        BlobServiceClient.from_connection_string(second.connection_string) as blobs,
        pytest.raises(ResourceNotFoundError),
    ):
        blobs.get_container_client("gone").get_container_properties()


def test_a_folder_in_use_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with Azurite(tmp_path), pytest.raises(CannotStart, match="already in use"), Azurite(tmp_path):
        raise AssertionError("two on one folder would destroy each other's data")


@posix_only
def test_a_folder_stays_in_use_while_azurite_runs_though_its_parent_was_killed(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from localhost.azurite import Azurite"
    code += "\nwith Azurite(Path(sys.argv[1])) as azurite: print(azurite.process.pid, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        azurite = int(parent.stdout.readline())
        os.kill(azurite, signal.SIGSTOP)  # it neither writes nor ends
        parent.kill()
    try:
        with pytest.raises(CannotStart, match="already in use"):
            lock(tmp_path)
    finally:
        os.kill(azurite, signal.SIGCONT)
    lock(tmp_path).close()


def test_a_missing_node_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match=r"install Node\.js 20"), Azurite():
        raise AssertionError("cannot run without Node.js")


def test_an_azurite_that_ends_at_once_is_said(tmp_path: Path) -> None:
    occupied = tmp_path / "a file"
    occupied.write_text("")
    with pytest.raises(CannotStart), Azurite(occupied):
        raise AssertionError("a file is no folder")


def test_it_ends_when_the_context_does() -> None:
    with Azurite() as azurite:
        process = azurite.process
        assert isinstance(process, subprocess.Popen)
        assert process.poll() is None
    assert process.poll() is not None
    azurite.stop()  # a second stop does nothing
