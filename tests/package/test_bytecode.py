"""The package's modules come compiled, and a served app writes nothing into its own folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from localhost.azurite import Azurite
from tests.api.client import Client, Profiles, identified, verify
from tests.package.place import Place
from tests.service import REPOSITORY, RunningService, running_service
from tools.packaging.contents import PACKAGES

SAMPLES = REPOSITORY / "samples"
IMPORT = Path(__file__).with_name("import_app.py")
TIMERS = ("retention", "compaction", "migration")
BEFORE_THE_APP_SETTLES = {"function_app.py", "shared/__init__.py", "shared/process.py"}


def compiled_at_import(place: Place) -> list[str]:
    command = [place.python, "-I", "-S", "-B", str(IMPORT), str(place.app), str(place.worker.parent)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def copy_of(place: Place, folder: Path, *, bytecode: bool) -> Place:
    """Links in place of copies: 180 MB. New files stay in the copy."""
    without = None if bytecode else shutil.ignore_patterns("__pycache__")
    shutil.copytree(place.app, folder / "app", copy_function=os.link, ignore=without)
    shutil.copytree(place.worker.parent, folder / "host")
    (folder / "python").write_text(place.python, encoding="utf-8")
    return Place(folder)


@pytest.fixture
def near(place: Place) -> Iterator[Path]:
    """An empty folder on the package's file system, as links need."""
    with tempfile.TemporaryDirectory(prefix="timbre-package-", dir=place.folder.parent) as folder:
        yield Path(folder)


def test_every_module_has_bytecode(place: Place) -> None:
    """What it must say is in tests/unit/tools/test_packaging.py."""
    modules = set(place.app.rglob("*.py"))
    assert len(modules) > 1000
    assert {file.parent.parent / f"{file.name.split('.')[0]}.py" for file in place.app.rglob("*.pyc")} == modules


def test_python_compiles_nothing_of_the_package_when_it_imports_the_app(place: Place) -> None:
    assert compiled_at_import(place) == []


@pytest.mark.long_form("compiles hundreds of modules")
def test_without_its_bytecode_hundreds_of_modules_are_compiled(place: Place, near: Path) -> None:
    bare = copy_of(place, near, bytecode=False)
    compiled = compiled_at_import(bare)
    assert len(compiled) > 500
    assert f"{bare.app}/shared/services/enroll.py" in compiled


def test_azd_is_told_to_deploy_the_bytecode(place: Place) -> None:
    """Without a .funcignore in the folder azd leaves every ``__pycache__`` out; with this one it leaves nothing out."""
    told = (place.app / ".funcignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in told if line and not line.startswith("#")] == []


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder below, with what changes when it is written: size and time."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def use(running: RunningService) -> None:
    """What an app's users and its timers do."""
    client = Client(running.url, running.key)
    assert client.call("GET", "/health/ready").status == 200
    takes = [(SAMPLES / f"passphrase-{take}.wav").read_bytes() for take in (1, 2, 3, 4)]
    profile = Profiles(client, "verification").enrolled(*takes[:3])
    assert verify(client, profile, takes[3]).json["result"] == "Accept"
    speaker = Profiles(client, "identification").enrolled(takes[3])
    assert identified(client, [speaker], takes[3]) == speaker
    for timer in TIMERS:
        running.fire(timer)


@pytest.mark.parametrize(
    "bytecode", [True, pytest.param(False, marks=pytest.mark.long_form("starts and uses a service that compiles"))]
)
def test_a_served_app_writes_nothing_into_its_own_folder(
    place: Place, near: Path, azurite: Azurite, bytecode: bool
) -> None:
    """Azure's host takes new folders in an app's folder for a deployment, and restarts with requests in flight.

    Without bytecode it writes what loads first, before it is ready: the worker itself imports azure.functions and all
    that this imports, and the app's own first modules are there before one of them can say that nothing is written.
    """
    own = copy_of(place, near, bytecode=bytecode)
    packed = tree(own.app)
    settings = {"VOICE_STORAGE": azurite.connection_string}
    with running_service(near / "service.log", environment=settings, package=own.folder) as running:
        ready = tree(own.app)
        use(running)
        assert tree(own.app) == ready
    assert tree(own.app) == ready
    written = {cached.partition("__pycache__/") for cached in ready.keys() - packed.keys() if cached.endswith(".pyc")}
    sources = {f"{folder}{name.split('.')[0]}.py" for folder, _, name in written}
    if bytecode:
        assert ready == packed
    else:
        assert {name for name in sources if not name.startswith(PACKAGES)} == BEFORE_THE_APP_SETTLES
