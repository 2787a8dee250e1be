"""pytest as a whole, over a file with a test that never ends or whose tests share an id."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service import REPOSITORY

PASSED_OVER = "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_protocol(item): return True\n"
ONE_ID = "def pytest_collection_modifyitems(items): items.append(items[0])\n"


@pytest.mark.parametrize(
    ("conftest", "processes", "fails"),
    [("", "1", False), (PASSED_OVER, "0", True), (ONE_ID, "1", True)],
    ids=["all run", "one passed over", "one id for two"],
)
def test_a_collected_test_without_an_outcome_fails_the_session(
    conftest: str, processes: str, fails: bool, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_file.py").write_text("def test_something(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "tests.outcomes", "-n", processes]
    ran = subprocess.run(
        [*command, "--dist", "loadscope", str(tmp_path)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, "test_something (1)" in ran.stdout) == (int(fails), fails), ran.stdout
