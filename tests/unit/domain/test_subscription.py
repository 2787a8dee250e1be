"""Settings, and changes that name only what is to be different."""

from __future__ import annotations

import pytest

from shared.domain.calibration import Calibration, FalseMatchRate
from shared.domain.errors import ParameterInvalid
from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.subscription import RetentionPolicy, SettingsChange, SubscriptionSettings

OWN = ("open the door to the garden",)


def test_what_a_change_does_not_name_stays_and_none_is_a_value() -> None:
    before = SubscriptionSettings(max_age_days=30.0, max_idle_days=7.0, max_candidates=3, require_consent=True)
    after = SettingsChange(max_age_days=None, identification_threshold=0.9).applied(before)
    assert after == SubscriptionSettings(
        max_idle_days=7.0, identification_threshold=0.9, max_candidates=3, require_consent=True
    )
    assert after.retention == RetentionPolicy(None, 7.0, before.min_retention_days)


def test_a_change_names_its_settings_in_the_order_of_the_table_without_their_values() -> None:
    change = SettingsChange(require_consent=False, passphrases={"en-US": OWN}, max_age_days=None, quality={})
    assert change.named == ("max_age_days", "passphrases", "require_consent")
    assert SettingsChange().named == ()
    with pytest.raises(TypeError, match="max_age"):
        SettingsChange(max_age=3)


def test_a_rate_becomes_the_score_that_stands_for_it() -> None:
    calibration = Calibration(-30.0, 44.0, -2.0, -1.0, 0.0, 0.01, 1.0, 12.0, "a test", 40, 1_000)
    change = SettingsChange(verification_threshold=FalseMatchRate("rate", 0.01), max_profiles=5)
    assert change.with_scores(calibration) == SettingsChange(verification_threshold=0.5, max_profiles=5)
    with pytest.raises(ParameterInvalid, match="no calibration"):
        change.with_scores(None)


def test_phrases_of_its_own_replace_the_published_ones() -> None:
    own = SettingsChange(passphrases={"en-US": OWN}).applied(SubscriptionSettings())
    assert own.allowed_phrases("en-US") == OWN
    back = SettingsChange(passphrases={"en-US": None}).applied(own)
    assert back.allowed_phrases("en-US") == EN_US_PASSPHRASES
    assert back == SubscriptionSettings()
    assert own.allowed_phrases("de-DE") == ()


def test_a_profile_keeps_the_phrase_that_it_is_bound_to() -> None:
    own = SubscriptionSettings(passphrases={"en-US": OWN})
    assert own.allowed_phrases("en-US", bound_to=EN_US_PASSPHRASES[0]) == (*OWN, EN_US_PASSPHRASES[0])
    assert own.allowed_phrases("en-US", bound_to=OWN[0]) == OWN


def test_phrases_are_not_in_representations() -> None:
    change = SettingsChange(passphrases={"en-US": OWN})
    assert OWN[0] not in repr(change) + repr(change.applied(SubscriptionSettings()))
