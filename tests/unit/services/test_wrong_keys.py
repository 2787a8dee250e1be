"""Wrong keys of an address: so many are looked up in a minute, and no key that has opened is kept out."""

from __future__ import annotations

from contextlib import suppress

import pytest

from shared.domain.errors import SubscriptionUnknown, TooManyWrongKeys
from shared.domain.limits import WRONG_KEYS_PER_MINUTE
from shared.services import wrong_keys
from shared.services.wrong_keys import WrongKeys, may_be_a_key
from tests.unit.services.test_rate import Time

HERE, THERE = "192.0.2.1", "2001:db8::/64"


def looked_up(keys: WrongKeys, address: str = HERE, tries: int = 30) -> int:
    """How many wrong keys are looked up."""
    found = 0
    for _ in range(tries):
        with suppress(SubscriptionUnknown, TooManyWrongKeys), keys.counted(address, is_known=False):
            found += 1
            raise SubscriptionUnknown
    return found


def test_so_many_a_minute_and_address() -> None:
    time = Time()
    keys = WrongKeys(time)
    assert looked_up(keys, tries=WRONG_KEYS_PER_MINUTE - 1) == WRONG_KEYS_PER_MINUTE - 1
    time.seconds += 45.5
    assert looked_up(keys) == 1
    with pytest.raises(TooManyWrongKeys) as refusal, keys.counted(HERE, is_known=False):
        pass
    assert refusal.value.retry_after_seconds == 15
    assert looked_up(keys, THERE) == WRONG_KEYS_PER_MINUTE
    time.seconds += 14.5
    assert looked_up(keys) == WRONG_KEYS_PER_MINUTE


def test_a_key_that_has_opened_is_looked_up_all_the_same() -> None:
    keys = WrongKeys(Time())
    looked_up(keys)
    with keys.counted(HERE, is_known=True):
        pass


def test_right_keys_do_not_count() -> None:
    keys = WrongKeys(Time())
    for _ in range(100):
        with keys.counted(HERE, is_known=False):
            pass
    assert looked_up(keys) == WRONG_KEYS_PER_MINUTE


def test_an_address_is_forgotten_after_its_minute_and_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_keys, "MAX_ADDRESSES", 3)
    time = Time()
    keys = WrongKeys(time)
    for name in ("a", "b", "c", "d"):
        looked_up(keys, name, tries=25)
    assert set(keys._counted) == {"b", "c", "d"}
    time.seconds += 60.0
    looked_up(keys, "e", tries=1)
    assert set(keys._counted) == {"e"}


@pytest.mark.parametrize(
    ("received", "local", "expected"),
    [
        ("0123456789abcdef" * 4, None, True),
        ("0123456789ABCDEF" * 4, None, False),
        ("0123456789abcdef" * 4 + "0", None, False),
        ("0123456789abcdef" * 4 + "\n", None, False),
        ("", None, False),
        ("my own key", "my own key", True),
        ("schl\xfcssel", "schl\xfcssel", True),
        ("My own key", "my own key", False),
        ("my own key", None, False),
    ],
)
def test_what_may_be_a_key(received: str, local: str | None, expected: bool) -> None:
    assert may_be_a_key(received, local) is expected
