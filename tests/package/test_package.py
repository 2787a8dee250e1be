"""The package runs by itself: unpacked into an empty folder, with nothing else to import."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import stat
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from localhost.failure import CannotStart
from tests.api.client import Client, Profiles, ask_to_identify, identify
from tests.package.front import Separate
from tests.package.place import Place
from tests.service import REPOSITORY, RunningService
from tools.notices import PAGE, notices
from tools.package import PYTHON, build, version
from tools.packaging.contents import PACKAGES
from tools.packaging.interpreters import version_of

SAMPLES = REPOSITORY / "samples"


@pytest.fixture
def client(packaged: RunningService) -> Client:
    return Client(packaged.url, packaged.key)


def names(place: Place) -> list[str]:
    with zipfile.ZipFile(place.archive) as archive:
        return archive.namelist()


def test_nothing_but_the_package_the_worker_library_and_the_standard_library_can_be_imported(place: Place) -> None:
    async def within_reach() -> set[Path]:
        app = Separate(place)
        try:
            assert await app.index(place.app)
            return await app.within_reach()
        finally:
            app.close()

    asked = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    standard = subprocess.run([place.python, "-I", "-S", "-c", asked], capture_output=True, text=True, check=True)
    app, host, library = place.app.resolve(), place.worker.parent.resolve(), Path(standard.stdout.strip()).resolve()
    found = asyncio.run(within_reach())
    assert {app / "function_app.py", app / PACKAGES} <= found
    elsewhere = {one for one in found if not one.is_relative_to(app) and not one.is_relative_to(host)}
    assert {one for one in elsewhere if not one.is_relative_to(library.parent)} == set()
    assert {one for one in elsewhere if {"site-packages", "dist-packages"} & set(one.parts)} == set()


@pytest.mark.parametrize("module", ["aiohttp", "onnx", "tests.service"])
def test_an_app_that_needs_what_only_development_has_does_not_start(place: Place, tmp_path: Path, module: str) -> None:
    other = Place(tmp_path)
    (tmp_path / "host").symlink_to(place.worker.parent)
    (tmp_path / "python").write_text(place.python, encoding="utf-8")
    other.app.mkdir()
    (other.app / ".python_packages").symlink_to(place.app / ".python_packages")
    (other.app / "function_app.py").write_text(f"import {module}\n", encoding="utf-8")
    app = Separate(other)
    try:
        with pytest.raises(CannotStart, match=f"No module named '{module.partition('.')[0]}'"):
            asyncio.run(app.index(other.app))
    finally:
        app.close()


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.wav").read_bytes()


def test_a_recognition_leaves_a_line_with_its_outcome_and_times(client: Client, packaged: RunningService) -> None:
    profiles = Profiles(client, "identification")
    speaker = profiles.enrolled(sample("passphrase-1"))
    identify(client, [speaker], sample("passphrase-1"))
    ask_to_identify(client, profiles.create(), sample("passphrase-1"))
    refused = profiles.enroll(speaker, b"RIFF")
    lines = [dict(pair.split("=") for pair in line.split()[1:]) for line in measured(packaged.log)[-4:]]
    names = ("operation", "outcome", "reason", "model", "candidates")
    assert [tuple(line[name] for name in names) for line in lines] == [
        ("enroll", "enrolled", "none", "campplus-channels-1", "0"),
        ("identify", "accept", "none", "campplus-channels-1", "1"),
        ("identify", "refused", "ProfileNotEnrolled", "none", "0"),
        ("enroll", "refused", "AudioUnreadable", "none", "0"),
    ]
    assert lines[3]["request"] == refused.headers["apim-request-id"]
    facts = ("decided_by", "threshold", "threshold_from", "channel", "score", "snr_db")
    assert [lines[1][name] for name in facts[:4]] == ["voice", "0.5000", "default", "1"]
    assert [lines[3][name] for name in facts] == ["quality", *["none"] * 5]
    assert float(lines[1]["score"]) > 0.5
    for stage in ("decode_ms", "listen_ms", "embed_ms", "store_ms"):
        assert 0.0 < float(lines[0][stage]) < float(lines[0]["total_ms"])
    assert speaker not in "".join(measured(packaged.log))


def measured(log: Path) -> list[str]:
    lines = log.read_text(encoding="utf-8").splitlines()
    return [line.split(" ", 2)[2] for line in lines if re.match(r"INFO timbre\S* recognition_measured ", line)]


def test_it_has_what_the_service_opens_and_nothing_else_of_the_repository(place: Place) -> None:
    own = {name.split("/")[0] for name in names(place)}
    assert own == {
        "function_app.py", "functions", "shared", "console", "host.json", "models", "openapi.json", "requirements.txt",
        "LICENSE", "THIRD_PARTY_NOTICES.md", ".python_packages", ".funcignore", "__pycache__",
    }  # fmt: skip


def test_it_has_no_development_dependency(place: Place) -> None:
    prefix = f"{PACKAGES}/"
    packages = {name.removeprefix(prefix).split("/")[0] for name in names(place) if name.startswith(prefix)}
    assert {"numpy", "onnxruntime", "cryptography"} <= packages
    assert not packages & {"pytest", "mypy", "onnx", "aiohttp", "azure_functions_runtime", "bin"}


def test_it_has_nothing_that_this_machine_made(place: Place) -> None:
    assert [name for name in names(place) if name.endswith(("/RECORD", ".part", "settings.json"))] == []


def test_every_package_comes_with_its_licence_as_its_metadata_says(place: Place) -> None:
    folder = place.app / PACKAGES
    for metadata in folder.glob("*.dist-info/METADATA"):
        for line in metadata.read_text(encoding="utf-8").split("\n\n")[0].splitlines():
            if line.startswith("License-File: "):
                named = line.removeprefix("License-File: ")
                places = [metadata.parent / "licenses" / named, metadata.parent / named]
                assert any(place.is_file() for place in places), f"{metadata.parent.name}: {named}"


def bill(archive: Path) -> str:
    return archive.with_suffix(".cdx.json").read_text(encoding="utf-8")


@pytest.mark.long_form("it is packed a second time")
def test_the_same_input_gives_the_same_bytes(place: Place, tmp_path: Path) -> None:
    again = build(tmp_path, version_of(place.python))
    assert again.sha256 == hashlib.sha256(place.archive.read_bytes()).hexdigest()
    assert bill(again.archive) == bill(place.archive)


def test_its_bill_of_materials_names_all_that_is_in_it(place: Place) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill(place.archive)) is None
    found = json.loads(bill(place.archive))
    components = {one["name"]: one for one in found["components"]}

    def sha256(component: dict[str, Any]) -> str:
        return str(component["hashes"][0]["content"])

    assert sha256(found["metadata"]["component"]) == hashlib.sha256(place.archive.read_bytes()).hexdigest()
    packages = {path.name.split("-")[0].replace("_", "-") for path in (place.app / PACKAGES).glob("*.dist-info")}
    files = [file for kind in ("onnx", "ort", "bin") for file in (place.app / "models").glob(f"*.{kind}")]
    models = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    assert {name for name, one in components.items() if one["type"] == "library"} == packages
    named = {place.app / one["description"]: sha256(one) for one in components.values() if "model" in one["type"]}
    assert named == models
    parts = {part["name"] for name in ("soundfile", "cryptography") for part in components[name]["components"]}
    assert {"libsndfile", "mpg123", "OpenSSL", "pyo3"} <= parts


def test_the_notices_are_about_what_is_in_it(place: Place) -> None:
    assert (place.app / PAGE.name).read_text(encoding="utf-8") == notices(place.app / PACKAGES), "python dev.py lock"


def test_the_archive_says_no_date_and_the_same_rights_for_all(place: Place) -> None:
    with zipfile.ZipFile(place.archive) as archive:
        assert archive.namelist() == sorted(archive.namelist())
        for about in archive.infolist():
            assert about.date_time == (1980, 1, 1, 0, 0, 0)
            assert about.external_attr >> 16 == stat.S_IFREG | 0o644


def test_the_archive_is_named_after_the_version(place: Place) -> None:
    assert place.archive.name == f"timbre-{version()}.zip"


def test_the_deployment_asks_for_the_python_that_the_package_is_made_for() -> None:
    bicep = (REPOSITORY / "infra" / "modules" / "function-app.bicep").read_text(encoding="utf-8")
    assert f"name: 'python'\n        version: '{PYTHON}'" in bicep
