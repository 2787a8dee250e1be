"""One compiler for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.compiler import BESIDE_THE_PROJECT, Compiler, find_compiler
from tests.infra.template import INFRA, Infra, copy_with_compiled_modules


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compiler]:
    executable = find_compiler()
    if executable is None:
        pytest.skip(f"needs the Bicep compiler: in {BESIDE_THE_PROJECT}, or as `bicep` on the PATH")
    with Compiler(executable, tmp_path_factory.mktemp("compiler")) as running:
        yield running


@pytest.fixture(scope="session")
def infra(compiler: Compiler, tmp_path_factory: pytest.TempPathFactory) -> Infra:
    """The project's own, as it stands."""
    return Infra(INFRA, compiler, tmp_path_factory.mktemp("parameters"))


@pytest.fixture(scope="session")
def compiled_copy(compiler: Compiler, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be copied again by each test that changes something."""
    folder = tmp_path_factory.mktemp("compiled") / "infra"
    copy_with_compiled_modules(folder, compiler)
    return folder
