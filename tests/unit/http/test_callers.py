"""Whom a request came from: the entry that a trusted proxy has written, or nobody known."""

from __future__ import annotations

import pytest

from shared.http.callers import UNKNOWN, caller_address


@pytest.mark.parametrize(
    ("forwarded_for", "hops", "expected"),
    [
        ("192.0.2.1", 1, "192.0.2.1"),
        ("192.0.2.1:49828", 1, "192.0.2.1"),
        ("198.51.100.7, 192.0.2.1:49828", 1, "192.0.2.1"),
        ("198.51.100.7:1,192.0.2.1", 2, "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", 1, "2001:db8:1:2::/64"),
        ("[::1]", 1, "::/64"),
        ("::ffff:192.0.2.1", 1, "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", 1, "192.0.2.1"),
        (None, 1, UNKNOWN),
        ("", 1, UNKNOWN),
        ("192.0.2.1", 2, UNKNOWN),
        ("192.0.2.1, unknown", 1, UNKNOWN),
        ("192.0.2.1,", 1, UNKNOWN),
        ("192.0.2.300:80", 1, UNKNOWN),
        ("[192.0.2.1:80", 1, UNKNOWN),
    ],
)
def test_the_entry_that_counts(forwarded_for: str | None, hops: int, expected: str) -> None:
    assert caller_address(forwarded_for, hops) == expected
