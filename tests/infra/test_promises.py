"""Each promise is kept, and each is seen to be broken when its property is flipped."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.infra import data_promises, service_promises
from tests.infra.choices import EVERYTHING
from tests.infra.compiler import Compiler
from tests.infra.mutations import MUTATIONS
from tests.infra.promise import PROMISES
from tests.infra.template import Infra, change
from tests.service import REPOSITORY

__all__ = ["data_promises", "service_promises"]  # imported: they register their promises

CASES: Final = [(name, *mutation) for name, mutations in MUTATIONS.items() for mutation in mutations]


@pytest.mark.parametrize("name", PROMISES)
def test_kept(name: str, infra: Infra) -> None:
    PROMISES[name](infra)


@pytest.mark.parametrize(("name", "file", "old", "new"), CASES, ids=[f"{case[0]}-{i}" for i, case in enumerate(CASES)])
def test_seen_to_be_broken(
    name: str, file: str, old: str, new: str, compiler: Compiler, compiled_copy: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "infra"
    shutil.copytree(compiled_copy, folder)
    change(folder, file, old, new)
    with pytest.raises(AssertionError):
        PROMISES[name](Infra(folder, compiler, tmp_path))


def test_a_copy_with_compiled_modules_is_the_same(
    infra: Infra, compiler: Compiler, compiled_copy: Path, tmp_path: Path
) -> None:
    """Else a change could be seen that nobody made."""
    folder = tmp_path / "infra"
    shutil.copytree(compiled_copy, folder)
    change(folder, "main.bicep", "targetScope", "targetScope")
    assert Infra(folder, compiler, tmp_path).predicted(EVERYTHING) == infra.predicted(EVERYTHING)


def test_every_promise_has_been_broken() -> None:
    assert set(MUTATIONS) == set(PROMISES)


def test_the_proofs_name_every_promise_about_data() -> None:
    proofs = (REPOSITORY / "docs" / "internals" / "proofs.md").read_text(encoding="utf-8")
    text = proofs.split("| claim about `infra/` |")[1]
    named = set(re.findall(r"`(\w+)`", "".join(line.rsplit("| ", 1)[-1] for line in text.splitlines())))
    about_data = {name for name, check in PROMISES.items() if check.__module__ == data_promises.__name__}
    assert about_data <= named <= set(PROMISES)
