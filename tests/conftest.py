"""What the whole test session shares; each part starts when the first test asks for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer

from localhost.azurite import Azurite
from tests import azure_host
from tests.recording_host import RecordingHost, recording_host
from tests.service import PACKAGE, REPOSITORY, RunningService, running_service
from tests.spread import FileByFile
from tools.packaging.failure import CannotPackage

pytest_plugins = ("tests.outcomes",)

# A busy machine is no error. Otherwise as Hypothesis has it: where ``CI`` is set it draws the same examples every time.
hypothesis_settings.register_profile(
    "patient", hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
)
hypothesis_settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--package", action="store_true", help="test the package for Azure in place of the working tree")
    parser.addoption("--azure-host", action="store_true", help="serve the package on Azure's own Functions host")
    parser.addoption("--long", action="store_true", help="the long form of each test that has one")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "local_host(reason): makes sense on the local host only")
    config.addinivalue_line("markers", "azure_host(reason): makes sense on Azure's own host only")
    config.addinivalue_line("markers", "long_form(reason): runs with --long only, as every night")
    config.addinivalue_line("markers", "long_on_azure(reason): likewise on Azure's own host; always on the local one")
    if config.getoption("--azure-host") and azure_host.APP not in os.environ and azure_host.missing() is None:
        _unpack_for_azure(config)
    if config.getoption("--package") and PACKAGE not in os.environ:  # processes of pytest-xdist find it there
        _package(config)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileByFile:
    return FileByFile(config, log)


def pytest_report_header() -> list[str]:
    if azure_host.APP in os.environ:
        return [f"service under test: the package in {os.environ[azure_host.APP]} on Azure's own Functions host"]
    return [f"service under test: the package in {os.environ[PACKAGE]}"] if PACKAGE in os.environ else []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each test runs on the host that was asked for, or says in one line why not."""
    asked = bool(config.getoption("--azure-host"))
    absent = azure_host.missing() if asked else None
    for item in items:
        only = item.get_closest_marker("local_host" if asked else "azure_host")
        long = None if config.getoption("--long") else _long(item, asked)
        if only:
            item.add_marker(pytest.mark.skip(reason=only.args[0]))
        elif long:
            item.add_marker(pytest.mark.skip(reason=f"the long form: {long.args[0]}"))
        elif absent:
            item.add_marker(pytest.mark.skip(reason=absent))


def _long(item: pytest.Item, on_azure: bool) -> pytest.Mark | None:
    return item.get_closest_marker("long_form") or (item.get_closest_marker("long_on_azure") if on_azure else None)


def _unpack_for_azure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="timbre-azure-")
    config.add_cleanup(folder.cleanup)
    try:
        azure_host.unpack(Path(folder.name))
    except CannotPackage as problem:
        raise pytest.UsageError(str(problem)) from None
    os.environ[azure_host.APP] = folder.name
    config.add_cleanup(lambda: os.environ.__delitem__(azure_host.APP))


def _package(config: pytest.Config) -> None:
    """Built before anything is collected: where that fails there is nothing to test."""
    from tests.package.place import Place, prepare, python_for_tests  # needs what a test of one function does not

    folder = tempfile.TemporaryDirectory(prefix="timbre-package-")
    config.add_cleanup(folder.cleanup)
    try:
        prepare(Place(Path(folder.name)), python_for_tests())
    except CannotPackage as problem:
        raise pytest.UsageError(str(problem)) from None
    os.environ[PACKAGE] = folder.name
    config.add_cleanup(lambda: os.environ.__delitem__(PACKAGE))


@pytest.fixture(scope="session")
def long_form(pytestconfig: pytest.Config) -> bool:
    """Whether a test that has a short form and a long one runs the long one."""
    return bool(pytestconfig.getoption("--long"))


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite in memory; `.connection_string` reaches it. Use own table and container names per test."""
    with Azurite() as running:
        yield running


@pytest.fixture(scope="session")
def recordings() -> Iterator[RecordingHost]:
    """What the service may read long recordings from."""
    with recording_host() as host:
        yield host


@pytest.fixture(scope="session")
def service(
    tmp_path_factory: pytest.TempPathFactory, azurite: Azurite, recordings: RecordingHost
) -> Iterator[RunningService]:
    """The real app in the local host, in front of the session's Azurite: tests can look at what it stores."""
    log = tmp_path_factory.mktemp("service") / "service.log"
    environment = {
        "VOICE_STORAGE": azurite.connection_string,
        "TIMBRE_RECORDING_HOSTS": f"127.0.0.1:{recordings.port}",
    }
    with running_service(log, environment=environment) as running:
        yield running


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder with the development speech, which is not part of the repository."""
    folder = REPOSITORY.parent / "shared" / "speech"
    if not folder.is_dir():
        pytest.skip(f"needs the development speech in {folder}")
    return folder
