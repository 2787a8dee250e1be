"""The package, built once and unpacked into an empty folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localhost.azurite import Azurite
from tests.package.place import Place, prepare, python_for_tests
from tests.service import PACKAGE, RunningService, running_service


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """With ``--package`` it is there already."""
    if PACKAGE in os.environ:
        return Place(Path(os.environ[PACKAGE]))
    place = Place(tmp_path_factory.mktemp("package"))
    prepare(place, python_for_tests())
    return place


@pytest.fixture(scope="session")
def packaged(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The packaged service, with storage of its own."""
    log = tmp_path_factory.mktemp("packaged") / "service.log"
    with Azurite() as storage:
        settings = {"VOICE_STORAGE": storage.connection_string}
        with running_service(log, environment=settings, package=place.folder) as running:
            yield running
