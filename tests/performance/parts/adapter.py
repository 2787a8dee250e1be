"""(i) A function that only reads the body, on Azure's own host: through Timbre's adapter for HTTP streams, through
Microsoft's extension for them, and with the body inside the invocation.

Microsoft's extension is installed into ``build`` when it is first asked for.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from localhost.azurite import Azurite
from localhost.failure import CannotStart
from tests.performance.client import Unexpected
from tests.performance.figures import Cell, Times
from tests.performance.load import Posted
from tests.performance.reporting.found import Found, Run, Table
from tests.performance.serving import bare_app, import_seconds, serving_on_azure, tiny_app
from tools.packaging.contents import PACKAGES

EXTENSION = ("azurefunctions-extensions-http-fastapi==1.0.1", "fastapi==0.165.0", "uvicorn==0.54.0")
FOLDER = Path(__file__).resolve().parents[3] / "build" / "http-fastapi-1.0.1"
OURS, THEIRS, CLASSIC = "Timbre's adapter", "Microsoft's extension", "no streams"
IMPORTED = {OURS: ("shared.config", "shared.http.errors")}
"""What the adapter shares with the rest of the app, which imports it whatever the adapter is."""
REQUESTS = {
    "no body": Posted("/read", b"", {}, "GET"),
    "200 KB": Posted("/read", bytes(200_000), {}),
    "2 MB": Posted("/read", bytes(2_000_000), {}),
}
REPETITIONS, QUICK_REPETITIONS = 100, 3
IMPORTS, QUICK_IMPORTS = 7, 1
WARM_UP = 3


def measured(run: Run) -> Found:
    """Raises ``CannotStart``, also when the extension cannot be installed; ``Unexpected``."""
    with tempfile.TemporaryDirectory(prefix="timbre-adapter-") as name, Azurite() as azurite:
        folder = Path(name)
        run.say("building the package")
        apps = {
            OURS: bare_app(folder),
            THEIRS: tiny_app("fastapi", folder, {PACKAGES: _extension(run)}),
            CLASSIC: tiny_app("classic", folder, {}),
        }
        run.say("imports")
        imports: dict[str, list[float]] = {kind: [] for kind in apps}
        for _ in range(QUICK_IMPORTS if run.quick else IMPORTS):
            for kind, app in apps.items():
                imports[kind].append(import_seconds(app, *IMPORTED.get(kind, ())))
        run.say("requests, in turns")
        with ExitStack() as running:
            urls = {
                kind: running.enter_context(serving_on_azure(azurite, folder, app)).url for kind, app in apps.items()
            }
            answers = _answers(urls, QUICK_REPETITIONS if run.quick else REPETITIONS)
    return found_in({kind: Times.of_seconds(seconds) for kind, seconds in imports.items()}, answers)


def found_in(imports: Mapping[str, Times], answers: Mapping[tuple[str, str], Times]) -> Found:
    """``answers``: by the kind of app and the request."""
    rows: list[list[Cell]] = [
        [kind, times.p50, *(cell for what in REQUESTS for cell in (answers[kind, what].p50, answers[kind, what].p95))]
        for kind, times in imports.items()
    ]
    header = ["function", "import", *(cell for what in REQUESTS for cell in (what, "p95"))]
    note = (
        "ms, p50 but where it says p95; import: of the app in a process of its own that has azure.functions, and for "
        "Timbre's adapter what the rest of Timbre imports anyway; requests one at a time, the three apps in turns"
    )
    return Found([Table("HTTP streams", header, rows, note)])


def _answers(urls: Mapping[str, str], repetitions: int) -> dict[tuple[str, str], Times]:
    connections = {kind: HTTPConnection(urlsplit(url).netloc, timeout=120) for kind, url in urls.items()}
    seconds: dict[tuple[str, str], list[float]] = {(kind, what): [] for kind in urls for what in REQUESTS}
    for repetition in range(-WARM_UP, repetitions):
        for (kind, what), taken in seconds.items():
            outcome = REQUESTS[what](connections[kind])
            if outcome.status != 200:
                raise Unexpected(f"{kind} answered {outcome.status} to {what}.")
            if repetition >= 0:
                taken.append(outcome.seconds)
    for connection in connections.values():
        connection.close()
    return {place: Times.of_seconds(taken) for place, taken in seconds.items()}


def _extension(run: Run) -> Path:
    """The folder with Microsoft's extension. Raises ``CannotStart``."""
    stamp = FOLDER / "timbre-setup"
    if not stamp.exists():
        run.say("installing Microsoft's extension")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(FOLDER), *EXTENSION]
        if subprocess.run(pip, stdout=sys.stderr, check=False).returncode:
            raise CannotStart(f"{EXTENSION[0]} could not be installed into {FOLDER}: check the network and try again.")
        stamp.touch()
    return FOLDER
