"""What goes into the package: conditions for another Python, completeness, and the refusal of what is not right."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib.metadata import distributions
from pathlib import Path

import pytest
from cyclonedx.spdx import is_expression

from shared.config import MODEL, PREVIOUS_MODEL
from shared.inference.model_card import read_catalogue
from tools.package import REPOSITORY, Built
from tools.packaging.archive import write_folder
from tools.packaging.bytecode import compile_folder
from tools.packaging.contents import app_files
from tools.packaging.failure import CannotPackage
from tools.packaging.interpreters import interpreter, version_of
from tools.packaging.parts import PARTS, READ, SPELLED, licence_of, require_known
from tools.packaging.pins import read_lock
from tools.packaging.wheels import environment, require_complete

LOCK = """# written by a tool
one==1.0 ; python_full_version < '3.13' \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via two
one==2.0 ; python_full_version >= '3.13' \\
    --hash=sha256:bb
one==3.0 ; sys_platform == 'win32' \\
    --hash=sha256:cc
"""


def test_a_lock_is_read_for_the_python_of_the_deployment_on_linux() -> None:
    (old,), (new,) = (read_lock(LOCK, environment(python)) for python in ("3.12", "3.13"))
    assert str(old) == "one==1.0 --hash=sha256:aa --hash=sha256:ab"
    assert str(new) == "one==2.0 --hash=sha256:bb"


@pytest.mark.parametrize("line", ["one --hash=sha256:aa", "one>=1.0 --hash=sha256:aa", "one==1.0"])
def test_what_is_not_locked_to_a_version_and_its_hashes_is_refused(line: str) -> None:
    with pytest.raises(CannotPackage, match="one is not locked"):
        read_lock(line, environment("3.13"))


def package(folder: Path, name: str, version: str, *asked: str) -> None:
    about = folder / f"{name}-{version}.dist-info"
    about.mkdir(parents=True)
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in asked)]
    (about / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(lines) + "\n")


def test_a_package_that_the_deployments_python_needs_and_pip_left_out_is_noticed(tmp_path: Path) -> None:
    package(tmp_path, "one", "1.0", 'two>=1; python_version >= "3.13"')
    require_complete(distributions(path=[str(tmp_path)]), "3.12")
    with pytest.raises(CannotPackage, match=r"one asks for two>=1 on Python 3\.13"):
        require_complete(distributions(path=[str(tmp_path)]), "3.13")


def test_a_version_that_does_not_fit_is_noticed_and_extras_are_not_asked_for(tmp_path: Path) -> None:
    package(tmp_path, "one", "1.0", "two>=2")
    package(tmp_path, "Two", "1.9", 'three; extra == "more"')
    with pytest.raises(CannotPackage, match="one asks for two>=2"):
        require_complete(distributions(path=[str(tmp_path)]), "3.13")
    package(tmp_path / "fits", "Two", "2.0", 'three; extra == "more"')
    require_complete(distributions(path=[str(tmp_path / "fits")]), "3.13")


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: other", "MIT OR Apache-2.0"),
        ("License: 3-Clause BSD License", "BSD-3-Clause"),
        ("License: All rights are ours.", None),
        ("Summary: none", None),
    ],
)
def test_a_licence_is_said_in_spdxs_words_or_the_package_is_refused(
    tmp_path: Path, metadata: str, licence: str | None
) -> None:
    package(tmp_path, "one", "1.0")
    with (tmp_path / "one-1.0.dist-info" / "METADATA").open("a") as file:
        file.write(metadata)
    (one,) = distributions(path=[str(tmp_path)])
    if licence:
        assert licence_of(one) == licence
    else:
        with pytest.raises(CannotPackage, match="The licence of one is not known"):
            licence_of(one)


def test_the_licences_of_parts_are_spdxs() -> None:
    licences = {part.licence for parts in PARTS.values() for part in parts} | {*SPELLED.values(), *READ.values()}
    assert {licence for licence in licences if not is_expression(licence)} == set()


def test_a_library_that_nobody_has_named_is_refused(tmp_path: Path) -> None:
    for name in (
        "numpy.libs/libgfortran-1.so.5.0.0",
        "one/module.cpython-313-x86_64-linux-gnu.so",
        "one/other.abi3.so",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    require_known(tmp_path, ["numpy"])
    with pytest.raises(CannotPackage, match=r"Whose is numpy\.libs/libgfortran-1\.so"):
        require_known(tmp_path, ["one"])


def test_a_missing_file_of_the_app_is_named(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("")
    with pytest.raises(CannotPackage, match=r"host\.json is missing"):
        dict(app_files(tmp_path))


def copied(folder: Path) -> Path:
    """The app without its code."""
    kept = {name: file for name, file in app_files(REPOSITORY) if "/" not in name or not name.endswith(".py")}
    write_folder(kept, folder)
    return folder


def test_the_catalogues_models_and_a_sites_own_calibration_go_along(tmp_path: Path) -> None:
    repository = copied(tmp_path / "app")
    calibration = repository / "models" / "ge2e-1.calibration.json"
    source = (REPOSITORY / "models" / "catalogue.json").read_text(encoding="utf-8")
    calibration.write_text(json.dumps(json.loads(source)["speaker_models"][0]["calibration"]))
    models = [read_catalogue().speaker(setting.default or "").file.name for setting in (MODEL, PREVIOUS_MODEL)]
    assert {f"models/{name}" for name in (*models, calibration.name)} <= set(dict(app_files(repository)))
    with (repository / "models" / "ge2e.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(CannotPackage, match=r"ge2e\.onnx is not what the catalogue says"):
        dict(app_files(repository))
    (repository / "models" / "ge2e.onnx").unlink()
    with pytest.raises(CannotPackage, match=r"ge2e\.onnx is missing.*dev\.py model"):
        dict(app_files(repository))


def test_an_unpacked_package_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "old.py").write_text("")
    source = tmp_path / "new"
    source.write_text("new")
    write_folder({"a/new.py": source}, tmp_path / "package")
    assert [one.name for one in (tmp_path / "package").rglob("*") if one.is_file()] == ["new.py"]


def sources(folder: Path, **modules: str) -> Path:
    (folder / "inner").mkdir(parents=True)
    for name, text in modules.items():
        (folder / "inner" / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


CONSTANTS = 'def chosen(word):\n    return word in {"one", "two", "three"}, (1, 2.5, b"x"), "one"\n'


def test_bytecode_depends_on_the_sources_alone(tmp_path: Path) -> None:
    """Not on the folder, on what else is compiled, or on the order of a set in this process."""
    first = sources(tmp_path / "first", module=CONSTANTS)
    second = sources(tmp_path / "elsewhere" / "second", another='WORDS = {"two", "one"}\n', module=CONSTANTS)
    found = []
    for folder in (first, second):
        compile_folder(folder, sys.executable)
        found.append((folder / "inner" / "__pycache__" / f"module.{sys.implementation.cache_tag}.pyc").read_bytes())
    assert found[0] == found[1]
    assert found[0][4:8] == (0b01).to_bytes(4, "little"), "PEP 552: a hash of the source, which nobody compares"
    assert b"/home/site/wwwroot/inner/module.py" in found[0]
    assert str(tmp_path).encode() not in found[0]


def test_a_module_that_does_not_compile_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotPackage, match=r"Not every module compiles: .*inner/broken\.py"):
        compile_folder(sources(tmp_path / "app", broken="def\n"), sys.executable)


def command(path: Path, lines: str) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_another_python_is_found_on_the_path_and_among_pyenvs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert interpreter(version_of(sys.executable)) == sys.executable
    assert interpreter("3.99") is None
    command(tmp_path / "pyenv" / "versions" / "3.99.1" / "bin" / "python", "echo 3.99")
    assert interpreter("3.99") == str(tmp_path / "pyenv" / "versions" / "3.99.1" / "bin" / "python")
    on_the_path = command(tmp_path / "bin" / "python3.99", "echo 3.99")
    assert interpreter("3.99") == str(on_the_path)


@pytest.mark.parametrize("answer", ["echo 3.98", "echo cpython candidate 3.99", "exit 127"])
def test_a_command_of_that_name_that_is_not_that_python_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """pyenv leaves commands for versions that are not in use, which fail; a candidate's bytecode may be another."""
    monkeypatch.setenv("PATH", str(command(tmp_path / "bin" / "python3.99", answer).parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    assert interpreter("3.99") is None


def test_a_package_without_bytecode_says_so() -> None:
    built = Built(Path("timbre.zip"), Path("package"), "3.13", None, "abc", 60_000_000, 163_000_000)
    assert "No bytecode: this machine has no Python 3.13." in str(built)
    assert "Bytecode for Python 3.13, compiled by /bin/python3.13" in str(replace(built, compiled_by="/bin/python3.13"))
