"""The package for the Python that runs the tests, built once and unpacked into an empty folder."""

from __future__ import annotations

import base64
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import azure_functions_runtime
import pytest

from localhost.azurite import Azurite
from tests.service import REPOSITORY
from tools.package import Built, build

KEY = "key-of-the-packaged-service"
ADAPTER = ("__init__.py", "failure.py", "protos.py", "routes.py", "worker.py")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Wheels come from ``build/`` when they were fetched before."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return build(tmp_path_factory.mktemp("built"), running)


@pytest.fixture(scope="session")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app")
    with zipfile.ZipFile(built.archive) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Azure brings along: the worker library. And, of ours, the adapter to it."""
    folder = tmp_path_factory.mktemp("host")
    shutil.copy(Path(__file__).with_name("host.py"), folder)
    (folder / "localhost").mkdir()
    for name in ADAPTER:
        shutil.copy(REPOSITORY / "localhost" / name, folder / "localhost")
    shutil.copytree(Path(azure_functions_runtime.__file__).parent, folder / "azure_functions_runtime")
    extensions = importlib.util.find_spec("azurefunctions.extensions.base")
    assert extensions is not None
    assert extensions.origin is not None
    shutil.copytree(Path(extensions.origin).parent, folder / "azurefunctions" / "extensions" / "base")
    return folder


@pytest.fixture(scope="session")
def storage() -> Iterator[Azurite]:
    """Its own: the session's other service has a development subscription too, wrapped by another key."""
    with Azurite() as running:
        yield running


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the packaged service logs."""
    return tmp_path_factory.mktemp("packaged") / "stderr.log"


@pytest.fixture(scope="session")
def packaged(unpacked: Path, host: Path, storage: Azurite, log: Path) -> Iterator[str]:
    """Base URL of the packaged service."""
    settings = {
        "PATH": os.environ["PATH"],
        "VOICE_STORAGE": storage.connection_string,
        "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(b"k" * 32).decode(),
        "TIMBRE_LOCAL_SUBSCRIPTION_KEY": KEY,
        "PYTHON_THREADPOOL_THREAD_COUNT": "4",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(host / "host.py"), str(unpacked)],
            cwd=unpacked,
            env=settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        words = process.stdout.readline().split()
        assert words[:1] == [b"listening"], log.read_text(encoding="utf-8")
        yield f"http://127.0.0.1:{int(words[1])}"
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()
