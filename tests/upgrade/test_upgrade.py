"""What commit 61bea70 stores with ge2e-1, served by today's service with both real models and no setting touched.

Rows, blobs and an archive of synthetic voices were written by that commit's own service on Azurite, sealed under the
key-encryption key of this file (``tests/upgrade/make.py`` at commit 7a1ea08).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from azure.data.tables import EdmType, EntityProperty, TableServiceClient
from azure.storage.blob import BlobServiceClient

from localhost.azurite import Azurite
from shared.domain.profile import ProfileKey, ProfileKind
from shared.storage.backend.account import StorageAccount
from shared.storage.layout import VOICES, profile_row
from shared.storage.stores import Storage
from tests.api.client import Client
from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2021, Speakers
from tests.api.operator import Operator
from tests.service import RunningService, running_service
from tests.voices import HOUSTON, PASSPORT, QUESTION, STORY, recording
from tools import import_subscription

STORED = Path(__file__).with_name("61bea70.json")
ARCHIVE_PASSPHRASE: Final = "a long and quiet afternoon"
KEY_ENCRYPTION: Final = "local:" + base64.b64encode(b"u" * 32).decode()
CALIBRATION: Final = {
    "bias": -30.0, "cosine": 44.0, "log_shorter": -2.0, "log_longer": -1.0, "threshold_logit": 0.0,
    "false_match_rate": 0.01, "min_seconds": 1.0, "max_seconds": 12.0, "fitted_speakers": 100,
    "fitted_trials": 5_000, "fitted_on": "our callers", "narrow_shift": 0.03, "telephone_shift": 0.06,
}  # fmt: skip
NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Upgraded:
    """Today's service over those rows and blobs."""

    service: RunningService
    connection_string: str
    stored: Any

    @property
    def client(self) -> Client:
        return Client(self.service.url, self.service.key)

    @property
    def operator(self) -> Operator:
        return Operator(self.service.url, self.service.management_key)

    def id(self, name: str) -> str:
        return str(self.stored["profiles"][name])

    def speakers(self, kind: str) -> Speakers:
        return Speakers(self.client, V2021, kind)

    def verified(self, kind: str, name: str, audio: bytes) -> str:
        answer = self.speakers(kind).verify(self.id(name), audio)
        assert answer.status == 200, answer.body
        return str(answer.json["recognitionResult"])

    def identified(self, audio: bytes, among: str | None = None) -> str:
        """Among these, or everybody."""
        chosen = "*" if among is None else among
        answer = self.speakers(IDENTIFICATION).identify(chosen, audio)
        assert answer.status == 200, answer.body
        return str(answer.json["identifiedProfile"]["profileId"])

    def client_of(self, subscription_id: str) -> Client:
        """With a new key: the keys of the time are not written down."""
        answer = self.operator.regenerate(subscription_id, "primary")
        assert answer.status == 200, answer.body
        return Client(self.service.url, answer.json["key"])

    def sealed_signature(self, name: str) -> bytes:
        key = profile_row(ProfileKey("local", ProfileKind.TEXT_INDEPENDENT_VERIFICATION, self.id(name)))
        with TableServiceClient.from_connection_string(self.connection_string) as tables:
            return bytes(tables.get_table_client(VOICES).get_entity("local", key)["signature"])

    @property
    def settings(self) -> dict[str, str]:
        return {"VOICE_STORAGE": self.connection_string, "TIMBRE_KEY_ENCRYPTION": KEY_ENCRYPTION}

    def packs(self) -> list[str]:
        """Names of the rows and of the blobs of packs."""
        storage = Storage.in_azure(StorageAccount(self.connection_string))
        rows = [row.key for row in storage.voices.query("local", "pack", "pack~")]
        return [*rows, *storage.packs.names("local/")]


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """One for all tests here: they ask about different profiles, and the signatures move in the last."""
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    with Azurite() as azurite:
        put_back(azurite.connection_string, stored)
        settings = {"VOICE_STORAGE": azurite.connection_string, "TIMBRE_KEY_ENCRYPTION": KEY_ENCRYPTION}
        with running_service(tmp_path_factory.mktemp("upgraded") / "service.log", environment=settings) as service:
            yield Upgraded(service, azurite.connection_string, stored)


def put_back(connection_string: str, stored: Any) -> None:
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for name, rows in stored["tables"].items():
            table = tables.create_table(name)
            for row in rows:
                table.create_entity({key: value(each) for key, each in row.items()})
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for name, contents in stored["blobs"].items():
            container = blobs.create_container(name)
            for blob, content in contents.items():
                container.upload_blob(blob, base64.b64decode(content))


def value(said: Any) -> Any:
    """A stored value as the SDK takes it."""
    match said:
        case {"bytes": text}:
            return base64.b64decode(text)
        case {"time": text}:
            return datetime.fromisoformat(text)
        case {"int64": number}:
            return EntityProperty(number, EdmType.INT64)
    return said


@pytest.mark.azurite
def test_an_earlier_pack_is_no_pack_and_goes_with_the_timer(upgraded: Upgraded) -> None:
    assert upgraded.packs() == ["pack:0", "local/0"]
    assert upgraded.identified(recording(QUESTION, "slt")) == upgraded.id("slt")
    upgraded.service.fire("compaction")
    assert upgraded.packs() == []
    assert upgraded.identified(recording(QUESTION, "slt")) == upgraded.id("slt")


@pytest.mark.azurite
def test_further_sums_go_with_the_next_enrollment(upgraded: Upgraded) -> None:
    before = upgraded.sealed_signature("independent")
    enrolled = upgraded.speakers(TEXT_INDEPENDENT).enroll(
        upgraded.id("independent"), recording(STORY, "rms"), "&ignoreMinLength=true"
    )
    assert enrolled.status == 201, enrolled.body
    assert len(before) - len(upgraded.sealed_signature("independent")) == 2 * 4 * 256
    assert upgraded.verified(TEXT_INDEPENDENT, "independent", recording(QUESTION, "rms")) == "Accept"


@pytest.mark.azurite
def test_what_a_site_calibration_says_of_narrow_channels_is_ignored(upgraded: Upgraded) -> None:
    site = upgraded.client_of("site")
    shown = site.call("GET", "/settings").json["calibration"]
    wanted = {name: value for name, value in CALIBRATION.items() if not name.endswith("_shift")}
    assert shown == {"modelId": "ge2e-1", "values": wanted}
    change = json.dumps({"calibration": {"modelId": "ge2e-1", "values": CALIBRATION}}).encode()
    assert site.call("PATCH", "/settings", change).json["calibration"] == shown
    verified = Speakers(site, V2021, TEXT_INDEPENDENT).verify(upgraded.id("site"), recording(QUESTION, "slt"))
    assert verified.json["recognitionResult"] == "Accept"


@pytest.mark.azurite
def test_an_archive_is_imported(upgraded: Upgraded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = upgraded.operator.customer()
    archive, secret = tmp_path / "archive", tmp_path / "secret"
    archive.write_bytes(base64.b64decode(upgraded.stored["archive"]))
    secret.write_text(ARCHIVE_PASSPHRASE)
    for name, setting in upgraded.settings.items():
        monkeypatch.setenv(name, setting)
    asked = [str(archive), "--subscription", copy.subscription_id, "--passphrase-file", str(secret)]
    assert import_subscription.main(asked) == 0
    imported = Speakers(copy.primary, V2021, TEXT_INDEPENDENT)
    for voice, wanted in (("slt", "Accept"), ("rms", "Reject")):
        answer = imported.verify(upgraded.id("site"), recording(QUESTION, voice))
        assert answer.json["recognitionResult"] == wanted


@pytest.mark.azurite
def test_everybody_is_recognised_before_and_after_the_signatures_move(upgraded: Upgraded) -> None:
    path = "/manage/subscriptions/local/migration"
    before = upgraded.operator.call("GET", path).json
    assert (before["model"]["id"], before["previousModel"]) == ("campplus-channels-1", "ge2e-1")
    newcomer = upgraded.speakers(IDENTIFICATION).enrolled(recording(STORY, "rms"))
    assert_recognised(upgraded, newcomer)

    upgraded.service.fire("migration")
    after = upgraded.operator.call("GET", path).json
    counts = ("profilesChecked", "profilesMigrated", "profilesToEnrollAgain", "profilesPostponed")
    assert (after["state"], *(after[name] for name in counts)) == ("finished", 5, 1, 3, 0)
    assert_recognised(upgraded, newcomer)


def assert_recognised(upgraded: Upgraded, newcomer: str) -> None:
    """Whoever the previous model enrolled and whoever today's has, listed together and among everybody."""
    assert upgraded.verified(TEXT_DEPENDENT, "phrase", recording(PASSPORT)) == "Accept"
    assert upgraded.verified(TEXT_DEPENDENT, "phrase", recording(HOUSTON, "slt")) == "Reject"
    assert upgraded.verified(TEXT_INDEPENDENT, "independent", recording(QUESTION, "rms")) == "Accept"
    assert upgraded.verified(TEXT_INDEPENDENT, "independent", recording(QUESTION, "slt")) == "Reject"
    everybody = ",".join([upgraded.id("slt"), upgraded.id("awb by telephone"), newcomer])
    for among in (everybody, None):
        assert upgraded.identified(recording(QUESTION, "slt"), among) == upgraded.id("slt")
        assert upgraded.identified(recording(QUESTION, "rms"), among) == newcomer
        assert upgraded.identified(recording(QUESTION, "kal16"), among) == NOBODY
