"""The speaker's permission."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.consent import NO_CONSENT, Consent, ConsentRecord
from shared.domain.errors import ConsentMissing, ConsentWithdrawn

NOW = datetime(2026, 1, 2, tzinfo=UTC)
GIVEN = Consent(ConsentRecord("statement-7", NOW, "web", "case 1"))
PROFILE = "6f6b0c41-2f0c-4b3c-9a0c-0a7c4f0f2a11"


def test_a_subscription_that_demands_nothing_enrolls_without_consent() -> None:
    NO_CONSENT.require(PROFILE, demanded=False)


def test_a_subscription_that_demands_consent_refuses_without() -> None:
    with pytest.raises(ConsentMissing, match=f"recorded for the profile {PROFILE}"):
        NO_CONSENT.require(PROFILE, demanded=True)


def test_a_recorded_consent_is_enough() -> None:
    GIVEN.require(PROFILE, demanded=True)
    assert GIVEN.given


@pytest.mark.parametrize("demanded", [True, False])
@pytest.mark.parametrize("before", [GIVEN, NO_CONSENT])
def test_after_a_withdrawal_nothing_is_enrolled_whatever_is_demanded(before: Consent, demanded: bool) -> None:
    withdrawn = before.withdrawn(NOW)
    assert not withdrawn.given
    with pytest.raises(ConsentWithdrawn, match=f"{PROFILE} can be enrolled again after a new consent"):
        withdrawn.require(PROFILE, demanded=demanded)


def test_a_second_withdrawal_keeps_the_time_of_the_first() -> None:
    once = GIVEN.withdrawn(NOW)
    assert once.withdrawn(NOW + timedelta(days=1)) == once


def test_a_new_record_ends_a_withdrawal() -> None:
    assert Consent(ConsentRecord("statement-8", NOW)).given


def test_what_names_a_document_stays_out_of_logs() -> None:
    assert "case 1" not in repr(GIVEN)
