"""A whole service on a machine with a wrong clock, on Azurite: it erases nothing, and its requests see the time."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from localhost.azurite import Azurite
from shared.bootstrap import Services, build
from shared.config import read
from shared.domain.access import AccessKey, Role
from shared.domain.audit import Actor, Caller
from shared.domain.profile import ProfileKey, ProfileKind, RetentionOverride
from shared.domain.subscription import SettingsChange
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.clock import StorageClock, system_clock
from shared.storage.stores import Storage
from tests.unit.test_bootstrap import SETTINGS

pytestmark = pytest.mark.azurite
ACTOR = Actor("key:primary", "a request")
RIGHT = timedelta()
ONE_DAY = RetentionOverride(max_age_days=1.0)


def service(azurite: Azurite, prefix: str, off: timedelta) -> Services:
    """On a machine whose clock is off by that."""
    account = StorageAccount(azurite.connection_string, clock=StorageClock(lambda: system_clock() + off))
    return build(replace(read(SETTINGS), storage=account), Storage.in_azure(account, prefix))


def profile(made: Services, kept: RetentionOverride = ONE_DAY) -> ProfileKey:
    made.manage.put(ACTOR, "mine", SettingsChange())
    caller = Caller(made.manage.get("mine"), ACTOR, AccessKey("primary", Role.MANAGE))
    key = made.profiles.create(caller, ProfileKind.IDENTIFICATION, "en-us").key
    made.notes.change_retention(ACTOR, key, kept)
    return key


@pytest.mark.parametrize("off", [timedelta(days=2), timedelta(minutes=6), timedelta(minutes=-6), timedelta(days=-2)])
def test_a_clock_that_is_wrong_neither_hides_nor_erases_nor_keeps(
    azurite: Azurite, off: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    prefix = f"t{uuid4().hex}"
    right, wrong = service(azurite, prefix, RIGHT), service(azurite, prefix, off)
    key = profile(right)
    assert wrong.profiles.get(key).expires_at == right.profiles.get(key).expires_at
    assert abs(wrong.clock() - system_clock()) < timedelta(seconds=2)
    with caplog.at_level(logging.ERROR, "timbre.retention"):
        assert wrong.retain() == 0
    (line,) = [message for message in caplog.messages if message.startswith("clock_wrong")]
    assert abs(float(line.partition("skew_seconds=")[2]) - abs(off.total_seconds())) <= 2
    assert right.retain() > 0
    assert right.profiles.get(key).key == key


def test_within_the_tolerance_the_timer_goes_by_storages_clock(azurite: Azurite) -> None:
    prefix = f"t{uuid4().hex}"
    key = profile(service(azurite, prefix, RIGHT), RetentionOverride(max_age_days=2 / 24 / 60))
    fast = service(azurite, prefix, timedelta(minutes=4))
    assert fast.retain() > 0
    assert fast.profiles.get(key).key == key
