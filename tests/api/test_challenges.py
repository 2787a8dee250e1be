"""Challenges over the API: drawn, said, spent; and what was recorded before is of no use."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from shared.domain.token import TokenOperation
from tests.api.client import GUID, PREFIX, UNKNOWN, Answer, Client
from tests.api.later import TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Speakers
from tests.api.log import check_secrets
from tests.api.operator import Customer, Operator
from tests.service import RunningService
from tests.voices import PASSPORT, STORY, flite, joined, lower, recording, takes, wav_bytes

UNUSABLE = "The challenge is unknown, expired, used or another profile's. Ask for a new one."
DIGIT = "(zero|one|two|three|four|five|six|seven|eight|nine)"


class Door:
    """A subscription with one speaker, enrolled by phrase and by voice."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.by_phrase = Speakers(customer.primary, V2021, TEXT_DEPENDENT)
        self.by_voice = Speakers(customer.primary, V2021, TEXT_INDEPENDENT)
        self.speaker = self.by_voice.enrolled(recording(STORY))
        self.bound = self.by_phrase.enrolled(*takes(PASSPORT))

    def draw(self, profile_id: str = "", body: object = None, client: Client | None = None) -> Answer:
        kind = TEXT_DEPENDENT if profile_id == self.bound else TEXT_INDEPENDENT
        path = f"/profiles/{kind}/{profile_id or self.speaker}/challenges"
        return (client or self.customer.primary).send("POST", path, body)

    def drawn(self, profile_id: str = "", body: object = None) -> Any:
        answer = self.draw(profile_id, body)
        assert answer.status == 201, answer.body
        return answer.json

    def answer(self, challenge: Any, audio: bytes, query: str = "&details=true") -> Answer:
        return self.by_voice.verify(self.speaker, audio, f"&challenge={challenge['challengeId']}{query}")


@pytest.fixture(scope="module")
def door(operator: Operator) -> Door:
    """Its settings are not to be changed."""
    return Door(operator.customer(requestsPerSecond=10_000))


def said(challenge: Any) -> bytes:
    return wav_bytes(joined(challenge["text"]))


def test_what_is_answered(door: Door) -> None:
    before = datetime.now(UTC)
    for profile_id, body, count in ((door.speaker, None, 6), (door.bound, {"digits": 10}, 10)):
        answer = door.draw(profile_id, body)
        assert (answer.status, answer.headers["cache-control"]) == (201, "no-store")
        assert re.fullmatch(f"{DIGIT}( {DIGIT}){{{count - 1}}}", answer.json["text"])
        assert (answer.json["profileId"], answer.json["locale"]) == (profile_id, "en-US")
        assert GUID.fullmatch(answer.json["challengeId"])
        ends = datetime.fromisoformat(answer.json["expiresDateTime"]) - before
        assert timedelta(seconds=119) <= ends <= timedelta(seconds=130)


def test_who_says_the_digits_is_accepted_and_the_challenge_spent(door: Door) -> None:
    """In less speech than a verify asks for."""
    challenge = door.drawn()
    spoken = wav_bytes(joined(challenge["text"], gap_seconds=0.05))
    answer = door.answer(challenge, spoken)
    assert (answer.json["recognitionResult"], answer.json["details"]["decidedBy"]) == ("Accept", "voice")
    assert answer.json["details"]["speechSeconds"] < 4
    assert door.by_voice.verify(door.speaker, spoken, "").status == 400, "without a challenge it is too short"
    assert door.answer(challenge, spoken).error == (400, "InvalidArgument", UNUSABLE)


def test_another_voice_is_rejected_with_the_right_digits(door: Door) -> None:
    challenge = door.drawn()
    answer = door.answer(challenge, wav_bytes(lower(joined(challenge["text"]))))
    assert (answer.json["recognitionResult"], answer.json["details"]["decidedBy"]) == ("Reject", "voice")


def test_a_recording_of_an_earlier_challenge_does_not_answer_a_later_one(door: Door) -> None:
    first = door.drawn()
    recorded = said(first)
    assert door.answer(first, recorded).json["recognitionResult"] == "Accept"
    for _ in range(3):
        later = door.drawn()
        answer = door.answer(later, recorded)
        assert (answer.json["recognitionResult"], answer.json["score"]) == ("Reject", 0.0)
        details = answer.json["details"]
        assert (details["decidedBy"], details["phrase"]) == ("challenge", None)
        assert [advice["code"] for advice in details["advice"]] == ["challengeDigits"]
        assert door.answer(later, said(later)).error[2] == UNUSABLE, "a reject spends it too"


def test_the_digits_take_the_place_of_the_phrase(door: Door) -> None:
    for _ in range(2):
        challenge = door.drawn(door.bound)
        query = f"&challenge={challenge['challengeId']}"
        rejected = door.by_phrase.verify(door.bound, recording(PASSPORT), query)
        assert (rejected.json["recognitionResult"], rejected.json["score"]) == ("Reject", 0.0)
    earlier = Speakers(door.customer.primary, V2, TEXT_DEPENDENT)
    challenge = door.drawn(door.bound)
    query = f"&challenge={challenge['challengeId'].upper()}&details=true"
    accepted = earlier.verify(door.bound, said(challenge), query)
    assert accepted.json["recognitionResult"] == "Accept", accepted.body
    path = f"{PREFIX}/verify?verificationProfileId={door.bound}&challenge="
    for phrase, result in ((None, "Accept"), (PASSPORT, "Reject")):
        challenge = door.drawn(door.bound)
        audio = recording(phrase) if phrase else said(challenge)
        answer = door.customer.primary.call("POST", path + challenge["challengeId"], audio)
        assert (answer.status, answer.json["result"], answer.json["phrase"]) == (200, result, "")


def test_a_refused_recording_leaves_it(door: Door) -> None:
    challenge = door.drawn()
    assert door.answer(challenge, said(challenge)[:8_000]).status == 400
    assert door.answer(challenge, b"no recording").status == 400
    long = door.answer(challenge, wav_bytes(np.tile(flite(STORY), 2)), "")
    assert long.status == 400
    assert "20 seconds" in long.error[2]
    assert door.answer(challenge, said(challenge)).json["recognitionResult"] == "Accept"


def test_unknown_used_and_foreign_are_one_answer(door: Door, operator: Operator) -> None:
    stranger = Door(operator.customer())
    foreign, of_bound = stranger.drawn(), door.drawn(door.bound)
    for challenge_id in (UNKNOWN, "no id", "", foreign["challengeId"], of_bound["challengeId"]):
        answer = door.answer({"challengeId": challenge_id.replace(" ", "%20")}, recording(STORY))
        assert answer.error == (400, "InvalidArgument", UNUSABLE)
    assert stranger.answer(foreign, said(foreign)).json["recognitionResult"] == "Accept"


def test_of_two_answers_at_once_one_counts(door: Door) -> None:
    challenge = door.drawn()
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: door.answer(challenge, said(challenge)), range(2)))
    assert sorted(answer.status for answer in answers) == [200, 400]


def test_five_are_open_and_no_more(operator: Operator) -> None:
    door = Door(operator.customer())
    drawn = [door.drawn() for _ in range(5)]
    refused = door.draw()
    assert refused.error[:2] == (429, "RateLimit")
    assert 100 <= int(refused.headers["retry-after"]) <= 120
    door.answer(drawn[0], said(drawn[0]))
    door.drawn()
    door.drawn(door.bound)


@pytest.mark.parametrize(
    ("body", "named"),
    [({"digits": count}, "digits") for count in (5, 11, 6.0, True, "6", None)]
    + [({"words": 6}, "words"), (b"[]", "JSON"), (b"{", "JSON")],
)
def test_what_cannot_be_asked_for_is_named(door: Door, body: object, named: str) -> None:
    status, code, message = door.draw(body=body).error
    assert (status, code[:7]) == (400, "Invalid")
    assert named in message


def test_whom_none_is_drawn_for(door: Door) -> None:
    german = door.by_voice.enrolled(recording(STORY), locale="de-de")
    status, code, message = door.draw(german).error
    assert (status, code) == (400, "InvalidArgument")
    assert "en-US" in message
    assert "de-de" in message.lower()
    assert door.draw(door.by_voice.new()).error[:2] == (400, "InvalidRequest")
    assert door.draw(UNKNOWN).status == 404
    identified = door.customer.identification.enrolled(recording(STORY))
    path = f"/profiles/identification/text-independent/{identified}/challenges"
    assert door.customer.unchecked.send("POST", path).error[:2] == (404, "NotFound")


def test_a_subscription_that_asks_for_one_takes_no_verify_without(operator: Operator) -> None:
    door = Door(operator.customer())
    assert door.customer.settings({"requireChallenge": True}).status == 200
    status, code, message = door.by_voice.verify(door.speaker, recording(STORY)).error
    assert (status, code) == (400, "InvalidRequest")
    assert "challenge" in message
    challenge = door.drawn()
    assert door.answer(challenge, said(challenge)).json["recognitionResult"] == "Accept"


def test_a_token_for_one_use_draws_and_verifies(door: Door) -> None:
    asked = {"operations": ["challenge", "verify"], "profileId": door.speaker, "uses": 1}
    token = door.customer.primary.send("POST", "/tokens", asked).json["token"]
    client = Client(door.customer.primary.url, token)
    assert door.draw(door.bound, client=client).status == 403, "another profile"
    challenge = door.draw(client=client).json
    path = f"/speaker-recognition/{TEXT_INDEPENDENT}/profiles/{door.speaker}:verify?challenge="
    path += challenge["challengeId"]
    audio = said(challenge)
    assert client.call("POST", path, audio[:8_000]).status == 400
    assert client.call("POST", path, audio).json["recognitionResult"] == "Accept"
    assert client.call("POST", path, audio).status == 401
    alone = {"operations": [TokenOperation.CHALLENGE], "uses": 1}
    client = Client(door.customer.primary.url, door.customer.primary.send("POST", "/tokens", alone).json["token"])
    assert [door.draw(client=client).status for _ in range(2)] == [201, 401]


def test_neither_trail_nor_log_knows_the_digits(operator: Operator, service: RunningService) -> None:
    customer = operator.customer(recordRecognitions={"days": 1})
    door = Door(customer)
    challenge = door.drawn()
    assert door.answer(challenge, said(challenge)).json["recognitionResult"] == "Accept"
    assert challenge["text"] not in str(customer.audit())
    check_secrets(service.log.read_text(encoding="utf-8"), service, [challenge["text"]])
