"""Phrases of the speaker's own, in German and Chinese, over every generation of the API."""

from __future__ import annotations

import pytest

from tests.api.client import Client, Profiles, verify
from tests.api.later import TEXT_DEPENDENT, TEXT_INDEPENDENT, V2021, Generation, Speakers
from tests.api.operator import Customer
from tests.voices import CHINESE, GERMAN, OTHER_CHINESE, OTHER_GERMAN, recording

LANGUAGES = pytest.mark.parametrize(
    ("locale", "voice", "phrase", "other"),
    [("de-DE", "pico.de", GERMAN, OTHER_GERMAN), ("zh-CN", "espeak.zh", CHINESE, OTHER_CHINESE)],
)


def takes(phrase: str, voice: str) -> list[bytes]:
    return [recording(phrase, voice, pace) for pace in (0.94, 1.0, 1.06)]


@LANGUAGES
def test_a_phrase_in_any_language_enrolls_and_verifies(
    by_phrase: Speakers, locale: str, voice: str, phrase: str, other: str
) -> None:
    profile_id = by_phrase.new(locale)
    for take in takes(phrase, voice):
        answer = by_phrase.enroll(profile_id, take)
        assert (answer.status, answer.json["passPhrase"]) == (201, ""), answer.body
    refused = by_phrase.enroll(profile_id, recording(other, voice)).error
    assert refused[:2] == (400, "InvalidRequest")
    assert refused[2].startswith("Invalid passphrase. The recording does not say")
    accepted = by_phrase.verify(profile_id, recording(phrase, voice, 1.03), "&details=true").json
    assert (accepted["recognitionResult"], accepted["details"]["decidedBy"]) == ("Accept", "voice")
    rejected = by_phrase.verify(profile_id, recording(other, voice), "&details=true").json
    assert (rejected["recognitionResult"], rejected["score"]) == ("Reject", 0.0)
    assert rejected["details"]["decidedBy"] == "phrase"
    assert rejected["details"]["phrase"] == {"recognised": False, "complete": False}


def test_in_v1_a_mismatch_at_verify_is_a_reject_and_at_enroll_an_invalid_phrase(
    api: Client, verification: Profiles
) -> None:
    profile_id = verification.create("de-DE")
    for take in takes(GERMAN, "pico.de"):
        assert verification.enroll(profile_id, take).json["phrase"] == ""
    other = recording(OTHER_GERMAN, "pico.de")
    assert verification.enroll(profile_id, other).error[2].startswith("InvalidPhrase: ")
    rejected = verify(api, profile_id, other).json
    assert (rejected["result"], rejected["score"], rejected["phrase"]) == ("Reject", 0.0, "")
    assert verify(api, profile_id, recording(GERMAN, "pico.de", 1.03)).json["result"] == "Accept"


def test_phrases_list_what_there_is_by_locale(customer: Customer, generation: Generation) -> None:
    def listed(kind: str, locale: str) -> list[dict[str, str]]:
        answer = customer.primary.call("GET", generation.path(kind, f"/phrases/{locale}"))
        assert answer.status == 200, answer.body
        entries: list[dict[str, str]] = answer.json["value"] if generation is V2021 else answer.json
        return entries

    assert (len(listed(TEXT_DEPENDENT, "en-US")), listed(TEXT_DEPENDENT, "ja-JP")) == (10, [])
    assert (len(listed(TEXT_INDEPENDENT, "en-US")), listed(TEXT_INDEPENDENT, "de-DE")) == (1, [])
    own = {"passphrases": {"en-US": "any"}, "activationPhrases": {"de-DE": ["Ja, ich bin's."]}}
    assert customer.settings(own).json.items() >= own.items()
    assert listed(TEXT_DEPENDENT, "en-US") == []
    assert listed(TEXT_INDEPENDENT, "de-DE") == [{"activationPhrase": "Ja, ich bin's."}]


def test_a_list_without_a_recogniser_is_refused_by_name(customer: Customer) -> None:
    answer = customer.settings({"passphrases": {"de-DE": ["das ist mein eigener satz"]}})
    assert answer.error[:2] == (400, "InvalidArgument")
    assert answer.error[2].startswith("Invalid passphrases.de-DE parameter value. There is no recogniser")
