"""Settings are read once; everything wrong is named at once; no secret shows."""

from __future__ import annotations

import pytest

from shared import config
from shared.config import ConfigInvalid
from shared.domain.recording_url import RecordingHosts

CONNECTION = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0"
KEY = "local:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
GOOD = {"VOICE_STORAGE": CONNECTION, "TIMBRE_KEY_ENCRYPTION": KEY}
ORIGINS = {"https://a.example", "http://[::1]:80"}
NO_ORIGINS = "a.example https://a.example/ https://*.example null *,https://a.example ftp://a https://"
NO_KEYS = f"local: local:c2hvcnQ= {KEY[:-1]} {KEY}, {KEY},c2hvcnQ= local:{44 * '!'}"
NO_VAULTS = "vault: vault:http://v.vault.azure.net/keys/k vault:https://v.vault.azure.net vault:https:///keys/k"
TABLES, BLOBS = "https://a.table.core.windows.net", "https://a.blob.core.windows.net"


def test_a_connection_string_and_a_key_are_enough() -> None:
    read = config.read(GOOD)
    assert (read.storage.connection_string, read.key_encryption) == (CONNECTION, KEY)
    assert (read.model, read.previous_model, read.strict_audio, read.activation) == (
        "campplus-channels-1", "ge2e-1", False, False,
    )  # fmt: skip
    assert (read.public_url, read.own_host, read.allowed_hosts, read.local_subscription_key) == (
        None, None, frozenset(), None,
    )  # fmt: skip
    assert (read.gallery_megabytes, read.wait_seconds, read.requests_per_second) == (512, 1.5, 20.0)


def test_both_addresses_do_instead_of_a_connection_string() -> None:
    addresses = {"VOICE_STORAGE__tableServiceUri": TABLES, "VOICE_STORAGE__blobServiceUri": BLOBS}
    vault = {"VOICE_STORAGE__clientId": "1234", "TIMBRE_KEY_ENCRYPTION": "vault:https://v.vault.azure.net/keys/k"}
    storage = config.read({**addresses, **vault}).storage
    assert (storage.connection_string, storage.table_uri, storage.blob_uri, storage.client_id) == (
        "", TABLES, BLOBS, "1234",
    )  # fmt: skip
    with pytest.raises(ConfigInvalid, match="VOICE_STORAGE__blobServiceUri"):
        config.read({**GOOD, "VOICE_STORAGE": "", "VOICE_STORAGE__tableServiceUri": TABLES})


def test_everything_wrong_is_named_at_once_and_no_secret_repeated() -> None:
    wrong = {"KEY_ENCRYPTION": "hunter2", "STRICT_AUDIO": "yes", "PUBLIC_URL": "ftp://x", "CONSOLE": "on"}
    with pytest.raises(ConfigInvalid) as raised:
        config.read({f"TIMBRE_{name}": text for name, text in wrong.items()})
    assert len(raised.value.problems) == 5
    assert [name for name in ("VOICE_STORAGE", *wrong) if name not in str(raised.value)] == []
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("setting", ["", f"{KEY}, {KEY[6:]}", *NO_KEYS.split(), *NO_VAULTS.split()])
def test_a_key_encryption_key_of_another_form_is_refused_without_repeating_it(setting: str) -> None:
    with pytest.raises(ConfigInvalid, match="TIMBRE_KEY_ENCRYPTION must be local:") as raised:
        config.read({**GOOD, "TIMBRE_KEY_ENCRYPTION": setting})
    assert not setting.partition(":")[2] or setting.partition(":")[2] not in str(raised.value)
    assert config.read({**GOOD, "TIMBRE_KEY_ENCRYPTION": f"{KEY},{KEY[6:]}"}).key_encryption


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        *[
            ("TIMBRE_STRICT_AUDIO", text, "strict_audio", text.lower() == "true")
            for text in ("true", "True", "FALSE", "")
        ],
        ("TIMBRE_ACTIVATION", "TRUE", "activation", True),
        ("TIMBRE_PUBLIC_URL", "https://voice.example.com/api/", "public_url", "https://voice.example.com/api"),
        ("TIMBRE_ALLOWED_HOSTS", " A.example, ,b.example:8443", "allowed_hosts", {"a.example", "b.example:8443"}),
        ("TIMBRE_ALLOWED_ORIGINS", "", "allowed_origins", {"*"}),
        ("TIMBRE_ALLOWED_ORIGINS", "https://A.example, http://[::1]:80,", "allowed_origins", ORIGINS),
        ("TIMBRE_TRUSTED_HOPS", "", "trusted_hops", 1),
        ("TIMBRE_TRUSTED_HOPS", "10", "trusted_hops", 10),
        ("TIMBRE_RECORDING_HOSTS", "", "recording_hosts", RecordingHosts()),
        ("TIMBRE_RECORDING_HOSTS", "A.example,", "recording_hosts", RecordingHosts.parse("a.example")),
        ("WEBSITE_HOSTNAME", "app.azurewebsites.net", "own_host", "app.azurewebsites.net"),
        ("TIMBRE_MODEL", "  campplus \n", "model", "campplus"),
        *[("TIMBRE_PREVIOUS_MODEL", text, "previous_model", None) for text in ("", " ", "none")],
        ("TIMBRE_PREVIOUS_MODEL", " campplus ", "previous_model", "campplus"),
        ("TIMBRE_MODEL", "", "previous_model", "ge2e-1"),
        ("TIMBRE_MODEL", "ge2e-1", "previous_model", None),
        ("TIMBRE_GALLERY_MEGABYTES", "1000000", "gallery_megabytes", 1_000_000),
        ("TIMBRE_AT_ONCE", "3", "at_once", 3),
        ("TIMBRE_AT_ONCE", "3", "waiting", 6),
        ("TIMBRE_WAITING", "0", "waiting", 0),
        ("TIMBRE_WAIT_SECONDS", "0.25", "wait_seconds", 0.25),
        ("TIMBRE_REQUESTS_PER_SECOND", "7.5", "requests_per_second", 7.5),
        ("TIMBRE_REQUESTS_PER_SECOND", "0", "requests_per_second", None),
    ],
)
def test_a_setting_is_read(name: str, text: str, field: str, value: object) -> None:
    assert getattr(config.read({**GOOD, name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TIMBRE_PREVIOUS_MODEL", "campplus-channels-1"),
        *[("TIMBRE_GALLERY_MEGABYTES", text) for text in ("0", "1000001", "1.5")],
        *[("TIMBRE_AT_ONCE", text) for text in ("0", "1.5", "many", "-1", "1001", "9" * 30)],
        *[("TIMBRE_WAITING", text) for text in ("-1", "10001", "x")],
        *[("TIMBRE_WAIT_SECONDS", text) for text in ("-1", "61", "nan", "soon")],
        *[("TIMBRE_REQUESTS_PER_SECOND", text) for text in ("-1", "inf", "nan", "100001", "x")],
        *[("TIMBRE_ALLOWED_ORIGINS", text) for text in NO_ORIGINS.split()],
        *[("TIMBRE_TRUSTED_HOPS", text) for text in ("0", "11", "x")],
        *[("TIMBRE_RECORDING_HOSTS", text) for text in ("*", "https://a.example", "*.com")],
        *[("PYTHON_THREADPOOL_THREAD_COUNT", text) for text in ("0", "1001", "x")],
    ],
)
def test_a_value_that_does_not_do_is_named_alone(name: str, text: str) -> None:
    with pytest.raises(ConfigInvalid, match=f"{name} must be") as raised:
        config.read({**GOOD, name: text})
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize(("processes", "share"), [("", 8), ("2", 4), ("4", 2), ("16", 2), ("65", 8)])
def test_worker_processes_share_the_processors(monkeypatch: pytest.MonkeyPatch, processes: str, share: int) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    read = config.read({**GOOD, "FUNCTIONS_WORKER_PROCESS_COUNT": processes})
    assert (read.at_once, read.waiting) == (share, 2 * share)


def test_secrets_stay_out_of_the_representation() -> None:
    secrets = {setting.name for setting in config.SETTINGS if setting.secret}
    assert secrets == {"VOICE_STORAGE", "TIMBRE_KEY_ENCRYPTION", "TIMBRE_LOCAL_SUBSCRIPTION_KEY"}
    read = config.read({**GOOD, "TIMBRE_LOCAL_SUBSCRIPTION_KEY": "my-subscription-key"})
    assert read.local_subscription_key == "my-subscription-key"
    for secret in ("c2VjcmV0", "MDEyMzQ1", "my-subscription-key"):
        assert secret not in repr(read)
