"""The speaker's permission."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.consent import NO_CONSENT, Consent, ConsentRecord
from shared.domain.errors import ConsentMissing, ConsentWithdrawn

NOW = datetime(2026, 1, 2, tzinfo=UTC)
GIVEN = Consent(ConsentRecord("statement-7", NOW, "web", "case 1"))
PROFILE = "6f6b0c41-2f0c-4b3c-9a0c-0a7c4f0f2a11"


@pytest.mark.parametrize(
    ("consent", "demanded", "message"),
    [
        (NO_CONSENT, False, None),
        (NO_CONSENT, True, f"recorded for the profile {PROFILE}"),
        (GIVEN, False, None),
        (GIVEN, True, None),
        *[
            (before.withdrawn(NOW), demanded, f"{PROFILE} can be enrolled again after a new consent")
            for before in (GIVEN, NO_CONSENT)
            for demanded in (False, True)
        ],
    ],
)
def test_a_voice_is_enrolled_with_consent_or_where_none_is_demanded(
    consent: Consent, demanded: bool, message: str | None
) -> None:
    if message is None:
        consent.require(PROFILE, demanded=demanded)
    else:
        with pytest.raises((ConsentMissing, ConsentWithdrawn), match=message):
            consent.require(PROFILE, demanded=demanded)
    assert consent.given == (consent is GIVEN)


def test_a_second_withdrawal_keeps_the_time_of_the_first() -> None:
    once = GIVEN.withdrawn(NOW)
    assert once.withdrawn(NOW + timedelta(days=1)) == once


def test_what_names_a_document_stays_out_of_logs() -> None:
    assert "case 1" not in repr(GIVEN)
