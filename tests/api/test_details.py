"""Why somebody was rejected: the same true reason in every generation, and how much of it each caller sees."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.api.client import SHORT, Answer, Client, operation
from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Speakers
from tests.api.operator import Customer, Operator
from tests.voices import HOUSTON, OUTSIDE, PASSPORT, QUESTION, STORY, flite, recording, takes, wav_bytes

pytestmark = pytest.mark.long_on_azure("what is explained does not depend on the host")
LATER = {generation.name: generation for generation in (V2, V2021)}
GENERATIONS = ("v1.0", *LATER)
MEMBERS = {
    "decidedBy", "score", "threshold", "thresholdFrom", "falseMatchRate", "speechSeconds", "snrDb", "levelDbfs",
    "bandwidthHz", "channel", "model", "phrase", "replay", "advice",
}  # fmt: skip
QUIETER = {"code": "quieterRoom", "text": "Find a quieter room."}
CUT = np.pad(flite(PASSPORT)[:24_000], (0, 8_000))
"""One and a half of two and a half seconds."""
ALONE = {"code": "speakAlone", "text": "Record one person alone."}
WHOLE_PHRASE = {"code": "wholePhrase", "text": "Say the whole phrase."}


@dataclass(frozen=True)
class Desk:
    """A subscription with slt enrolled for both uses, as one of its clients sees it in one generation."""

    client: Client
    by_phrase: str
    by_voice: str

    def verify(self, generation: str, audio: bytes, query: str = "&details=true") -> Answer:
        if generation in LATER:
            return self._speakers(generation, TEXT_DEPENDENT).verify(self.by_phrase, audio, query)
        return self.client.post(f"/verify?verificationProfileId={self.by_phrase}{query}", audio)

    def identify(self, generation: str, audio: bytes, query: str = "&details=true") -> Answer:
        """``query`` of the later generations; v1.0 asks for an operation, in the next call."""
        if generation in LATER:
            return self._speakers(generation, IDENTIFICATION).identify(self.by_voice, audio, query)
        query = query.replace("ignoreMinLength", "shortAudio")
        return self.client.post(f"/identify?identificationProfileIds={self.by_voice}{query}", audio)

    def result(self, answer: Answer) -> Any:
        return operation(self.client, answer)["processingResult"] if answer.status == 202 else answer.json

    def details(self, answer: Answer) -> Any:
        found = self.result(answer)["details"]
        assert found.keys() == MEMBERS
        return found

    def _speakers(self, generation: str, kind: str) -> Speakers:
        return Speakers(self.client, LATER[generation], kind)


@pytest.fixture(scope="module")
def customer(operator: Operator) -> Customer:
    return operator.customer(enrollmentCohesion=True)


@pytest.fixture(scope="module")
def desk(customer: Customer) -> Desk:
    by_phrase = customer.verification.enrolled(*takes(PASSPORT))
    return Desk(customer.primary, by_phrase, customer.identification.enrolled(recording(STORY)))


def in_noise(text: str) -> Iterator[bytes]:
    """White noise that grows by 2 dB, from 20 dB below the speech; half a second of it before and behind."""
    spoken = np.pad(flite(text), 8_000)
    level = float(np.sqrt(np.mean(np.square(flite(text)))))
    noise = np.random.default_rng(1).normal(0.0, level, len(spoken)).astype(np.float32)
    for snr_db in range(20, -20, -2):
        noisy = spoken + noise * np.float32(10 ** (-snr_db / 20))
        yield wav_bytes(noisy * np.float32(0.9 / np.abs(noisy).max()))


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_own_voice_in_noise_is_told_of_the_noise(desk: Desk, generation: str) -> None:
    for noisy in in_noise(QUESTION):
        details = desk.details(desk.identify(generation, noisy))
        assert (details["decidedBy"], details["thresholdFrom"]) == ("voice", "default")
        if details["score"] < details["threshold"]:
            break
        assert details["advice"] == []
    assert 0.0 < details["snrDb"] < 15.0
    assert details["advice"] == [QUIETER]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_own_phrase_lost_in_noise_is_told_of_the_noise(desk: Desk, generation: str) -> None:
    for noisy in in_noise(PASSPORT):
        details = desk.details(desk.verify(generation, noisy))
        if details["decidedBy"] != "voice":
            break
    assert QUIETER in details["advice"]
    assert details["snrDb"] < 25.0


@pytest.mark.parametrize("generation", GENERATIONS)
def test_another_voice_is_decided_by_the_voice_and_nothing_else(desk: Desk, generation: str) -> None:
    for answer in (
        desk.verify(generation, recording(PASSPORT, "awb", 1.04)),
        desk.identify(generation, recording(QUESTION, "awb")),
    ):
        details = desk.details(answer)
        assert (details["decidedBy"], details["advice"], details["falseMatchRate"]) == ("voice", [], None)
        assert details["score"] < details["threshold"] == 0.5
        assert (details["model"], details["channel"]) == ("campplus-channels-1", 1)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize(
    ("spoken", "recognised"),
    [
        (CUT, True),
        (flite(HOUSTON), False),
        (flite(OUTSIDE), False),
    ],
    ids=["cut", "another", "none"],
)
def test_a_phrase_that_is_not_the_whole_own_one_is_decided_by_the_phrase(
    desk: Desk, generation: str, spoken: Any, recognised: bool
) -> None:
    answer = desk.verify(generation, wav_bytes(spoken))
    details = desk.details(answer)
    assert (details["decidedBy"], details["phrase"]) == ("phrase", {"recognised": recognised, "complete": False})
    assert (details["score"], details["threshold"], details["model"]) == (0.0, 0.5, None)
    assert details["advice"] == [WHOLE_PHRASE]
    assert HOUSTON not in str(details)


@pytest.mark.parametrize("later", LATER)
def test_a_second_voice_in_a_rejected_recording_is_told(customer: Customer, later: str) -> None:
    speakers = Speakers(customer.primary, LATER[later], TEXT_INDEPENDENT)
    profile_id = speakers.enrolled(recording(STORY))
    both = np.concatenate([flite(STORY, "rms")[:88_000], flite(QUESTION, "awb")[:40_000]])
    for audio, advice in ((wav_bytes(both), [ALONE]), (recording(STORY, "rms"), [])):
        details = speakers.verify(profile_id, audio, "&details=true").json["details"]
        assert (details["decidedBy"], details["advice"]) == ("voice", advice)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_accepted_voice_has_its_rate_where_the_calibration_claims_one(desk: Desk, generation: str) -> None:
    details = desk.details(desk.verify(generation, recording(PASSPORT), "&DETAILS=True&threshold=0.9"))
    assert (details["decidedBy"], details["phrase"]) == ("voice", {"recognised": True, "complete": True})
    assert (details["threshold"], details["thresholdFrom"], details["advice"]) == (0.9, "request", [])
    assert details["score"] > 0.9
    assert details["falseMatchRate"] is None, "40 speakers carry no rate so small"


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_recording_that_is_too_short_is_told_how_much_more(desk: Desk, generation: str) -> None:
    """v1.0 asks for 5 s of audio, later generations for 4 s of speech. The refusal has its ``details`` beside it."""
    answer = desk.identify(generation, recording(PASSPORT))
    details = desk.details(answer)
    assert answer.status == 400
    assert (details["decidedBy"], details["score"], details["threshold"]) == ("quality", None, None)
    more = "three more seconds" if generation == "v1.0" else "two more seconds"
    assert details["advice"] == [{"code": "speakLonger", "text": f"Speak for {more}."}]
    assert (details["speechSeconds"] is None) is (generation == "v1.0"), "where the speech was found, it is told"


@pytest.mark.parametrize("generation", GENERATIONS)
def test_enrollments_explain_themselves(desk: Desk, generation: str) -> None:
    by_voice = {
        "alone": flite(QUESTION),
        "two voices": np.concatenate((flite(STORY), flite(STORY, "rms"))),
        "another": flite(STORY, "awb"),
    }
    by_phrase = {
        "whole": flite(PASSPORT),
        "outside": flite(OUTSIDE),
        "cut": CUT,
    }
    answers = {
        spoken: enrolled(desk, generation, wav_bytes(audio), voice=voice)
        for voice, group in ((True, by_voice), (False, by_phrase))
        for spoken, audio in group.items()
    }
    told = {spoken: desk.details(answer) for spoken, answer in answers.items()}
    assert {spoken: details["decidedBy"] for spoken, details in told.items()} == {
        "alone": None, "two voices": "secondVoice", "another": "voice", "whole": None, "outside": "phrase",
        "cut": "phrase",
    }  # fmt: skip
    assert told["alone"]["model"] == told["two voices"]["model"] == "campplus-channels-1"
    assert told["two voices"]["score"] < told["two voices"]["threshold"] < 0.7  # rises with its seconds
    assert told["two voices"]["advice"] == [{"code": "speakAlone", "text": "Record one person alone."}]
    assert told["whole"]["phrase"] == {"recognised": True, "complete": True}
    assert told["outside"]["phrase"] == {"recognised": False, "complete": False}
    assert told["cut"]["phrase"] == {"recognised": True, "complete": False}


def enrolled(desk: Desk, generation: str, audio: bytes, *, voice: bool) -> Answer:
    if generation in LATER:
        kind, profile_id = (IDENTIFICATION, desk.by_voice) if voice else (TEXT_DEPENDENT, desk.by_phrase)
        return Speakers(desk.client, LATER[generation], kind).enroll(profile_id, audio, "&details=true")
    path = f"identificationProfiles/{desk.by_voice}" if voice else f"verificationProfiles/{desk.by_phrase}"
    return desk.client.post(f"/{path}/enroll{SHORT}&details=true", audio)


@pytest.fixture(params=["recognise", "token"])
def limited(request: pytest.FixtureRequest, operator: Operator, customer: Customer, desk: Desk) -> Desk:
    """One who may only recognise."""
    if request.param == "token":
        scope = {"operations": ["verify", "identify", "read"], "profileId": desk.by_phrase, "profileIds": desk.by_voice}
        key = customer.primary.send("POST", "/tokens", scope).json["token"]
    else:
        key = operator.put_key(customer.subscription_id, "kiosk", {"role": "recognise", "expiresDateTime": None}).json
        key = (
            key.get("key")
            or operator.call("POST", f"/manage/subscriptions/{customer.subscription_id}/keys/kiosk/regenerate").json[
                "key"
            ]
        )
    return replace(desk, client=replace(desk.client, key=key))


def two_digits(score: float) -> float:
    return math.floor(score * 100) / 100


@pytest.mark.parametrize("generation", GENERATIONS)
def test_who_may_only_recognise_sees_two_digits(customer: Customer, desk: Desk, limited: Desk, generation: str) -> None:
    spoken, verified = recording(QUESTION, "rms"), recording(PASSPORT, "rms")
    full, rounded = (one.verify(generation, verified).json for one in (desk, limited))
    assert rounded["score"] == rounded["details"]["score"] == two_digits(full["details"]["score"])
    assert full["details"]["score"] != rounded["details"]["score"]
    if generation in LATER:
        (all_digits,), (two,) = (one.identify(generation, spoken).json["profilesRanking"] for one in (desk, limited))
        assert two == {**all_digits, "score": two_digits(all_digits["score"])}
    else:  # by whoever asks for the operation
        asked = limited.identify(generation, spoken)
        score = desk.details(asked)["score"]
        assert limited.details(asked)["score"] == two_digits(score) != score
    for shown, in_full in (("full", True), ("off", False)):
        assert customer.settings({"details": shown}).json["details"] == shown
        answers = [one.verify(generation, verified).json for one in (desk, limited)]
        assert [one["score"] for one in answers] == [full["score"], full["score"] if in_full else rounded["score"]]
        assert [("details" in one) for one in answers] == [in_full, in_full]
    assert customer.settings({"details": "rounded"}).status == 200


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_token_to_enroll_sees_no_more_digits_in_a_message(customer: Customer, desk: Desk, generation: str) -> None:
    rms = replace(desk, by_voice=customer.identification.enrolled(recording(STORY, "rms")))
    scope = {"operations": ["enroll"], "profileId": rms.by_voice}
    token = replace(desk.client, key=customer.primary.send("POST", "/tokens", scope).json["token"])
    for client, digits in ((desk.client, r"0\.00[1-9]"), (token, r"0\.000")):
        answer = enrolled(replace(rms, client=client), generation, recording(QUESTION, "kal16"), voice=True)
        assert re.search(f"Its score against them is {digits};", answer.json["error"]["message"])


def test_the_request_leads_to_the_audit_entry_where_decisions_are_recorded(operator: Operator, desk: Desk) -> None:
    customer = operator.customer(recordRecognitions={"days": 1})
    own = replace(desk, client=customer.primary, by_voice=customer.identification.enrolled(recording(STORY)))
    answer = own.identify("2021-09-05", recording(QUESTION))
    recorded = [entry for entry in customer.trail() if entry["action"] == "recognition.identify"]
    assert [entry["requestId"] for entry in recorded] == [answer.headers["apim-request-id"]]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_wish_that_is_not_clear_is_refused(desk: Desk, generation: str) -> None:
    for answer in (desk.verify(generation, b"", "&details=yes"), desk.identify(generation, b"", "&details=1")):
        assert answer.error[0] == 400
        assert answer.error[2].startswith("Invalid details parameter value.")
