"""Who spoke when, over HTTP, with synthetic voices."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.api.client import UNKNOWN, Answer, Client, Profiles
from tests.api.later import IDENTIFICATION, TEXT_INDEPENDENT, V2021, Speakers
from tests.api.operator import Customer
from tests.api.stored import Stored
from tests.api.test_channels import stereo
from tests.voices import PASSPORT, QUESTION, STORY, flite, recording, wav_bytes

LONG_FORM = 'Recordings of up to 4 hours are taken from storage: send {"recordingUrl": "https://..."} as JSON.'
SILENCE = np.zeros(16_000, np.float32)


@cache
def conversation() -> bytes:
    """slt asks for 5 s, and after a second rms does."""
    return wav_bytes(np.concatenate([flite(QUESTION), SILENCE, flite(QUESTION, "rms")]))


@cache
def two_channels() -> bytes:
    """slt on the first, and rms on the second before slt has finished."""
    return stereo(flite(QUESTION), np.concatenate([SILENCE, SILENCE, SILENCE, flite(QUESTION, "rms")]))


def ask(client: Client, candidates: str, body: bytes, query: str = "", accept: str = "application/json") -> Answer:
    path = V2021.path(IDENTIFICATION, "/profiles:identifyTurns", f"&profileIds={candidates}{query}")
    return client.call("POST", path, body, {"Accept": accept, "Content-Type": "audio/wav"})


def who(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [turn["speaker"] for turn in answer.json["turns"]]


def test_each_turn_has_its_speaker(api: Client, voices: Mapping[str, str]) -> None:
    found = ask(api, f"{voices['slt']},{voices['awb']},{voices['rms']}", conversation()).json

    first, second = found["turns"]
    assert (first["speaker"], second["speaker"]) == (voices["slt"], voices["rms"])
    assert 0.0 <= first["start"] < 0.5
    assert 4.5 < first["end"] < 5.3 < 5.7 < second["start"] < 6.5 < 11.0 < second["end"]
    assert [turn["overlap"] for turn in found["turns"]] == [False, False]
    assert "channel" not in first
    for turn, speaker in zip(found["turns"], found["speakers"], strict=True):
        best = speaker["ranking"][0]
        assert len(speaker["ranking"]) == 3
        assert best == {"profileId": turn["speaker"], "score": turn["score"]}
        assert (speaker["speaker"], speaker["score"]) == (turn["speaker"], turn["score"])
        assert speaker["seconds"] == pytest.approx(turn["end"] - turn["start"], abs=0.02)
    assert found["audioLengthInSec"] == pytest.approx(11.94, abs=0.02)
    assert found["audioSpeechLengthInSec"] == pytest.approx(sum(s["seconds"] for s in found["speakers"]), abs=0.02)


def test_a_stranger_has_a_number_and_a_ranking(api: Client, voices: Mapping[str, str]) -> None:
    found = ask(api, voices["rms"], conversation()).json

    assert [turn["speaker"] for turn in found["turns"]] == ["unknown-1", voices["rms"]]
    stranger = found["speakers"][0]
    assert (stranger["score"], found["turns"][0]["score"]) == (None, None)
    assert [ranked["profileId"] for ranked in stranger["ranking"]] == [voices["rms"]]
    assert stranger["ranking"][0]["score"] < 0.5


def test_channels_with_voices_of_their_own_are_told_apart(api: Client, voices: Mapping[str, str]) -> None:
    candidates = ",".join(voices.values())

    found = ask(api, candidates, two_channels()).json["turns"]
    assert [(turn["channel"], turn["speaker"]) for turn in found] == [(1, voices["slt"]), (2, voices["rms"])]
    assert [turn["overlap"] for turn in found] == [True, True]
    (alone,) = ask(api, candidates, two_channels(), "&channel=2").json["turns"]
    assert (alone["speaker"], alone["overlap"], alone.get("channel")) == (voices["rms"], False, None)
    assert alone["start"] == pytest.approx(found[1]["start"], abs=0.1)


def test_web_vtt_and_rttm_say_the_same(api: Client, voices: Mapping[str, str]) -> None:
    slt, turns = voices["slt"], ask(api, voices["slt"], conversation()).json["turns"]

    web_vtt = ask(api, slt, conversation(), accept="text/vtt;q=0.9, */*;q=0.1")
    assert web_vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    head, *cues = web_vtt.body.decode().split("\n\n")
    assert head == "WEBVTT"
    assert [cue.split("\n")[1].strip() for cue in cues] == [f"<v {slt}>{slt}", "<v unknown-1>unknown-1"]
    rttm = ask(api, slt, conversation(), accept="text/x-rttm")
    assert rttm.headers["content-type"] == "text/x-rttm; charset=utf-8"
    for turn, cue, line in zip(turns, cues, rttm.body.decode().splitlines(), strict=True):
        start, end = (float(at.rpartition(":")[2]) for at in cue.split("\n")[0].split(" --> "))
        assert [start, end] == pytest.approx([turn["start"], turn["end"]], abs=0.006)
        kind, name, channel, began, length, _, _, speaker, score, _ = line.split(" ")
        assert (kind, name, channel, speaker) == ("SPEAKER", "recording", "1", turn["speaker"])
        assert [float(began), float(length)] == pytest.approx([start, end - start], abs=0.0011)
        assert score == "<NA>" if turn["score"] is None else float(score) == pytest.approx(turn["score"], abs=1e-4)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("&minSpeakers=0", "minSpeakers"),
        ("&maxSpeakers=21", "maxSpeakers"),
        ("&maxSpeakers=two", "maxSpeakers"),
        ("&minSpeakers=3&maxSpeakers=2", "minSpeakers"),
        ("&exclusive=maybe", "exclusive"),
        ("&channel=2", "channel"),
        ("&threshold=2", "threshold"),
    ],
)
def test_a_bad_parameter_is_named(api: Client, voices: Mapping[str, str], query: str, named: str) -> None:
    status, code, message = ask(api, voices["slt"], recording(PASSPORT), query).error

    assert (status, code) == (400, "InvalidArgument")
    assert message.startswith(f"Invalid {named} parameter value.")


def test_candidates_are_refused_as_by_an_identify(api: Client, identification: Profiles, customer: Customer) -> None:
    speech, fresh = recording(PASSPORT), identification.create()

    for client, candidates in (
        (api, UNKNOWN),
        (api, fresh),
        (api, "no-id"),
        (api, "group:none"),
        (customer.primary, "*"),
    ):
        answer = ask(client, candidates, speech)
        other = Speakers(client, V2021, IDENTIFICATION).identify(candidates, speech)
        assert answer.error == other.error
        assert answer.status in (400, 404)
    missing = api.call("POST", V2021.path(IDENTIFICATION, "/profiles:identifyTurns"), speech)
    assert missing.error[:2] == (400, "InvalidRequest")
    elsewhere = V2021.path(TEXT_INDEPENDENT, "/profiles:identifyTurns", f"&profileIds={UNKNOWN}")
    assert replace(api, checked=False).call("POST", elsewhere, speech).status == 404


def test_what_is_too_much_is_refused_with_the_long_form(api: Client, voices: Mapping[str, str]) -> None:
    status, code, message = ask(api, voices["slt"], wav_bytes(np.zeros(301 * 8_000, np.float32), 8_000)).error
    assert (status, code) == (400, "InvalidRequest")
    limit = "Invalid audio length. Maximum allowed length per recognition request is 300 seconds."
    assert message == f"{limit} The recording has 301.00 seconds. {LONG_FORM}"
    status, code, message = ask(api, voices["slt"], bytes(32 * 1024 * 1024 + 1)).error
    assert (status, code) == (413, "RequestEntityTooLarge")
    assert message.endswith(LONG_FORM)


def test_a_recording_without_speech_is_refused(api: Client, voices: Mapping[str, str]) -> None:
    status, code, message = ask(api, voices["slt"], wav_bytes(np.zeros(64_000, np.float32))).error

    assert (status, code) == (400, "InvalidRequest")
    limit = "Invalid audio length. Minimum allowed speech length is 0.5 second(s)."
    assert message == f"{limit} The recording has 0.00 seconds of speech."


def test_one_at_a_time_is_worked_on_and_a_verify_meanwhile(
    api: Client, voices: Mapping[str, str], by_passport: str
) -> None:
    with ThreadPoolExecutor(5) as threads:
        asked = [threads.submit(ask, api, voices["slt"], conversation()) for _ in range(4)]
        verified = threads.submit(api.post, f"/verify?verificationProfileId={by_passport}", recording(PASSPORT))
        answers = [one.result() for one in asked]
    assert verified.result().status == 200
    assert {answer.status for answer in answers} == {200, 503}
    assert {answer.headers["retry-after"] for answer in answers if answer.status == 503} == {"5"}


def test_a_token_opens_its_candidates_and_rounds_scores(api: Client, voices: Mapping[str, str]) -> None:
    slt, rms = voices["slt"], voices["rms"]
    refused = api.send("POST", "/tokens", {"operations": ["identifyTurns"]})
    assert refused.error[:2] == (400, "InvalidArgument")
    assert "profileIds" in refused.error[2]
    made = api.send("POST", "/tokens", {"operations": ["identifyTurns"], "profileIds": slt}).json
    browser = replace(api, key=made["token"])

    assert ask(browser, f"{slt},{rms}", conversation()).status == 403
    found = ask(browser, slt, conversation()).json
    scores = [found["turns"][0]["score"], *(one["score"] for s in found["speakers"] for one in s["ranking"])]
    assert all(score == round(score, 2) for score in scores)


def test_a_recognition_is_recorded_where_it_is_wanted_and_nothing_else_is_stored(
    customer: Customer, stored: Stored
) -> None:
    slt = customer.identification.enrolled(recording(STORY))
    awb = customer.identification.enrolled(recording(STORY, "awb"))
    ask(customer.primary, slt, conversation())
    before = stored.of_subscription(customer.subscription_id)

    assert who(ask(customer.primary, f"{slt},{awb}", conversation())) == [slt, "unknown-1"]
    assert set(stored.of_subscription(customer.subscription_id)) == set(before)
    assert customer.settings({"recordRecognitions": {"days": 30}}).status == 200
    for candidates in (f"{slt},{awb}", awb):
        ask(customer.primary, candidates, conversation())
    records = customer.audit("?action=recognition.turns")["value"]
    assert [(record["outcome"], record["profileId"]) for record in records] == [("accepted", slt), ("rejected", None)]
    assert records[0]["score"] > 0.5 > records[1]["score"]
    assert {record["caller"] for record in records} == {"key:primary"}
