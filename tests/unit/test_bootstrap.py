"""The object graph: which models stand behind the use cases, and what is said when one cannot be had."""

from __future__ import annotations

import base64

import pytest

from shared import bootstrap
from shared.bootstrap import Services, assemble
from shared.config import ConfigInvalid, read
from shared.inference.model_card import ModelUnknown
from shared.inference.speaker_model import OnnxSpeakerModel
from shared.storage.backend.memory import MemoryClock
from tests.unit.services.spoken import World

SETTINGS = {
    "VOICE_STORAGE": "AccountName=unused;AccountKey=dW51c2Vk",
    "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(bytes(32)).decode(),
}


def assembled(**settings: str) -> Services:
    return assemble(read({**SETTINGS, **settings}), World().stores, MemoryClock())


def test_the_default_model_stands_beside_its_predecessor_and_the_health_probe_opens_it_alone() -> None:
    services = assembled()

    def opened() -> list[bool]:
        running = [model for model in services.models.running if isinstance(model, OnnxSpeakerModel)]
        return [model._network._session is not None for model in running]

    assert opened() == [False, False]
    assert all(services.readiness().values())
    assert opened() == [True, False]


def test_every_use_case_has_both_models_during_a_change() -> None:
    services = assembled(TIMBRE_MODEL="campplus-zh-en-1", TIMBRE_PREVIOUS_MODEL="ge2e-1")
    assert services.models.previous is not None
    for use_case in (services.enroll, services.verify, services.identify):
        assert use_case.models is services.models
    assert services.migrate.model is services.models.current


def test_a_signature_of_either_model_has_its_models_date() -> None:
    services = assembled()
    assert services.models.version("campplus-channels-1") == "2026-11-30"
    assert services.models.version("ge2e-1") == "2023-10-12"
    assert services.models.version("campplus-zh-en-1") is None


@pytest.mark.parametrize("setting", ["TIMBRE_MODEL", "TIMBRE_PREVIOUS_MODEL"])
def test_a_model_that_the_catalogue_lacks_stops_the_start(setting: str) -> None:
    with pytest.raises(ModelUnknown, match=r'no model "ge3e".*python dev\.py model NAME'):
        assembled(**{setting: "ge3e"})


def test_what_stops_the_start_is_in_the_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(bootstrap, "_services", None)
    wrong = {"TIMBRE_STRICT_AUDIO": "perhaps", "TIMBRE_KEY_ENCRYPTION": "local:c2hvcnQ="}
    for name, value in {**SETTINGS, **wrong}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigInvalid):
        bootstrap.services()
    (line,) = caplog.messages
    assert line.startswith("cannot_start Settings: ")
    assert "TIMBRE_STRICT_AUDIO must be true or false" in line
    assert "TIMBRE_KEY_ENCRYPTION must be local:" in line
    assert not {"dW51c2Vk", "c2hvcnQ="} & set(line.split())
