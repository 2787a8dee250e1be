"""A session fails when a test that was collected has no outcome: xdist drops tests that share an id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from xdist.workermanage import WorkerController

ENDS = ("teardown", "???")
"""The last report of a test; the second is xdist's, of a test that ended its process."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # outcomes come together in pytest's own process, not in those of xdist
        config.pluginmanager.register(EveryOutcome())


class EveryOutcome:
    """Counts ids, since two tests may share one."""

    def __init__(self) -> None:
        self._collected: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collected = Counter(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: WorkerController, ids: Sequence[str]) -> None:
        self._collected = Counter(ids)  # every process of xdist collects the same tests

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when in ENDS:
            self._ended[report.nodeid] += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._missing(session.config, exitstatus):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
    ) -> None:
        if missing := self._missing(config, exitstatus):
            terminalreporter.section("collected, but without an outcome", red=True)
            for test, times in missing.items():
                terminalreporter.line(f"{test} ({times})")

    def _missing(self, config: pytest.Config, exitstatus: int) -> Counter[str]:
        """Empty where the session has failed anyway, which may have ended it early."""
        complete = exitstatus == pytest.ExitCode.OK and not config.option.collectonly
        return self._collected - self._ended if complete else Counter()
