"""Answers on the wire: dates, numbers, empty bodies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.http.reply import Reply, date, seconds

MOMENT = datetime(2020, 1, 29, 22, 48, 17, 7_999, tzinfo=UTC)


def test_a_date_has_milliseconds_and_ends_in_z() -> None:
    assert date(MOMENT) == "2020-01-29T22:48:17.007Z"


def test_a_whole_second_keeps_its_fraction() -> None:
    assert date(MOMENT.replace(microsecond=0)) == "2020-01-29T22:48:17.000Z"


def test_a_date_of_another_zone_is_written_in_utc() -> None:
    assert date(MOMENT.astimezone(timezone(timedelta(hours=-5)))) == "2020-01-29T22:48:17.007Z"


@pytest.mark.parametrize(("value", "written"), [(7.926, 7.93), (30, 30.0), (0.0, 0.0), (1e-9, 0.0)])
def test_seconds_are_rounded_to_two_decimals_and_stay_floats(value: float, written: float) -> None:
    result = seconds(value)
    assert result == written
    assert "." in repr(result)


def test_an_answer_without_a_body_is_empty_and_has_its_headers() -> None:
    response = Reply(202, headers={"Operation-Location": "http://x/1"}).response({"apim-request-id": "2"})
    assert (response.status_code, response.get_body()) == (202, b"")
    assert dict(response.headers) == {"Operation-Location": "http://x/1", "apim-request-id": "2"}


def test_a_body_is_compact_utf8_json() -> None:
    response = Reply(200, [{"phrase": "“ä”"}]).response({})
    assert response.get_body() == '[{"phrase":"“ä”"}]'.encode()
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_an_empty_list_is_a_body() -> None:
    assert Reply(200, []).response({}).get_body() == b"[]"
