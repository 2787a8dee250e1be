"""The laboratory's upload against the running service, with a subscription of its own."""

from __future__ import annotations

import dataclasses

import pytest

from shared.inference.model_card import read_catalogue
from tests.api.operator import Operator
from tests.service import RunningService
from tools.calibration.upload import UploadRefused, settings_in_force, upload


@pytest.fixture(scope="module")
def key(service: RunningService) -> str:
    key = Operator(service.url, service.management_key).customer().primary.key
    assert key is not None
    return key


def test_what_is_uploaded_is_the_subscriptions(service: RunningService, key: str) -> None:
    shipped = read_catalogue().speaker("campplus-channels-1").calibration
    assert shipped is not None
    own = dataclasses.replace(shipped, bias=-31.5, fitted_on="our callers", measured=())
    values = dataclasses.asdict(own)
    upload(service.url, key, {"thresholds": {"verification": 0.62, "identification": 0.63}})
    upload(service.url, key, {"calibration": {"modelId": "campplus-channels-1", "values": values}})
    stored = settings_in_force(f"{service.url}/", key)
    assert stored.calibration is not None
    assert (stored.threshold, stored.calibration.model_id) == (0.62, "campplus-channels-1")
    assert stored.calibration.calibration == own
    lax = {**values, "bias": shipped.bias + 6.0}
    with pytest.raises(UploadRefused, match=r"Nothing was changed: .* a share of .* of strangers would pass"):
        upload(service.url, key, {"calibration": {"modelId": "campplus-channels-1", "values": lax}})
    upload(service.url, key, {"calibration": None})
    assert settings_in_force(service.url, key).calibration is None


@pytest.mark.parametrize(("wrong", "threshold", "status"), [("", 1.5, 400), ("wrong", 0.6, 401)])
def test_a_threshold_that_the_service_refuses_and_a_wrong_key_are_said(
    service: RunningService, key: str, wrong: str, threshold: float, status: int
) -> None:
    with pytest.raises(UploadRefused, match=f"answered {status}") as refusal:
        upload(service.url, wrong or key, {"thresholds": {"verification": threshold}})
    assert key not in str(refusal.value)
