"""Clients that Microsoft published, against the running service."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.api.operator import Operator
from tests.clients.sdk import FOLDER, Sdk, running_sdk
from tests.service import REPOSITORY, RunningService

Connect = Callable[..., AbstractContextManager[Sdk]]


@pytest.fixture(scope="session")
def connect(service: RunningService) -> Connect:
    """Starts an SDK: ``connect(version)``, with ``key`` or ``how`` where they matter."""
    if shutil.which("node") is None:
        pytest.skip("needs Node.js")
    if not (FOLDER / "node_modules").is_dir():
        pytest.skip("needs `npm ci` in tests/clients, which `python dev.py test` does")

    # A subscription of their own: the SDKs list no more than the first page of profiles.
    own_key = Operator(service.url, service.management_key).customer().primary.key

    def start(version: str, key: str | None = own_key, how: str = "host") -> AbstractContextManager[Sdk]:
        return running_sdk(version, service.url, key or "", how)

    return start


@pytest.fixture(scope="session", params=["1.20", "1.17"])
def sdk(request: pytest.FixtureRequest, connect: Connect) -> Iterator[Sdk]:
    with connect(request.param) as started:
        yield started


@pytest.fixture(scope="session")
def samples() -> Path:
    """Synthetic recordings of the repository: passphrase-1 to -4, other-phrase, other-speaker."""
    return REPOSITORY / "samples"


@pytest.fixture(scope="session")
def chromium() -> str:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium: `apt-get install chromium`")
    if shutil.which("node") is None or not (FOLDER / "node_modules" / "playwright-core").is_dir():
        pytest.skip("needs Node.js and `npm ci` in tests/clients, which `python dev.py test` does")
    return browser


NIGHTLY = FOLDER / "nightly"


@pytest.fixture(scope="session")
def nightly(long_form: bool) -> Path:
    """The folder of clients that take half a minute to install."""
    if not long_form:
        pytest.skip("runs in its long form alone: `python dev.py test --long`, every night")
    if shutil.which("node") is None or not (NIGHTLY / "node_modules").is_dir():
        pytest.skip("needs Node.js and `npm ci` in tests/clients/nightly, which `python dev.py test --long` does")
    return NIGHTLY
