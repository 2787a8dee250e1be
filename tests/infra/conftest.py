"""One compiler for all tests of a process, and the project's template under every set of choices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.choices import SETS
from tests.infra.compiler import BESIDE_THE_PROJECT, Compiler, find_compiler
from tests.infra.template import INFRA, Infra, Prediction


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compiler]:
    executable = find_compiler()
    if executable is None:
        pytest.skip(f"needs the Bicep compiler: in {BESIDE_THE_PROJECT}, or as `bicep` on the PATH")
    with Compiler(executable, tmp_path_factory.mktemp("compiler")) as running:
        yield running


@pytest.fixture(scope="session")
def infra(compiler: Compiler, tmp_path_factory: pytest.TempPathFactory) -> Infra:
    return Infra(INFRA, compiler, tmp_path_factory.mktemp("parameters"))


@pytest.fixture(scope="session", params=SETS)
def prediction(infra: Infra, request: pytest.FixtureRequest) -> Prediction:
    """What a deployment would make, with each set of choices."""
    return infra.predicted(SETS[request.param])
