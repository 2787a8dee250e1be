"""Times of the wire, written and read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.times import date, read_date

OFFSETS = st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-1_439, 1_439))
MOMENT = datetime(2020, 1, 29, 22, 48, 17, 7_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENT, "2020-01-29T22:48:17.007Z"),
        (MOMENT.replace(microsecond=0), "2020-01-29T22:48:17.000Z"),
        (MOMENT.astimezone(timezone(timedelta(hours=-5))), "2020-01-29T22:48:17.007Z"),
        (None, None),
    ],
)
def test_a_date_has_milliseconds_and_is_in_utc(moment: datetime | None, text: str | None) -> None:
    assert date(moment) == text


@settings(max_examples=50)
@given(st.datetimes(timezones=OFFSETS).filter(lambda moment: 1900 < moment.year < 9000))
def test_what_is_written_is_read_again_to_the_millisecond(moment: datetime) -> None:
    read = read_date(date(moment) or "")
    assert read.tzinfo is UTC
    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)


@pytest.mark.parametrize("text", ["2026-11-22", "2026-11-22T00:00:00", "2026-11-22T02:00+02:00"])
def test_a_date_is_utc_unless_it_says_otherwise(text: str) -> None:
    assert read_date(text) == datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00+14:00"])
def test_no_date_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        read_date(text)
