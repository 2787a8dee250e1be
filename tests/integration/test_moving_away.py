"""From a folder of recordings into the service, out of it in an encrypted file, and into another deployment."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localhost.azurite import Azurite
from tests.api.client import Client
from tests.api.operator import Operator
from tests.service import RunningService, running_service
from tests.voices import PASSPORT, QUESTION, STORY, recording, takes
from tools import enroll, export_subscription, import_subscription

pytestmark = pytest.mark.azurite

V2 = "/speaker"
SETTINGS = ("VOICE_STORAGE", "VOICE_STORAGE__tableServiceUri", "VOICE_STORAGE__blobServiceUri")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningService, dict[str, str]]]:
    """Another deployment: storage and key-encryption key of its own."""
    with Azurite() as azurite:
        settings = {
            "VOICE_STORAGE": azurite.connection_string,
            "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(os.urandom(32)).decode(),
        }
        with running_service(tmp_path_factory.mktemp("elsewhere") / "service.log", environment=settings) as running:
            yield running, settings


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Iterator[tuple[RunningService, dict[str, str]]]:
    settings = {
        "VOICE_STORAGE": azurite.connection_string,
        "TIMBRE_KEY_ENCRYPTION": "local:" + base64.b64encode(os.urandom(32)).decode(),
        "TIMBRE_LOCAL_SUBSCRIPTION_KEY": "",
    }
    with running_service(tmp_path_factory.mktemp("here") / "service.log", environment=settings) as running:
        yield running, settings


def set_up(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def bulk(folder: Path, client: Client, kind: str, recordings: dict[str, bytes]) -> dict[str, str]:
    """Profile ids by speaker; a file is called after its speaker."""
    for name, audio in recordings.items():
        (folder / f"{name}.wav").write_bytes(audio)
    manifest = folder / "manifest.csv"
    lines = ["path,speaker", *(f"{name}.wav,{name.partition('-')[0]}" for name in recordings)]
    manifest.write_text("\n".join(lines) + "\n")
    assert client.key is not None
    assert enroll.main([str(manifest), "--url", client.url, "--key", client.key, "--kind", kind]) == 0
    rows = (folder / "manifest.csv.profiles.csv").read_text().splitlines()[1:]
    return dict(row.split(",") for row in rows)


def verified(client: Client, profile_id: str, audio: bytes) -> str:
    path = f"{V2}/verification/v2.0/text-dependent/profiles/{profile_id}/verify"
    answer = client.call("POST", path, audio)
    assert answer.status == 200, answer.body
    return str(answer.json["recognitionResult"])


def identified(client: Client, ids: list[str], audio: bytes) -> str:
    path = f"{V2}/identification/v2.0/text-independent/profiles/identifySingleSpeaker"
    answer = client.call("POST", f"{path}?ignoreMinLength=true&profileIds={','.join(ids)}", audio)
    assert answer.status == 200, answer.body
    return str(answer.json["identifiedProfile"]["profileId"])


def test_all_the_way(
    here: tuple[RunningService, dict[str, str]],
    elsewhere: tuple[RunningService, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = Operator(here[0].url, here[0].management_key).customer()
    target = Operator(elsewhere[0].url, elsewhere[0].management_key).customer()
    phrases, speakers = tmp_path / "phrases", tmp_path / "speakers"
    phrases.mkdir()
    speakers.mkdir()
    spoken = {f"slt-{number}": take for number, take in enumerate(takes(PASSPORT))}
    [phrase] = bulk(phrases, source.primary, "verification", spoken).values()
    told = {f"{voice}-{number}": recording(STORY, voice) for voice in ("slt", "rms") for number in (0, 1)}
    ids = bulk(speakers, source.primary, "identification", told)
    secret = tmp_path / "secret"
    secret.write_text("a long and quiet afternoon\n")
    archive = tmp_path / "voices.timbre"

    set_up(monkeypatch, here[1])
    asked = ["--passphrase-file", str(secret)]
    assert export_subscription.main(["--subscription", source.subscription_id, "--out", str(archive), *asked]) == 0
    assert "3 profiles" in capsys.readouterr().out
    assert archive.stat().st_mode & 0o077 == 0
    set_up(monkeypatch, elsewhere[1])
    assert import_subscription.main([str(archive), "--subscription", target.subscription_id, *asked]) == 0
    assert "3 profiles" in capsys.readouterr().err

    exported = [one["caller"] for one in source.audit()["value"] if one["action"] == "subscription.export"]
    assert exported == ["management"]
    assert verified(target.primary, phrase, takes(PASSPORT)[0]) == "Accept"
    assert verified(target.primary, phrase, recording(STORY)[:200_000]) == "Reject"
    assert identified(target.primary, list(ids.values()), recording(QUESTION)) == ids["slt"]
    created = [one for one in target.audit()["value"] if one["action"] == "profile.create"]
    assert {one["caller"] for one in created} == {"management"}
    assert len(created) == 3


def test_a_wrong_passphrase_says_so_and_a_short_one_is_refused(
    here: tuple[RunningService, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    customer = Operator(here[0].url, here[0].management_key).customer()
    set_up(monkeypatch, here[1])
    secret, archive = tmp_path / "secret", tmp_path / "a"
    secret.write_text("short\n")
    exporting = ["--subscription", customer.subscription_id, "--out", str(archive), "--passphrase-file", str(secret)]
    assert export_subscription.main(exporting) == 2
    assert not archive.exists()
    secret.write_text("a long and quiet afternoon\n")
    assert export_subscription.main(exporting) == 0
    secret.write_text("a long and loud afternoon\n")
    importing = [str(archive), "--subscription", customer.subscription_id, "--passphrase-file", str(secret)]
    assert import_subscription.main(importing) == 2
    assert "The passphrase is another one" in capsys.readouterr().err
    assert json.loads(customer.primary.call("GET", "/speaker/identification/v2.0/text-independent/profiles").body) == {
        "profiles": []
    }
