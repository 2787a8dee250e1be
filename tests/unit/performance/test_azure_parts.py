"""What the bench makes of its figures from Azure's own host, and that it finds the processes they are about."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.performance.figures import Cell, Times
from tests.performance.hosts import AZURE, LOCAL, OPERATIONS, Alone, Growth, Together
from tests.performance.load import Outcome, row
from tests.performance.parts import adapter, azure, azure_cold_start, azure_soak
from tests.performance.parts.azure import Footprint
from tests.performance.parts.azure_cold_start import AzureStart
from tests.performance.parts.soak import Ledger, Sample, Soaked
from tests.performance.process import Held, family, proportional_megabytes, resident_megabytes, worker_of
from tests.performance.reporting.found import Found, Table
from tests.performance.reporting.targets import AZURE_SLOPE
from tests.performance.serving import tiny_app

ANSWERED = [Outcome(200, 0.1), Outcome(200, 0.3)]
REFUSED = [Outcome(503, 0.2, "1"), Outcome(503, 2.5), Outcome(0, 1.0)]
posix = pytest.mark.skipif(sys.platform == "win32", reason="processes are listed by ps")


def cells(table: Table, row: int) -> Mapping[str, Cell]:
    """By their title; of titles that are there twice, the first."""
    return dict(reversed(list(zip(table.header, table.rows[row], strict=True))))


def hosts(bursts: Mapping[str, Sequence[Sequence[Outcome]]]) -> Found:
    """Azure's host takes 12 and 30 ms where the local one takes 10 and 20, and answers 1 where that answers 2."""
    times = {AZURE: Times((12.0, 30.0)), LOCAL: Times((10.0, 20.0))}
    seconds = {AZURE: 2.0, LOCAL: 1.0}
    together = [
        Together(
            operation,
            host,
            row(operation, "16", None, ANSWERED + REFUSED[:1], seconds[host], None, 0),
            row(operation, "16", None, [Outcome(200, 0.05)], 1.0, None, 0),
        )
        for operation in OPERATIONS
        for host in (AZURE, LOCAL)
    ]
    alone = [Alone(operation, host, times[host], Times((2.0, 2.0))) for operation in OPERATIONS for host in times]
    memory = [Footprint("worker", 100.0, 200.0, None, 30)]
    return azure.found_in(alone, together, bursts, memory, [Growth(AZURE, 4_000, 200.0, 208.0)])


def test_azures_host_is_held_against_the_local_one_and_both_against_the_bare_function() -> None:
    alone, together, _, _ = hosts({}).tables
    assert [row[0] for row in alone.rows] == list(OPERATIONS)
    assert cells(alone, 0)["Azure's over local"] == pytest.approx((1.2 + 1.5) / 2)
    assert alone.rows[0][-3:] == pytest.approx([(6.0 + 15.0) / 2, 2.0, (5.0 + 10.0) / 2])
    azures = cells(together, 0)
    assert [azures[title] for title in ("answered/s", "over local", "p50 over local", "refused")] == [1.0, 0.5, 1.0, 1]
    assert azures["p50 over bare"] == pytest.approx(200.0 / 50.0)


def test_a_burst_tells_its_statuses_its_slowest_answer_and_what_a_refusal_lacks() -> None:
    burst = hosts({AZURE: [ANSWERED + REFUSED, ANSWERED]}).tables[2]
    assert burst.rows[0] == [f"{AZURE}, burst 1", "1 x 0, 2 x 200, 2 x 503", 2, 2.5, 1]
    assert burst.rows[1][1:] == ["2 x 200", 0, 0.3, 0]


def test_what_a_request_leaves_behind_is_told_for_a_thousand() -> None:
    memory = hosts({}).tables[3]
    assert "Azure's 2.00 MB (4,000 requests, 200 to 208 MB)" in memory.note
    assert list(memory.rows[0]) == ["worker", 100.0, 200.0, None, 30]


def test_a_cold_start_is_taken_apart_and_bytecode_spares_the_difference() -> None:
    compiled = [AzureStart(1.0, 0.5, 0.25, 0.25, 0.05, 0.3)]
    source = [AzureStart(1.0, 1.25, 0.25, 0.25, 0.05, 0.9)]
    table = azure_cold_start.found_in(compiled, source).tables[0]
    spared = {str(row[0]): row[-1] for row in table.rows}
    assert spared["worker, until the app is imported"] == spared["whole, to the first answer"] == 750.0
    assert cells(table, 4)[azure_cold_start.WITH] == 2_000.0


def soaked(answers: list[tuple[float, float]]) -> Found:
    samples = [Sample(number, Held(100.0 + number / 500, 20, 9)) for number in range(0, 1_001, 100)]
    ledger = Ledger(requests=1_000, answers=answers)
    return azure_soak.found_in(Soaked(ledger, samples, 300.0), Held(170.0, 9, 9), Held(180.0, 9, 9))


def test_the_soak_compares_its_first_minute_with_its_last_and_holds_the_worker_to_its_target() -> None:
    found = soaked([(1_000.0 + second, 0.1 if second < 150 else 0.2) for second in range(1, 301)])
    assert [list(row) for row in found.tables[1].rows] == [["first", 60, 100.0, 100.0], ["last", 61, 200.0, 200.0]]
    (measure,) = found.measures
    assert measure.target is AZURE_SLOPE
    assert measure.figure == pytest.approx(2.0)
    assert "170 MB before and 180 MB after" in found.tables[1].note


def test_a_soak_without_answers_has_no_times() -> None:
    assert [list(row)[1:] for row in soaked([]).tables[1].rows] == [[0, None, None], [0, None, None]]


def test_adapters_stand_beside_each_other() -> None:
    answers = {(kind, what): Times((1.0,)) for kind in ("ours", "theirs") for what in adapter.REQUESTS}
    table = adapter.found_in({"ours": Times((3.0,)), "theirs": Times((9.0,))}, answers).tables[0]
    assert [list(row[:3]) for row in table.rows] == [["ours", 3.0, 1.0], ["theirs", 9.0, 1.0]]


def test_a_tiny_app_is_a_module_with_links_to_what_it_imports(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    app = tiny_app("classic", tmp_path, {"packages/there": library})
    assert "func.FunctionApp()" in (app / "function_app.py").read_text(encoding="utf-8")
    assert (app / "packages" / "there").resolve() == library


@posix
def test_the_worker_is_the_hosts_descendant_that_runs_worker_py(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text("import sys; print('here', flush=True); sys.stdin.read()", encoding="utf-8")
    host = "import os, subprocess, sys; subprocess.run([sys.executable, os.environ['SCRIPT']])"
    with subprocess.Popen(
        [sys.executable, "-c", host],
        env={**os.environ, "SCRIPT": str(script)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        worker = worker_of(process.pid)
        assert set(family(process.pid)) == {process.pid, worker}
        with pytest.raises(ValueError, match="values to unpack"):
            worker_of(worker + 10_000_000)
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="of /proc")
def test_shared_pages_count_in_parts() -> None:
    proportional, resident = proportional_megabytes(os.getpid()), resident_megabytes(os.getpid())
    assert proportional is not None
    assert resident is not None
    assert 1.0 < proportional < resident * 1.2
