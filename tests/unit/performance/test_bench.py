"""What the bench computes of its repetitions, and that its loops send what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from threading import Event, Semaphore

import pytest

from tests.performance import bench, loops
from tests.performance.client import HEALTH, Answer, Client, Request
from tests.performance.figures import Measure, Result, Table, Target, markdown, milliseconds, ratio_of_pairs
from tests.performance.loops import Load, closed_loop, open_loop
from tests.performance.parts import peers, soak
from tests.performance.parts.peers import CAMPPLUS, Turns
from tests.performance.peers.contenders import TIMBRE
from tests.performance.process import Held, held, processor_seconds

RETRY = {"retry-after": "0"}


class Standin(Client):
    """Answers 200 at once, and is never connected."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")

    def answer(self, request: Request) -> Answer:
        return Answer(200, 0.0)


def test_a_ratio_is_taken_within_each_pair() -> None:
    # A slow moment hits both of a pair: 2x in each, although the medians alone would give 2.5x.
    assert ratio_of_pairs([2.0, 20.0, 4.0], [1.0, 10.0, 2.0]) == 2.0
    with pytest.raises(ValueError, match="shorter"):
        ratio_of_pairs([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("at_least", "figure", "verdict"),
    [
        (False, 1.5, "met"),
        (False, 1.8, "missed by 20 %"),
        (True, 1.5, "met"),
        (True, 0.75, "missed by 50 %"),
        (True, None, "not measured"),
    ],
)
def test_a_figure_meets_its_limit_or_misses_it_by_a_share(at_least: bool, figure: float | None, verdict: str) -> None:
    assert Measure(Target("throughput", 1.5, at_least=at_least), figure).verdict == verdict


def test_a_table_shows_what_is_missing() -> None:
    lines = markdown(Table("Figures", ["name", "ms"], [["short", 12.34], ["longer", milliseconds([])]])).splitlines()
    assert lines == [
        "### Figures",
        "",
        "| name   | ms   |",
        "|--------|------|",
        "| short  | 12.3 |",
        "| longer | -    |",
    ]


def test_answers_refusals_and_failures_are_told_apart() -> None:
    answers = [Answer(200, 0.1), Answer(202, 0.3), Answer(503, 0.01, RETRY), Answer(429, 0.03, RETRY)]
    load = Load([*answers, Answer(503, 1.0), Answer(0, 1.0), Answer(500, 1.0)], 2.0)
    assert (load.rate, load.good, load.refused, load.failed) == (1.0, [0.1, 0.3], [0.01, 0.03], 3)


def test_the_open_loop_counts_what_it_could_not_send(monkeypatch: pytest.MonkeyPatch) -> None:
    load = open_loop(Standin, HEALTH, rate=2000.0, seconds=0.05)
    assert (len(load.answers), load.not_sent) == (100, 0)
    refused, over = count(1), Event()

    class Room(Semaphore):
        """The one answer comes when the last of the others could not be sent."""

        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            acquired = super().acquire(blocking, timeout)
            if not acquired and next(refused) == 9:
                over.set()
            return acquired

    monkeypatch.setattr(loops, "Semaphore", Room)
    monkeypatch.setattr(loops, "MOST_UNDER_WAY", 1)
    monkeypatch.setattr(Standin, "answer", lambda *_: Answer(200, float(over.wait(30.0))))
    load = open_loop(Standin, HEALTH, rate=1000.0, seconds=0.01)
    assert (len(load.answers), load.not_sent) == (1, 9)


def test_every_client_of_the_closed_loop_gets_a_turn() -> None:
    assert len(closed_loop(Standin, HEALTH, clients=3, seconds=0.01).answers) >= 3


def test_the_slope_of_the_soak_leaves_the_warm_up_out() -> None:
    """The service grows by 100 MB in the first thousand requests and by 2 MB in the second."""
    sizes = [80.0 + number / 10 for number in range(0, 1_000, 100)]
    sizes += [180.0 + (number - 1_000) / 500 for number in range(1_000, 2_000, 100)]
    samples = [soak.Sample(100 * place, Held(size, 20, 9)) for place, size in enumerate(sizes)]
    (measure,) = soak.result_of(samples, "").measures
    assert measure.figure == pytest.approx(2.0)
    assert soak.result_of([], "").measures[0].figure is None


def test_timbre_is_held_against_the_better_campplus_in_the_worse_job() -> None:
    rates = {TIMBRE: (30, 30), CAMPPLUS[0]: (12, 10), CAMPPLUS[1]: (5, 6)}
    throughput = {
        (name, job, 1): Turns([Load([Answer(200, 0.1)] * rate, 1.0)], [1.0])
        for name, each in rates.items()
        for job, rate in zip(("identify", "verify"), each, strict=True)
    }
    megabytes = {TIMBRE: 200.0, CAMPPLUS[0]: 500.0, CAMPPLUS[1]: 800.0}
    fast, small = peers.result_of(throughput, megabytes, {name: [1.0] for name in rates}).measures
    assert (fast.figure, fast.remark) == (2.5, f"identify against {CAMPPLUS[0]}, the least of 4")
    assert small.figure == 0.4


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_what_a_process_holds_counts_its_children() -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys; sys.stdin.read()'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as parent:
        while (holds := held(parent.pid)) is None or holds.threads < 2:
            pass
        assert holds.megabytes > 5
        assert processor_seconds(parent.pid)
        parent.communicate()


def test_a_part_that_breaks_leaves_the_others_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measured(part: str, _: object) -> Result:
        if part == "load":
            raise ZeroDivisionError
        return Result([Table(part, ["speakers"], [[1]])])

    monkeypatch.setattr(bench, "_measured", measured)
    assert bench.main(["--only", "requests", "load", "soak", "--out", str(tmp_path)]) == bench.CANNOT
    report = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert list(report["parts"]) == ["requests", "soak"]
    assert report["model"]
    assert "### soak" in (tmp_path / "bench.md").read_text(encoding="utf-8")
