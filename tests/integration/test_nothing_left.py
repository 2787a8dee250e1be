"""What the service has written, on disk and in its log, is searched for what it must never write.

Real recordings go over HTTP to the real service in front of an Azurite that keeps its data in a folder. Then both are
stopped, and every byte of the folder and of the log is searched.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from localhost.azurite import Azurite
from shared.audio.flac import FlacKeeper
from shared.audio.landmarks import SpectralLandmarks
from shared.domain.recording import Vector
from shared.inference.mel_windows import windows
from shared.storage.layout import AUDIT, ENROLLMENT_AUDIO, LONG_RECORDINGS, SUBSCRIPTIONS, VOICES
from tests.api.client import Client, Profiles, identify
from tests.api.operator import Operator
from tests.api.test_long_recordings import begun, look
from tests.integration.ears import Ears, pcm, recording
from tests.integration.needles import RUN, Needle, files, search
from tests.recording_host import RecordingHost, recording_host
from tests.service import RunningService, running_service
from tests.voices import OUTSIDE, PASSPORT, QUESTION, STORY, joined, wav_bytes

pytestmark = pytest.mark.azurite

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SIGNATURE = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789" * 3
_FLAC_HEADER = 86
"""Signature, stream data and the vendor's name, which every FLAC file of libsndfile's shares."""


@dataclass
class Traces:
    """Everything that was written, what to search it for, and what the one search for all of it has found."""

    paths: list[Path]
    found: set[str] = field(default_factory=set)
    asked: list[Needle] = field(default_factory=list)
    enrolled: list[Needle] = field(default_factory=list)
    sealed: list[Needle] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    long: list[Needle] = field(default_factory=list)
    """Of a long recording that was named, and of one that waits."""
    digits: list[str] = field(default_factory=list)
    """Of challenges: one that was answered, and one that waits."""
    prints: list[Needle] = field(default_factory=list)
    """Of a recording that was accepted while replays were refused: its landmarks, and their hashes."""
    unkept: dict[str, int] = field(default_factory=dict)
    """Bytes of each value that is stored of a subscription that keeps no recordings."""


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Traces:
    folder = tmp_path_factory.mktemp("written")
    found = Traces([folder])
    with Azurite(folder / "azurite") as azurite, recording_host() as host:
        connection_string = azurite.connection_string
        ears = Ears(connection_string)
        settings = {"VOICE_STORAGE": connection_string, "TIMBRE_RECORDING_HOSTS": f"127.0.0.1:{host.port}"}
        with running_service(folder / "service.log", environment=settings) as service:
            client = Client(service.url, service.key)
            _enroll(client, ears, found)
            _ask(client, ears, found)
            _replay(Operator(service.url, service.management_key), ears, found)
            keepless = _enroll_unkept(Operator(service.url, service.management_key), ears, found)
            _name_speakers(client, service, host, ears, found)
            service.fire("retention")
        found.sealed += _stored(connection_string)
        found.unkept = _sizes(connection_string, keepless)
    wanted = [*found.asked, *found.enrolled, *found.long, *found.prints, *found.sealed]
    found.found |= {one.needle for one in search(wanted, found.paths)}
    return found


def _enroll(client: Client, ears: Ears, found: Traces) -> None:
    takes = [recording(PASSPORT, "slt", seed) for seed in (1, 2, 3)]
    stories = [recording(STORY, "slt", 4), recording(QUESTION, "slt", 5)]
    found.ids.append(Profiles(client, "verification").enrolled(*takes))
    found.ids.append(Profiles(client, "identification").enrolled(*stories))
    for name, wavs in (("phrase", takes), ("speech", stories)):
        pooled: Vector | None = None
        for number, wav in enumerate(wavs):
            found.enrolled += _needles(f"enrolled {name} {number}", wav, ears)
            utterance, embedding = ears.hear(wav)
            weighted = np.asarray(embedding * utterance.speech_seconds, dtype=np.float32)
            pooled = weighted if pooled is None else np.asarray(pooled + weighted, dtype=np.float32)
            found.enrolled += _vector(f"signature of {name} after {number + 1}", pooled)


def _enroll_unkept(operator: Operator, ears: Ears, found: Traces) -> str:
    customer, story = operator.customer(keepIdentificationAudio=False), recording(STORY, "slt", 6)
    customer.identification.enrolled(story)
    found.enrolled += _needles("enrolled and not kept", story, ears)
    return customer.subscription_id


def _replay(operator: Operator, ears: Ears, found: Traces) -> None:
    customer, sent = operator.customer(replay={"action": "refuse"}), recording(PASSPORT, "slt", 16)
    enrolled = customer.verification.enrolled(*(recording(PASSPORT, "slt", seed) for seed in (1, 2, 3)))
    path = f"/spid/v1.0/verify?verificationProfileId={enrolled}"
    answers = [customer.primary.call("POST", path, sent).json["result"] for _ in range(2)]
    assert answers == ["Accept", "Reject"]
    for number, landmarks in enumerate(SpectralLandmarks().aligned(ears.hear(sent)[0].recording.samples)):
        found.prints += [
            Needle(f"landmarks {number}", landmarks.values.astype("<u4").tobytes()),
            Needle(f"times {number}", landmarks.times.astype("<u2").tobytes()),
        ]


def _ask(client: Client, ears: Ears, found: Traces) -> None:
    """Verify and identify, accepted, rejected and refused; turns."""
    by_phrase, by_speech = found.ids
    asked = {
        "accepted": recording(PASSPORT, "slt", 11),
        "another speaker": recording(PASSPORT, "rms", 12),
        "another phrase": recording(OUTSIDE, "slt", 13),
        "identified": recording(QUESTION, "slt", 14),
        "a stranger": recording(STORY, "rms", 15),
        "turns": recording(QUESTION, "slt", 17),
    }
    path = f"/spid/v1.0/verify?verificationProfileId={by_phrase}"
    answers = [client.call("POST", path, asked[name]) for name in ("accepted", "another speaker", "another phrase")]
    assert [answer.status for answer in answers] == [200, 200, 400]
    assert [answer.json["result"] for answer in answers[:2]] == ["Accept", "Reject"]
    outcomes = [identify(client, [by_speech], asked[name]) for name in ("identified", "a stranger")]
    assert outcomes[0]["processingResult"]["identifiedProfileId"] == by_speech
    refused = client.call(
        "POST", f"/spid/v1.0/identify?identificationProfileIds={by_speech}", asked["accepted"][:40_000]
    )
    assert refused.status == 400
    found.asked.append(_turns_of(client, by_speech, asked["turns"]))
    for name, wav in asked.items():
        found.asked += _needles(name, wav, ears)
    _challenge(client, by_phrase, found)


def _turns_of(client: Client, profile_id: str, wav: bytes) -> Needle:
    """Who speaks is asked of a recording in the request, and put into a transcript, whose words are the needle."""
    path = f"/speaker-recognition/identification/text-independent/profiles:identifyTurns?profileIds={profile_id}"
    turns = client.call("POST", path, wav).json["turns"]
    assert [turn["speaker"] for turn in turns] == [profile_id]
    transcript = f"WEBVTT\n\n00:00.000 --> 00:09.000\n{QUESTION}\n"
    labelled = client.send("POST", "/transcripts:label", {"turns": turns, "transcript": transcript})
    assert f"<v {profile_id}>{QUESTION}".encode() in labelled.body
    return Needle("words of a transcript", QUESTION.encode())


def _name_speakers(client: Client, service: RunningService, host: RecordingHost, ears: Ears, found: Traces) -> None:
    spoken = {"named": recording(QUESTION, "slt", 21), "waiting": recording(STORY, "rms", 22)}
    operations = {}
    for name, wav in spoken.items():
        url = host.put(f"/{name}.wav", wav).replace("secret", f"{name}-{SIGNATURE}")
        found.long.append(Needle(f"{name}: URL", url.encode()))
        operations[name] = begun(client, "*", url)
        if name == "named":
            service.fire("turns")
        found.long += [Needle(f"{name}: samples", pcm(wav)), Needle(f"{name}: floats", samples_of(wav))]
        for number, embedding in enumerate(ears.heard(wav)):
            found.long += _vector(f"{name}: stretch {number}", embedding)
            found.long.append(Needle(f"{name}: stretch {number}, halves", embedding.astype("<f2").tobytes()))
    result = look(client, operations["named"]).json["result"]
    assert [turn["speaker"] for turn in result["turns"]] == [found.ids[1]]
    found.long.append(Needle("named: result", json.dumps(result).encode()))


def samples_of(wav: bytes) -> bytes:
    return (np.frombuffer(pcm(wav), "<i2") / np.float32(32_768)).astype("<f4").tobytes()


def _challenge(client: Client, profile_id: str, found: Traces) -> None:
    path = f"/profiles/verification/text-dependent/{profile_id}/challenges"
    drawn = [client.send("POST", path, {"digits": 10}).json for _ in range(2)]
    found.digits += [challenge["text"] for challenge in drawn]
    answered = f"/spid/v1.0/verify?verificationProfileId={profile_id}&challenge={drawn[0]['challengeId']}"
    assert client.call("POST", answered, wav_bytes(joined(drawn[0]["text"]))).json["result"] == "Accept"


def _needles(name: str, wav: bytes, ears: Ears) -> list[Needle]:
    utterance, embedding = ears.hear(wav)
    samples = utterance.recording.samples
    return [
        Needle(f"{name}: samples as they came", pcm(wav)),
        Needle(f"{name}: samples as floats", samples.astype("<f4").tobytes()),
        Needle(f"{name}: FLAC", FlacKeeper().encode(utterance)[_FLAC_HEADER:]),
        Needle(f"{name}: features", windows(utterance.spoken)[0].astype("<f4").tobytes()),
        *_vector(f"{name}: embedding", embedding),
    ]


def _vector(name: str, vector: Vector) -> list[Needle]:
    text = ",".join(repr(float(number)) for number in vector)
    return [
        Needle(name, vector.astype("<f4").tobytes()),
        Needle(f"{name}, doubles", vector.astype("<f8").tobytes()),
        Needle(f"{name}, as JSON", text.encode()),
        Needle(f"{name}, as spaced JSON", text.replace(",", ", ").encode()),
    ]


def _stored(connection_string: str) -> list[Needle]:
    """The sealed values as they can be read through Azure's SDK."""
    found: list[Needle] = []
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for row in tables.get_table_client(VOICES).list_entities():
            found += [Needle(f"sealed {name}", value) for name, value in row.items() if isinstance(value, bytes)]
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for name, what in ((ENROLLMENT_AUDIO, "audio"), (LONG_RECORDINGS, "turns")):
            container = blobs.get_container_client(name)
            found += [
                Needle(f"sealed {what}", container.download_blob(one.name).readall()) for one in container.list_blobs()
            ]
    return [replace(one, name=f"{one.name} {number}") for number, one in enumerate(found)]


def _sizes(connection_string: str, subscription_id: str) -> dict[str, int]:
    """Of every value in every table and every blob in every container, whatever their names."""
    sizes: dict[str, int] = {}
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for table in tables.list_tables():
            for row in tables.get_table_client(table.name).list_entities():
                if subscription_id in f"{row['PartitionKey']} {row['RowKey']}":
                    sizes |= {f"{table.name}/{row['RowKey']}/{name}": len(str(value)) for name, value in row.items()}
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for container in blobs.list_containers():
            listed = blobs.get_container_client(container.name).list_blobs(subscription_id)
            sizes |= {f"{container.name}/{blob.name}": blob.size for blob in listed}
    return sizes


def test_the_search_does_reach_what_is_stored(traces: Traces) -> None:
    """Every sealed value is found on disk, so a value that was not sealed would be found too."""
    long = {needle.name for needle in traces.sealed if len(needle.content) > 2 * RUN}
    assert {name.rpartition(" ")[0] for name in long} == {
        "sealed signature", "sealed embedding", "sealed audio", "sealed request", "sealed turns", "sealed print",
    }  # fmt: skip
    assert traces.found >= long
    haystack = b"".join(file.read_bytes() for path in traces.paths for file in files(path))
    assert all(one.encode() in haystack for one in traces.ids)


def test_nothing_of_what_was_sent_to_verify_and_identify_is_anywhere(traces: Traces) -> None:
    """Nor of a recording whose turns were asked for, or a transcript that was labelled."""
    assert len(traces.asked) == 6 * 8 + 1
    assert traces.found.isdisjoint(one.name for one in traces.asked)


def test_nothing_of_a_long_recording_is_anywhere_in_plain(traces: Traces) -> None:
    """An exception to what is never stored: sealed, and no sound (docs/privacy.md)."""
    assert {one.name for one in traces.long} >= {"named: URL", "named: result", "named: stretch 0, halves"}
    assert traces.found.isdisjoint(one.name for one in traces.long)


def test_no_landmark_of_a_recording_is_anywhere_in_plain(traces: Traces) -> None:
    assert len(traces.prints) == 4 * 2
    assert traces.found.isdisjoint(one.name for one in traces.prints)


def test_nothing_of_an_enrollment_is_anywhere_in_plain(traces: Traces) -> None:
    assert len(traces.enrolled) == 6 * 8 + 5 * 4
    assert traces.found.isdisjoint(one.name for one in traces.enrolled)


def test_where_recordings_are_not_kept_nothing_of_their_size_is_stored_sealed_or_not(traces: Traces) -> None:
    """The longest is a sealed vector: the recording itself, sealed, has more than a hundred thousand bytes."""
    assert {name.partition("/")[0] for name in traces.unkept} == {VOICES, SUBSCRIPTIONS, AUDIT}
    assert sum("enrollment:" in name and name.endswith("embedding") for name in traces.unkept) == 1
    assert max(traces.unkept.values()) < 4_000, traces.unkept


@pytest.mark.parametrize("which", [0, -1])
def test_the_same_search_finds_what_is_put_beside_it(which: int, traces: Traces, tmp_path: Path) -> None:
    planted = traces.asked[which]
    (tmp_path / "extent").write_bytes(b"x" * 1_001 + base64.b64encode(planted.content))
    assert {one.needle for one in search([planted], [*traces.paths, tmp_path])} == {planted.name}


def test_no_phrase_is_anywhere_in_plain(traces: Traces) -> None:
    haystack = b"".join(file.read_bytes() for path in traces.paths for file in files(path)).lower()
    assert len(traces.digits) == 2
    drawn = ["".join(str(DIGITS.index(word)) for word in text.split()) for text in traces.digits]
    for phrase in (PASSPORT, OUTSIDE, *traces.digits, *drawn):
        for form in _text_forms(phrase):
            assert form.lower() not in haystack
    assert traces.ids[0].encode() in haystack


def _text_forms(phrase: str) -> list[bytes]:
    plain = [phrase.encode(), phrase.encode("utf-16-le")]
    parts = [text[skipped : skipped + 24] for text in plain for skipped in range(3)]
    encoded = [base64.b64encode(part[: len(part) // 3 * 3]) for part in parts if len(part) > 8]
    return [*plain, *encoded, *(text.hex().encode() for text in plain)]
