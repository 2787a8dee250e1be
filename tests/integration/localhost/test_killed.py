"""`python dev.py start`, killed in use: after a restart what was answered is there, and what was deleted is not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from tests.api.client import PREFIX, Answer, Client, Profiles, verify
from tests.integration.localhost.test_process import children_of, posix_only
from tests.integration.localhost.test_server import wait_until
from tests.service import KEYS, REPOSITORY

pytestmark = posix_only

TAKES = [(REPOSITORY / "samples" / f"passphrase-{take}.wav").read_bytes() for take in (1, 2, 3, 4)]
START = "import sys, dev; dev.set_up = lambda **_: None; sys.exit(dev.main(sys.argv[1:]))"
"""What a test run has set up need not be looked at again."""
START_SECONDS = 120.0
ANSWERS_BEFORE_A_KILL = 3
STEP_SECONDS = 0.037


@dataclass(frozen=True)
class Tree:
    """The processes of a start: each is the parent of the next."""

    dev: int
    service: int
    azurite: int
    client: Client


VICTIMS: list[Callable[[Tree], tuple[int, ...]]] = [
    lambda tree: (tree.service,),
    lambda tree: (tree.azurite,),
    lambda tree: (tree.dev, tree.service, tree.azurite),
    lambda tree: (tree.dev,),
    lambda tree: (tree.dev, tree.service),
]

GONE = -1


@dataclass
class Told:
    """What callers may find of each profile: the number of its enrollments, or that it is gone.

    Two outcomes are right while a change is under way, and stay so where its answer never came.
    """

    outcomes: dict[str, set[int]] = field(default_factory=dict)
    answers: int = 0

    def change_until_cut(self, client: Client) -> None:
        """The profile that is deleted was enrolled before the one that follows it, perhaps in another life."""
        profiles = Profiles(client, "verification")
        while True:
            created = self._answered(client.send("POST", PREFIX + profiles.path, {"locale": "en-us"}))
            profile_id = created.json[profiles.id_name]
            self.outcomes[profile_id] = {0}
            self._change(profile_id, 1, lambda fresh: profiles.enroll(fresh, TAKES[0]))
            *older, _ = [enrolled for enrolled, outcomes in self.outcomes.items() if outcomes == {1}]
            for enrolled in older:
                self._change(enrolled, GONE, profiles.delete)

    def assert_holds(self, client: Client) -> None:
        profiles = Profiles(client, "verification")
        for profile_id, outcomes in self.outcomes.items():
            answer = client.get(f"{profiles.path}/{profile_id}")
            assert answer.status in (200, 404)
            outcome = answer.json["enrollmentsCount"] if answer.status == 200 else GONE
            assert outcome in outcomes
            self.outcomes[profile_id] = {outcome}

    def _change(self, profile_id: str, outcome: int, change: Callable[[str], Answer]) -> None:
        self.outcomes[profile_id].add(outcome)
        self._answered(change(profile_id))
        self.outcomes[profile_id] = {outcome}

    def _answered(self, answer: Answer) -> Answer:
        if answer.status == 503:
            raise Cut
        assert answer.status == 200, answer.body
        self.answers += 1
        return answer


class Cut(Exception):
    """The service, or its storage, is gone."""


@contextmanager
def started(data: Path, log: Path) -> Iterator[Tree]:
    """Ends what is left of it: in good order where that is possible."""
    process, url = _start(data, log)
    try:
        (service,) = children_of(process.pid)
        (azurite,) = children_of(service)
        client = Client(url, KEYS["TIMBRE_LOCAL_SUBSCRIPTION_KEY"], checked=False)
        yield Tree(process.pid, service, azurite, client)
    finally:
        process.terminate()
        process.wait(60)


def _start(data: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Again and again while the folder is in use by what is left of the last start."""
    command = [sys.executable, "-c", START, "start", "--port", "0", "--data", str(data)]
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env={**os.environ, **KEYS},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        if url := _url_when_ready(process, log):
            return process, url
        assert "already in use" in log.read_text(), log.read_text()
    raise AssertionError("the folder stayed in use")


def _url_when_ready(process: subprocess.Popen[bytes], log: Path) -> str | None:
    """None where it has ended."""
    wait_until(lambda: process.poll() is not None or "Timbre is ready at" in log.read_text())
    ready = re.search(r"Timbre is ready at (\S+) ", log.read_text())
    return ready[1] if ready else None


def kill_in_use(tree: Tree, told: Told, point: int) -> None:
    wanted = told.answers + ANSWERS_BEFORE_A_KILL
    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(told.change_until_cut, tree.client)
        wait_until(lambda: changing.done() or told.answers >= wanted)
        time.sleep(point * STEP_SECONDS % 0.5)
        for process in VICTIMS[point % len(VICTIMS)](tree):
            os.kill(process, signal.SIGKILL)
        with suppress(Cut, OSError, HTTPException):
            changing.result(60)
    assert told.answers >= wanted


def test_what_was_answered_outlives_every_kill(tmp_path: Path, long_form: bool) -> None:
    told, data, log = Told(), tmp_path / "data", tmp_path / "log"
    speaker = ""
    for point in range(30 if long_form else 3):
        with started(data, log) as tree:
            speaker = speaker or Profiles(tree.client, "verification").enrolled(*TAKES[:3])
            told.assert_holds(tree.client)
            kill_in_use(tree, told, point)
    with started(data, log) as tree:
        told.assert_holds(tree.client)
        assert verify(tree.client, speaker, TAKES[3]).json["result"] == "Accept"
    assert {GONE} in told.outcomes.values()
