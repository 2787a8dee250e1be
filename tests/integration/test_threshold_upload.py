"""The laboratory's upload against the running service, with a subscription of its own."""

from __future__ import annotations

import dataclasses
import json
import urllib.request

import pytest

from shared.inference.model_card import read_catalogue
from tests.service import RunningService
from tools.calibration.upload import UploadRefused, settings_in_force, upload


@pytest.fixture(scope="module")
def key(service: RunningService) -> str:
    request = urllib.request.Request(
        f"{service.url}/manage/subscriptions/threshold-upload",
        data=b"{}",
        method="PUT",
        headers={"x-functions-key": service.management_key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["keys"]["primary"])


def test_the_uploaded_threshold_is_the_subscriptions(service: RunningService, key: str) -> None:
    upload(service.url, key, {"thresholds": {"verification": 0.62, "identification": 0.63}})
    request = urllib.request.Request(f"{service.url}/settings", headers={"Ocp-Apim-Subscription-Key": key})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["thresholds"] == {"verification": 0.62, "identification": 0.63}


def test_a_site_calibration_is_the_subscriptions(service: RunningService, key: str) -> None:
    shipped = read_catalogue().speaker("campplus-channels-1").calibration
    assert shipped is not None
    values = dataclasses.asdict(dataclasses.replace(shipped, bias=-31.5, fitted_on="our callers"))
    upload(service.url, key, {"calibration": {"modelId": "campplus-channels-1", "values": values}})
    request = urllib.request.Request(f"{service.url}/settings", headers={"Ocp-Apim-Subscription-Key": key})
    with urllib.request.urlopen(request) as answer:
        shown = json.load(answer)["calibration"]
    assert (shown["modelId"], shown["values"]["bias"], shown["values"]["fitted_on"]) == (
        "campplus-channels-1",
        -31.5,
        "our callers",
    )
    stored = settings_in_force(service.url, key)
    assert stored.calibration is not None
    assert (stored.threshold, stored.calibration.calibration.bias) == (0.62, -31.5)
    lax = {**values, "bias": shipped.bias + 6.0}
    with pytest.raises(UploadRefused, match=r"Nothing was changed: .* a share of .* of strangers would pass"):
        upload(service.url, key, {"calibration": {"modelId": "campplus-channels-1", "values": lax}})
    upload(service.url, key, {"calibration": None})
    assert settings_in_force(service.url, key).calibration is None


def test_a_threshold_that_the_service_refuses_is_said(service: RunningService, key: str) -> None:
    with pytest.raises(UploadRefused, match="answered 400"):
        upload(service.url, key, {"thresholds": {"verification": 1.5}})


def test_a_wrong_key_is_said(service: RunningService) -> None:
    with pytest.raises(UploadRefused, match="answered 401"):
        upload(service.url, "wrong", {"thresholds": {"verification": 0.6}})
