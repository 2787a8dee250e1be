"""The bounds that docs/privacy.md promises are those of the code."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.limits import AUDIT_DAYS, OPERATION_HOURS, PENDING_UPLOAD_MINUTES
from shared.services.retain import ERASE_CALLS
from shared.storage.gallery.compaction import FEWEST
from shared.storage.gallery.galleries import IDLE_SECONDS
from shared.storage.profiles.change_log import KEPT
from shared.storage.profiles.expiry import WALK_SLICE
from shared.storage.profiles.schedule import SETTLED
from shared.storage.profiles.tokens import KEPT as KEPT_SPENT
from shared.storage.sealing.data_keys import CACHE_SECONDS
from shared.storage.subscriptions import LOOK_UP_SECONDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = " ".join((ROOT / "docs" / "privacy.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("value", "bound", "sentence"),
    [
        (CACHE_SECONDS, 300.0, "keeps an unwrapped data key in memory for at most 5 minutes"),
        (LOOK_UP_SECONDS, 30.0, "used a subscription's key in the last 30 seconds may serve a request"),
        (LOOK_UP_SECONDS, 30.0, "deleted key | at once on the instance that did it, within 30 seconds on others"),
        (SETTLED, timedelta(minutes=10), "comes back when 10 minutes have passed"),
        (PENDING_UPLOAD_MINUTES, 10, "its audio after 10 minutes, with the next tick"),
        (OPERATION_HOURS, 24, "24 hours, then gone with the next tick"),
        (KEPT_SPENT, timedelta(minutes=10), "10 minutes longer than the token, then gone with the next tick"),
        (AUDIT_DAYS, 400.0, "`auditDays`, 400 days unless set otherwise"),
        (WALK_SLICE, 2_000, "looks through all profiles, 2,000 a tick"),
        (FEWEST, 5_000, "for subscriptions with 5,000 profiles or more"),
        (KEPT, 1_000, "the latest 1,000"),
        (IDLE_SECONDS, 3_600.0, "given up after an hour without use"),
        (ERASE_CALLS, 2_000, "in slices of 2,000 storage calls"),
    ],
)
def test_a_bound_is_the_codes(value: object, bound: object, sentence: str) -> None:
    assert value == bound
    assert sentence in TEXT


@pytest.mark.parametrize(
    ("timer", "sentence"),
    [
        ("retention", "the timer, which runs every five minutes"),
        ("compaction", "the timer `compaction`, every five minutes"),
    ],
)
def test_a_timer_runs_as_often_as_it_says(timer: str, sentence: str) -> None:
    assert sentence in TEXT
    source = (ROOT / "functions" / "timers.py").read_text(encoding="utf-8")
    (schedule,) = re.findall(rf'function_name\("{timer}"\)\n@blueprint.timer_trigger\(.*schedule="([^"]+)"', source)
    assert schedule.split()[1:] == ["*/5", "*", "*", "*", "*"]
