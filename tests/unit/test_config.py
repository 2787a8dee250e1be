"""Settings are read once; everything wrong is named at once; no secret shows."""

from __future__ import annotations

import pytest

from shared import config
from shared.config import ConfigInvalid

CONNECTION = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0"
GOOD = {"VOICE_STORAGE": CONNECTION, "TIMBRE_KEY_ENCRYPTION": "local:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}


def test_a_connection_string_and_a_key_are_enough() -> None:
    read = config.read(GOOD)
    assert read.storage.connection_string == CONNECTION
    assert (read.model, read.previous_model) == ("campplus-channels-1", "ge2e-1")
    assert read.strict_audio is False
    assert read.public_url is None
    assert read.local_subscription_key is None


def test_both_addresses_do_instead_of_a_connection_string() -> None:
    read = config.read(
        {
            "VOICE_STORAGE__tableServiceUri": "https://a.table.core.windows.net",
            "VOICE_STORAGE__blobServiceUri": "https://a.blob.core.windows.net",
            "VOICE_STORAGE__clientId": "1234",
            "TIMBRE_KEY_ENCRYPTION": "vault:https://v.vault.azure.net/keys/k",
        }
    )
    assert not read.storage.connection_string
    assert read.storage.table_uri == "https://a.table.core.windows.net"
    assert read.storage.client_id == "1234"


def test_one_address_alone_is_not_enough() -> None:
    with pytest.raises(ConfigInvalid, match="VOICE_STORAGE__blobServiceUri"):
        config.read({**GOOD, "VOICE_STORAGE": "", "VOICE_STORAGE__tableServiceUri": "https://a"})


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigInvalid) as raised:
        config.read({"TIMBRE_KEY_ENCRYPTION": "hunter2", "TIMBRE_STRICT_AUDIO": "yes", "TIMBRE_PUBLIC_URL": "ftp://x"})
    assert len(raised.value.problems) == 4
    for name in ("VOICE_STORAGE", "TIMBRE_KEY_ENCRYPTION", "TIMBRE_STRICT_AUDIO", "TIMBRE_PUBLIC_URL"):
        assert name in str(raised.value)


def test_a_wrong_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigInvalid) as raised:
        config.read({**GOOD, "TIMBRE_KEY_ENCRYPTION": "hunter2"})
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(("text", "strict"), [("true", True), ("True", True), ("FALSE", False), ("", False)])
def test_strict_audio_is_a_boolean_in_any_case(text: str, strict: bool) -> None:
    assert config.read({**GOOD, "TIMBRE_STRICT_AUDIO": text}).strict_audio is strict


def test_a_public_url_loses_its_trailing_slash() -> None:
    read = config.read({**GOOD, "TIMBRE_PUBLIC_URL": "https://voice.example.com/api/"})
    assert read.public_url == "https://voice.example.com/api"


def test_blanks_around_a_value_do_not_count() -> None:
    assert config.read({**GOOD, "TIMBRE_MODEL": "  campplus \n"}).model == "campplus"


def test_the_previous_model_is_another_one() -> None:
    read = config.read({**GOOD, "TIMBRE_MODEL": "campplus-zh-en-1", "TIMBRE_PREVIOUS_MODEL": " ge2e-1 "})
    assert (read.model, read.previous_model) == ("campplus-zh-en-1", "ge2e-1")
    with pytest.raises(ConfigInvalid, match="TIMBRE_PREVIOUS_MODEL must be another model"):
        config.read({**GOOD, "TIMBRE_PREVIOUS_MODEL": "campplus-channels-1"})


@pytest.mark.parametrize("said", ["", " ", "none"])
def test_an_operator_can_do_without_the_previous_model(said: str) -> None:
    assert config.read({**GOOD, "TIMBRE_PREVIOUS_MODEL": said}).previous_model is None


@pytest.mark.parametrize(("model", "previous"), [("", "ge2e-1"), ("campplus-channels-1", "ge2e-1"), ("ge2e-1", None)])
def test_only_the_default_model_has_a_predecessor_unasked(model: str, previous: str | None) -> None:
    assert config.read({**GOOD, "TIMBRE_MODEL": model}).previous_model == previous


def test_secrets_stay_out_of_the_representation() -> None:
    read = config.read({**GOOD, "TIMBRE_LOCAL_SUBSCRIPTION_KEY": "my-subscription-key"})
    assert "c2VjcmV0" not in repr(read)
    assert "MDEyMzQ1" not in repr(read)
    assert "my-subscription-key" not in repr(read)


def test_every_secret_setting_is_marked_as_one() -> None:
    assert {setting.name for setting in config.SETTINGS if setting.secret} == {
        "VOICE_STORAGE",
        "TIMBRE_KEY_ENCRYPTION",
        "TIMBRE_LOCAL_SUBSCRIPTION_KEY",
    }


@pytest.mark.parametrize(("processes", "share"), [("", 8), ("2", 4), ("4", 2), ("16", 2)])
def test_worker_processes_share_the_processors(monkeypatch: pytest.MonkeyPatch, processes: str, share: int) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    read = config.read({**GOOD, "FUNCTIONS_WORKER_PROCESS_COUNT": processes})
    assert (read.at_once, read.waiting) == (share, 2 * share)


def test_the_gate_and_the_rate_can_be_set() -> None:
    own = {"TIMBRE_AT_ONCE": "3", "TIMBRE_WAITING": "0", "TIMBRE_WAIT_SECONDS": "0.25"}
    read = config.read({**GOOD, **own, "TIMBRE_REQUESTS_PER_SECOND": "7.5"})
    assert (read.at_once, read.waiting, read.wait_seconds, read.requests_per_second) == (3, 0, 0.25, 7.5)
    assert config.read(GOOD).requests_per_second == 20.0
    assert config.read({**GOOD, "TIMBRE_REQUESTS_PER_SECOND": "0"}).requests_per_second is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("TIMBRE_AT_ONCE", value) for value in ("0", "1.5", "many", "-1", "1001", "9" * 30)],
        *[("TIMBRE_WAITING", value) for value in ("-1", "10001", "x")],
        *[("TIMBRE_WAIT_SECONDS", value) for value in ("-1", "61", "nan", "soon")],
        *[("TIMBRE_REQUESTS_PER_SECOND", value) for value in ("-1", "inf", "nan", "100001", "x")],
    ],
)
def test_numbers_out_of_range_are_named(name: str, value: str) -> None:
    with pytest.raises(ConfigInvalid, match=f"{name} must be") as raised:
        config.read({**GOOD, name: value})
    assert len(raised.value.problems) == 1
