"""The table in CONTRIBUTING.md: who may import whom."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUR_PACKAGES = ("shared", "functions", "localhost", "tools", "tests")
APP_FOLDERS = ("functions", "shared")
ANYWHERE = ("shared.bootstrap", "shared.config", "shared.process")
"""The wiring, the settings and what holds for the whole process stand beside the layers: `shared/bootstrap.py` knows
everything by design."""

OTHERS_PACKAGES: dict[str, frozenset[str]] = {
    "shared.domain": frozenset({"numpy"}),
    "shared.services": frozenset({"numpy"}),
    "shared.http": frozenset({"azure.functions"}),
    "functions": frozenset({"azure.functions"}),
}
"""What the inner layers may use of other people's work; the adapters (audio, inference, storage) are free."""

ADAPTERS: dict[str, frozenset[str]] = {
    "shared/http/streams.py": frozenset({"uvicorn", "azurefunctions.extensions"}),
}
"""Files of an inner layer that are adapters nevertheless: what they alone may use."""

MAX_ENTRY_LINES = 40


@cache
def layers() -> dict[str, frozenset[str] | None]:
    """Package -> packages of ours it may import (None: anything), read from CONTRIBUTING.md itself."""
    table: dict[str, frozenset[str] | None] = {}
    for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 3 or not cells[0].startswith("`"):
            continue
        allowed = None if cells[2] == "anything" else frozenset(re.findall(r"`(shared\.[\w.]+)`", cells[2]))
        for folder in re.findall(r"`([\w/]+)/`", cells[0]):
            table[folder.replace("/", ".")] = allowed
    return table


@cache
def imported(source: str) -> tuple[str, ...]:
    """Absolute module names that a source imports anywhere; ``from a import b`` gives ``a.b``."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer they reach into"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def violations(package: str, source: str) -> list[str]:
    """The imports of a module of this package that the table does not allow."""
    allowed = layers()[package]
    if allowed is None:
        return []
    return [module for module in imported(source) if not _may(package, allowed, module)]


def _may(package: str, allowed: frozenset[str], module: str) -> bool:
    if module.split(".")[0] in sys.stdlib_module_names:
        return True
    if module.split(".")[0] in OUR_PACKAGES:
        return any(within(module, one) for one in (package, *allowed))
    return package not in OTHERS_PACKAGES or any(within(module, one) for one in OTHERS_PACKAGES[package])


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def package_of(path: Path) -> str:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return next((package for package in layers() if within(module, package)), module)


APP_FILES = [path for folder in APP_FOLDERS for path in sources(folder)]


@pytest.mark.parametrize("path", APP_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_what_its_layer_allows(path: Path) -> None:
    package = package_of(path)
    if package in ANYWHERE or path.parent == ROOT / "shared":
        assert package in (*ANYWHERE, "shared.__init__")
        return
    own = ADAPTERS.get(str(path.relative_to(ROOT)), frozenset())
    unknown = violations(package, path.read_text(encoding="utf-8"))
    assert [module for module in unknown if not any(within(module, one) for one in own)] == []


def test_the_app_never_imports_what_is_for_development_only() -> None:
    for path in [*APP_FILES, ROOT / "function_app.py"]:
        for module in imported(path.read_text(encoding="utf-8")):
            assert not any(within(module, package) for package in ("localhost", "tools", "tests")), path


def test_the_table_names_every_layer() -> None:
    assert set(layers()) == {
        "functions", "shared.http", "shared.services", "shared.audio", "shared.inference", "shared.storage",
        "shared.domain", "localhost", "tools",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("package", "source", "forbidden"),
    [
        ("shared.domain", "import azure.functions", True),
        ("shared.domain", "from shared.services.ports.clock_and_ids import Clock", True),
        ("shared.domain", "from shared import services", True),
        ("shared.domain", "import math\nimport numpy as np\nfrom shared.domain.limits import AudioRules", False),
        ("shared.services", "from shared.storage.backend.memory import MemoryRows", True),
        ("shared.services", "def late() -> None:\n    import soundfile", True),
        ("shared.services", "from shared.domain import errors\nfrom shared.services.audit import Audit", False),
        ("shared.storage", "from shared.services.enroll import EnrollPhrase", True),
        ("shared.storage", "from azure.data import tables\nfrom shared.services.ports.hearing import Listener", False),
        ("shared.audio", "from shared.inference.speaker_model import Embedder", True),
        ("shared.http", "import azure.data.tables", True),
        ("functions", "from localhost.settings import load", True),
        ("functions", "import azure.functions as func\nfrom shared.http import v1", False),
        ("localhost", "from shared.storage.backend.tables import TableRows", False),
    ],
)
def test_a_forbidden_import_is_found_and_no_other(package: str, source: str, forbidden: bool) -> None:
    assert len(violations(package, source)) == forbidden


def storage_part(module: str) -> str | None:
    """The package of ``shared/storage`` that a module is in; a file that lies in no package is its own."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["shared", "storage"] and len(parts) > 2 else None


def test_the_packages_of_storage_import_each_other_without_a_circle() -> None:
    edges: dict[str, set[str]] = {}
    for path in sources("shared/storage"):
        part = storage_part(".".join(path.relative_to(ROOT).with_suffix("").parts)) or ""
        used = {storage_part(module) for module in imported(path.read_text(encoding="utf-8"))}
        edges.setdefault(part, set()).update(name for name in used if name and name != part)
    assert {"backend", "sealing", "profiles", "gallery"} <= set(edges)
    TopologicalSorter(edges).prepare()  # raises CycleError, which names the circle


def test_the_entry_point_only_registers() -> None:
    assert len((ROOT / "function_app.py").read_text(encoding="utf-8").splitlines()) < MAX_ENTRY_LINES
