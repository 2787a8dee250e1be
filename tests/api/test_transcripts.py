"""Transcripts of other services are labelled with the speakers of turns, over HTTP."""

from __future__ import annotations

from tests.api.client import UNKNOWN, Client
from tests.api.operator import Customer
from tests.api.stored import Stored

PATH = "/transcripts:label"
TURNS = [{"start": 0.0, "end": 2.0, "speaker": UNKNOWN}, {"start": 2.0, "end": 3.0, "speaker": "unknown-1"}]
VTT = "WEBVTT\n\n00:00.000 --> 00:01.500\nGrüße\n\n00:02.000 --> 00:03.000\nAnd you?\n"


def test_web_vtt_is_answered_as_web_vtt(api: Client) -> None:
    answer = api.send("POST", PATH, {"turns": TURNS, "transcript": VTT})

    wanted = VTT.replace("Grüße", f"<v {UNKNOWN}>Grüße").replace("And", "<v unknown-1>And")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/vtt; charset=utf-8")
    assert answer.body.decode() == wanted


def test_json_is_answered_as_json_and_nothing_is_stored(customer: Customer, stored: Stored) -> None:
    before = stored.of_subscription(customer.subscription_id)
    phrase = {"offsetMilliseconds": 100, "durationMilliseconds": 900, "text": "Grüße"}
    transcript = {"phrases": [phrase], "x": 0.5}

    answer = customer.primary.send("POST", PATH, {"turns": TURNS, "transcript": transcript})

    assert answer.json == {**transcript, "phrases": [{**phrase, "speaker": UNKNOWN}]}
    assert stored.of_subscription(customer.subscription_id) == before


def test_an_unknown_form_is_refused_with_those_that_are_known(api: Client) -> None:
    status, code, message = api.send("POST", PATH, {"turns": TURNS, "transcript": {"results": []}}).error

    assert (status, code) == (400, "InvalidArgument")
    for form in ("WebVTT", "Azure batch", "Azure fast", "Whisper"):
        assert form in message
