"""What the trail says of a change, and what it leaves out."""

from __future__ import annotations

import json
from dataclasses import fields, replace

from shared.domain.audit import ChangedValue, settings_changes
from shared.domain.calibration import Calibration, SiteCalibration
from shared.domain.subscription import SETTINGS, SubscriptionSettings

CALIBRATION = Calibration(-3.0, 1.25, 0.5, 0.25, 1.0, 0.01, 1.0, 30.0, "our callers", 100, 5000)


def test_of_what_is_private_the_trail_has_counts_and_digests() -> None:
    """A setting that is kept out of logs says what the trail may have of it."""
    private = [setting.name for setting in fields(SubscriptionSettings) if not setting.repr]
    assert private
    assert [name for name in private if SETTINGS[name].type.recorded is None] == []


def test_a_calibration_is_its_model_and_a_digest_of_all_its_values() -> None:
    def noted(calibration: Calibration) -> object:
        (change,) = settings_changes(
            SubscriptionSettings(), SubscriptionSettings(calibration=SiteCalibration("model-1", calibration))
        )
        assert (change.name, change.before) == ("calibration", None)
        assert isinstance(change.after, dict)
        assert (change.after["modelId"], len(change.after["sha256"])) == ("model-1", 64)
        assert "1.25" not in json.dumps(change.after)
        return change.after

    assert noted(CALIBRATION) == noted(CALIBRATION)
    assert noted(CALIBRATION) != noted(replace(CALIBRATION, bias=-3.5))


def test_only_what_differs_is_named() -> None:
    before = SubscriptionSettings(max_profiles=5, passphrases={"en-US": ("one two three four",)})
    after = SubscriptionSettings(max_profiles=5, passphrases={"en-US": ("four three two one",)}, max_age_days=3.0)
    assert settings_changes(before, before) == ()
    assert settings_changes(before, after) == (
        ChangedValue("retention.maxAgeDays", None, 3.0),
        ChangedValue("passphrases", {"en-US": 1}, {"en-US": 1}),
    )
