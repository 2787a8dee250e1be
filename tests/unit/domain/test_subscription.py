"""Settings, and changes that name only what is to be different."""

from __future__ import annotations

from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.subscription import RetentionPolicy, SettingsChange, SubscriptionSettings, Thresholds

OWN = ("open the door to the garden",)


def test_what_a_change_does_not_name_stays() -> None:
    before = SubscriptionSettings(
        retention=RetentionPolicy(30.0, 7.0), thresholds=Thresholds(0.6, 0.7), max_candidates=3, require_consent=True
    )
    after = SettingsChange(max_idle_days=2.5, identification_threshold=0.9).applied(before)
    assert after.retention == RetentionPolicy(30.0, 2.5)
    assert after.thresholds == Thresholds(0.6, 0.9)
    assert (after.max_candidates, after.require_consent) == (3, True)


def test_none_is_a_value_of_a_retention_clock() -> None:
    before = SubscriptionSettings(retention=RetentionPolicy(30.0, 7.0))
    assert SettingsChange(max_age_days=None).applied(before).retention == RetentionPolicy(None, 7.0)


def test_two_changes_of_different_settings_both_count_in_either_order() -> None:
    one, other = SettingsChange(max_profiles=5), SettingsChange(keep_identification_audio=False)
    before = SubscriptionSettings()
    assert one.applied(other.applied(before)) == other.applied(one.applied(before))


def test_a_change_names_its_settings_without_their_values() -> None:
    change = SettingsChange(max_age_days=None, passphrases={"en-US": OWN}, require_consent=False)
    assert change.named == ("max_age_days", "passphrases", "require_consent")
    assert SettingsChange().named == ()


def test_phrases_of_its_own_replace_the_published_ones() -> None:
    own = SettingsChange(passphrases={"en-US": OWN}).applied(SubscriptionSettings())
    assert own.allowed_phrases("en-US") == OWN
    back = SettingsChange(passphrases={"en-US": None}).applied(own)
    assert back.allowed_phrases("en-US") == EN_US_PASSPHRASES
    assert back == SubscriptionSettings()


def test_a_profile_keeps_the_phrase_that_it_is_bound_to() -> None:
    own = SubscriptionSettings(passphrases={"en-US": OWN})
    assert own.allowed_phrases("en-US", bound_to=EN_US_PASSPHRASES[0]) == (*OWN, EN_US_PASSPHRASES[0])
    assert own.allowed_phrases("en-US", bound_to=OWN[0]) == OWN


def test_a_locale_without_phrases_allows_none() -> None:
    assert SubscriptionSettings().allowed_phrases("de-DE") == ()


def test_phrases_are_not_in_representations() -> None:
    change = SettingsChange(passphrases={"en-US": OWN})
    assert OWN[0] not in repr(change) + repr(change.applied(SubscriptionSettings()))
