"""``python tests/upgrade/make.py OUT``: what an earlier commit stores, as JSON. Made once, by that commit's own code:

    git worktree add --detach ../earlier 61bea70     # with .venv, node_modules and models/*.onnx put in place
    cd ../earlier && PYTHONPATH=. .venv/bin/python ../timbre/tests/upgrade/make.py ../timbre/tests/upgrade/61bea70.json

The service of the working directory enrolls synthetic voices on Azurite; its rows, blobs and an archive are written
down as they are, sealed under the tests' key-encryption key. Recordings have 8 bits a sample: their FLAC stays small.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import soxr
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import EntityProperty, TableServiceClient
from azure.storage.blob import BlobServiceClient

from localhost.azurite import Azurite
from shared.bootstrap import build
from shared.config import read
from shared.storage.gallery.compaction import RowCompaction
from tests.api.client import Client
from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2021, Speakers
from tests.api.operator import Operator
from tests.service import RunningService, running_service
from tests.voices import PASSPORT, Samples, flite, takes, wav_bytes
from tools import export_subscription

SENTENCE: Final = "The train to the harbour leaves at seven o'clock this evening."
SITE: Final = "site"
ARCHIVE_PASSPHRASE: Final = "a long and quiet afternoon"
TABLES: Final = ("voices", "subscriptions", "keys")
CONTAINERS: Final = ("enrollment-audio", "galleries")

KEY_ENCRYPTION: Final = "local:" + base64.b64encode(b"u" * 32).decode()

CALIBRATION: Final = {
    "bias": -30.0, "cosine": 44.0, "log_shorter": -2.0, "log_longer": -1.0, "threshold_logit": 0.0,
    "false_match_rate": 0.01, "min_seconds": 1.0, "max_seconds": 12.0, "fitted_speakers": 100,
    "fitted_trials": 5_000, "fitted_on": "our callers", "narrow_shift": 0.03, "telephone_shift": 0.06,
}  # fmt: skip


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, Azurite() as azurite:
        log, archive = Path(scratch) / "log", Path(scratch) / "archive"
        settings = {"VOICE_STORAGE": azurite.connection_string, "TIMBRE_KEY_ENCRYPTION": KEY_ENCRYPTION}
        with running_service(log, environment=settings) as service:
            profiles = _filled(service)
        os.environ.update(settings)
        _pack("local")
        secret = Path(scratch) / "secret"
        secret.write_text(ARCHIVE_PASSPHRASE)
        asked = ["--subscription", SITE, "--out", str(archive), "--passphrase-file", str(secret)]
        assert export_subscription.main(asked) == 0
        stored = {
            "profiles": profiles,
            "tables": _tables(azurite.connection_string),
            "blobs": _blobs(azurite.connection_string),
            "archive": _text(archive.read_bytes()),
        }
    out.write_text(json.dumps(stored, indent=1) + "\n")


def _filled(service: RunningService) -> dict[str, str]:
    """Profile ids by what they are; a voice is known by its name in flite."""
    client = Client(service.url, service.key)
    operator = Operator(service.url, service.management_key)
    made = operator.put(SITE, {"calibration": {"modelId": "ge2e-1", "values": CALIBRATION}})
    assert made.status == 201, made.body
    site = Client(service.url, made.json["keys"]["primary"])
    by_voice, to_identify = Speakers(client, V2021, TEXT_INDEPENDENT), Speakers(client, V2021, IDENTIFICATION)
    return {
        "phrase": Speakers(client, V2021, TEXT_DEPENDENT).enrolled(*takes(PASSPORT, "slt")),
        "independent": by_voice.enrolled(_recording("rms")),
        "slt": to_identify.enrolled(_recording("slt")),
        "awb by telephone": _without_audio(operator, lambda: to_identify.enrolled(_recording("awb", 8_000))),
        "site": Speakers(site, V2021, TEXT_INDEPENDENT).enrolled(_recording("slt")),
    }


def _without_audio(operator: Operator, enrolled: Callable[[], str]) -> str:
    """Nothing is kept to rebuild this signature from."""
    for keeps in (False, True):
        answer = operator.put("local", {"keepIdentificationAudio": keeps})
        assert answer.status == 200, answer.body
        if not keeps:
            profile_id = enrolled()
    return profile_id


def _recording(voice: str, rate: int = 16_000) -> bytes:
    samples: Samples = soxr.resample(flite(SENTENCE, voice), 16_000, rate, quality="HQ")
    return wav_bytes(np.asarray(np.rint(samples * 127.0) / 128.0, np.float32), rate)


def _pack(subscription_id: str) -> None:
    """As the timer does for 1,000 profiles."""
    timer = build(read(os.environ)).compact_galleries.compaction
    assert isinstance(timer, RowCompaction)
    assert RowCompaction(timer._voices, timer._packs, timer._reader, 4).compact(subscription_id) == 1


def _tables(connection_string: str) -> dict[str, list[dict[str, Any]]]:
    with TableServiceClient.from_connection_string(connection_string) as tables:
        return {
            name: [
                {key: _value(each) for key, each in row.items()}
                for row in tables.get_table_client(name).list_entities()
            ]
            for name in TABLES
        }


def _value(found: object) -> object:
    match found:
        case bytes():
            return {"bytes": _text(found)}
        case datetime():
            return {"time": found.isoformat()}
        case EntityProperty():
            return {"int64": found.value}
    return found


def _blobs(connection_string: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for name in CONTAINERS:
            container = blobs.get_container_client(name)
            try:
                found[name] = {
                    one.name: _text(container.download_blob(one.name).readall()) for one in container.list_blobs()
                }
            except ResourceNotFoundError:
                found[name] = {}
    return found


def _text(plain: bytes) -> str:
    return base64.b64encode(plain).decode()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
