"""At most so many storage calls for each operation: the table of ``docs/internals/round-trips.md``.

Look-ups of keys and data keys are warm. The page is the budget: a row here without one there fails, and the reverse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from shared.storage.gallery.compaction import RowCompaction
from tests.round_trips.app import app
from tests.round_trips.customers import (
    IDENTIFICATION,
    TEXT_DEPENDENT,
    TEXT_INDEPENDENT,
    VERSION,
    Customer,
    customer,
    expected,
    sample,
)
from tests.service import REPOSITORY

Work = Callable[[], object]
Arrange = Callable[[Customer], Work]
"""Brings the situation about, and returns the work whose calls count."""

PAGE: Final = REPOSITORY / "docs/internals/round-trips.md"
SITUATIONS: Final[dict[str, Arrange]] = {}
SHORT: Final = f"{VERSION}&ignoreMinLength=true"


def budgets() -> dict[str, int]:
    rows = re.findall(r"^\| ([^|]+?) \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {situation: int(calls) for situation, calls in rows}


def situation(name: str) -> Callable[[Arrange], Arrange]:
    def register(arrange: Arrange) -> Arrange:
        SITUATIONS[name] = arrange
        return arrange

    return register


def profile(kind: str, profile_id: str, action: str = "") -> str:
    return f"/speaker-recognition/{kind}/profiles/{profile_id}{action}?{SHORT}"


def ten(who: Customer) -> str:
    others = [who.speaker(IDENTIFICATION, "other-speaker") for _ in range(9)]
    return ",".join([who.speaker(IDENTIFICATION, "passphrase-1"), *others])


@situation("first request with a key")
def _(who: Customer) -> Work:
    key = who.app.call("POST", f"/manage/subscriptions/{who.subscription_id}/keys/secondary/regenerate").json["key"]
    return lambda: who.app.call("GET", "/settings", key=key)


@situation("create a profile")
def _(who: Customer) -> Work:
    return lambda: who.created(TEXT_DEPENDENT)


@situation("list profiles")
def _(who: Customer) -> Work:
    who.created(TEXT_DEPENDENT, 3)
    return lambda: who.call("GET", f"/speaker-recognition/{TEXT_DEPENDENT}/profiles?{VERSION}")


@situation("enroll for verification")
def _(who: Customer) -> Work:
    target = profile(TEXT_INDEPENDENT, who.speaker(TEXT_INDEPENDENT), "/enrollments")
    return lambda: expected(who.call("POST", target, sample("passphrase-2")), 201)


@situation("enroll for identification, recording kept")
def _(who: Customer) -> Work:
    target = profile(IDENTIFICATION, who.speaker(IDENTIFICATION), "/enrollments")
    return lambda: expected(who.call("POST", target, sample("passphrase-2")), 201)


@situation("verify")
def _(who: Customer) -> Work:
    target = profile(TEXT_DEPENDENT, who.speaker(TEXT_DEPENDENT), ":verify")
    return lambda: expected(who.call("POST", target, sample("passphrase-4")), 200)


@situation("verify with a token for one use")
def _(who: Customer) -> Work:
    profile_id = who.speaker(TEXT_DEPENDENT)
    asked = json.dumps({"operations": ["verify"], "profileId": profile_id, "uses": 1}).encode()
    token = expected(who.call("POST", "/tokens", asked), 201).json["token"]
    holder, target = replace(who, key=token), profile(TEXT_DEPENDENT, profile_id, ":verify")
    expected(holder.call("GET", "/caller"), 200)
    return lambda: expected(holder.call("POST", target, sample("passphrase-4")), 200)


@situation("verify, recognitions recorded")
def _(who: Customer) -> Work:
    expected(who.call("PATCH", "/settings", b'{"recordRecognitions": {"days": 30}}'), 200)
    expected(who.call("GET", "/settings"), 200)
    target = profile(TEXT_DEPENDENT, who.speaker(TEXT_DEPENDENT), ":verify")
    return lambda: expected(who.call("POST", target, sample("passphrase-4")), 200)


@situation("verify, replays refused")
def _(who: Customer) -> Work:
    expected(who.call("PATCH", "/settings", b'{"replay": {"action": "refuse"}}'), 200)
    expected(who.call("GET", "/settings"), 200)
    target = profile(TEXT_DEPENDENT, who.speaker(TEXT_DEPENDENT), ":verify")
    return lambda: expected(who.call("POST", target, sample("passphrase-4")), 200)


@situation("draw a challenge")
def _(who: Customer) -> Work:
    target = f"/profiles/{TEXT_DEPENDENT}/{who.speaker(TEXT_DEPENDENT)}/challenges"
    return lambda: expected(who.call("POST", target), 201)


@situation("verify with a challenge")
def _(who: Customer) -> Work:
    profile_id = who.speaker(TEXT_DEPENDENT)
    drawn = expected(who.call("POST", f"/profiles/{TEXT_DEPENDENT}/{profile_id}/challenges"), 201).json
    target = profile(TEXT_DEPENDENT, profile_id, ":verify") + f"&challenge={drawn['challengeId']}"
    return lambda: expected(who.call("POST", target, sample("passphrase-4")), 200)


@situation("identify among 10")
def _(who: Customer) -> Work:
    candidates = ten(who)
    return lambda: who.identified(candidates)


@situation("identify among 10 of 200")
def _(who: Customer) -> Work:
    candidates = ten(who)
    who.created(IDENTIFICATION, 190)
    return lambda: who.identified(candidates)


@situation("identify among everyone, nothing changed")
def _(who: Customer) -> Work:
    ten(who)
    who.identified("*")
    return lambda: who.identified("*")


@situation("identify among everyone, one profile changed")
def _(who: Customer) -> Work:
    ten(who)
    who.identified("*")
    who.speaker(IDENTIFICATION, "other-speaker")
    return lambda: who.identified("*")


@situation("identify among everyone, new instance, from rows")
def _(who: Customer) -> Work:
    ten(who)
    return lambda: who.identified("*")


@situation("identify among everyone, new instance, from a pack")
def _(who: Customer) -> Work:
    ten(who)
    compaction = who.app.services.compact_galleries.compaction
    assert isinstance(compaction, RowCompaction)
    compaction._fewest = 1
    compaction.compact(who.subscription_id)
    return lambda: who.identified("*")


@situation("identify in a group, nothing changed")
def _(who: Customer) -> Work:
    expected(who.call("PUT", "/groups/night"), 201)
    expected(who.call("PUT", f"/groups/night/profiles/{who.speaker(IDENTIFICATION)}"), 204)
    who.identified("group:night")
    return lambda: who.identified("group:night")


@situation("delete a profile for verification")
def _(who: Customer) -> Work:
    target = profile(TEXT_DEPENDENT, who.speaker(TEXT_DEPENDENT))
    return lambda: expected(who.call("DELETE", target), 204)


@situation("delete a profile for identification, 3 recordings kept")
def _(who: Customer) -> Work:
    target = profile(IDENTIFICATION, who.speaker(IDENTIFICATION))
    return lambda: expected(who.call("DELETE", target), 204)


@pytest.mark.parametrize("name", SITUATIONS)
def test_an_operation_keeps_within_its_budget(name: str) -> None:
    running = app()
    who = customer(running)
    who.speaker(IDENTIFICATION)  # the data key is in memory from here on
    work = SITUATIONS[name](who)
    running.calls.clear()
    work()
    assert 0 < len(running.calls) <= budgets()[name], running.calls


@pytest.mark.parametrize("timer", ["retention", "compaction", "migration"])
def test_a_tick_with_nothing_due_keeps_within_its_budget(timer: str) -> None:
    running = app()
    customer(running).speaker(IDENTIFICATION)
    running.tick(timer)  # the first tick of a process looks for more
    running.calls.clear()
    running.tick(timer)
    assert 0 < len(running.calls) <= budgets()[f"tick of the timer {timer}, nothing due"], running.calls


def test_the_page_has_a_budget_for_each_situation() -> None:
    ticks = {name for name in budgets() if name.startswith("tick of the timer ")}
    assert set(budgets()) - ticks == set(SITUATIONS)
    assert len(ticks) == 3
