"""The service and its storage for a part of the bench."""

from __future__ import annotations

import atexit
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from localhost.azurite import Azurite
from localhost.failure import CannotStart
from tests import azure_host
from tests.contract.stores import KEY_ENCRYPTION_KEY
from tests.service import KEYS, RunningService, running_service
from tools.packaging.contents import PACKAGES
from tools.packaging.failure import CannotPackage

MANAGEMENT_KEY = KEYS["TIMBRE_LOCAL_MANAGEMENT_KEY"]
_TINY = Path(__file__).with_name("tiny")
_IMPORT = """
import importlib, sys, time
for name in sys.argv[1:]:
    importlib.import_module(name)
started = time.perf_counter()
import function_app
print(time.perf_counter() - started)
"""


def settings(azurite: Azurite) -> dict[str, str]:
    """The environment of a service in front of that storage. The key is the one that ``tests.contract.stores`` seals
    with, so that the bench can write rows that the service reads."""
    return {
        "VOICE_STORAGE": azurite.connection_string,
        "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(KEY_ENCRYPTION_KEY).decode(),
    }


@contextmanager
def serving(azurite: Azurite, folder: Path, *arguments: str) -> Iterator[RunningService]:
    """On the local host. Raises ``AssertionError`` with the service's own words when it does not start."""
    with running_service(_log(folder), *arguments, environment=settings(azurite)) as service:
        yield service


@cache
def package() -> Path:
    """The unpacked package for Azure's host, built once in a process. Raises ``CannotStart`` where the host is not to
    be had."""
    if missing := azure_host.missing():
        raise CannotStart(missing)
    folder = tempfile.TemporaryDirectory(prefix="timbre-bench-package-")
    atexit.register(folder.cleanup)
    try:
        azure_host.unpack(Path(folder.name))
    except CannotPackage as problem:
        raise CannotStart(str(problem)) from problem
    return Path(folder.name) / "app"


def azure_settings(azurite: Azurite) -> dict[str, str]:
    """The same settings as on the local host. Nothing is compiled into the app's folder, which Azure mounts read-only:
    this host would take new folders in it for a new deployment."""
    own = {"AzureWebJobsStorage": azurite.connection_string, "PYTHONDONTWRITEBYTECODE": "1"}
    return {**KEYS, **settings(azurite), **own}


@contextmanager
def serving_on_azure(azurite: Azurite, folder: Path, app: Path) -> Iterator[RunningService]:
    """On Azure's own host. Raises ``AssertionError`` as ``serving`` does."""
    log = _log(folder)
    with azure_host.running_host(log, app, azure_settings(azurite), MANAGEMENT_KEY) as (url, process):
        key = KEYS["TIMBRE_LOCAL_SUBSCRIPTION_KEY"]
        yield RunningService(url, key, MANAGEMENT_KEY, log, process, is_azure_host=True)


def tiny_app(name: str, folder: Path, libraries: Mapping[str, Path]) -> Path:
    """A module of ``tests/performance/tiny`` as a function app in ``folder``, with links to what it imports: names in
    the app's folder, and where they are."""
    app = folder / name
    app.mkdir()
    shutil.copy(_TINY / f"{name}.py", app / "function_app.py")
    host = {"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}
    (app / "host.json").write_text(json.dumps(host), encoding="utf-8")
    for place, library in libraries.items():
        (app / place).parent.mkdir(parents=True, exist_ok=True)
        (app / place).symlink_to(library)
    return app


def bare_app(folder: Path) -> Path:
    """The app that only reads the body, through Timbre's own adapter."""
    return tiny_app("streams", folder, {name: package() / name for name in ("shared", PACKAGES)})


def import_seconds(app: Path, *others: str) -> float:
    """Of ``function_app.py``, in a new process that has imported ``azure.functions`` already, as the worker has, and
    the other modules."""
    environment = {**os.environ, "PYTHONPATH": str(app / PACKAGES), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", _IMPORT, "azure.functions", *others]
    child = subprocess.run(command, cwd=app, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return float(child.stdout)


def _log(folder: Path) -> Path:
    return folder / f"service-{sum(1 for _ in folder.glob('service-*.log'))}.log"
