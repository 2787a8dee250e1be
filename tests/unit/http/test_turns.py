"""Turns: what is wished for, and how it is written."""

from __future__ import annotations

import re
from dataclasses import replace

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.turns import NamedTurns, SpeakerOfTurns, Turn
from shared.http.reply import Text
from shared.http.turns import JSON, RTTM, WEB_VTT, wanted_type, write_turns
from shared.http.v2021 import V2021
from tests.unit.http.calls import ID, call

CALL = call(V2021(), "identifyTurns")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/*", JSON),
        ("image/png, text/html;q=0.5", JSON),
        ("text/vtt", WEB_VTT),
        ("Text/VTT; charset=utf-8", WEB_VTT),
        ("text/x-rttm,text/vtt", RTTM),
        ("text/x-rttm;q=0.5, text/vtt;q=0.8, */*;q=0.1", WEB_VTT),
        ("text/vtt;q=0.5, application/json", JSON),
        ("text/vtt;q=0", JSON),
        ("text/vtt;q=much", JSON),
        ("text/vtt;q=nan", JSON),
        (",;,=;q", JSON),
    ],
)
def test_the_form_is_the_one_that_is_wished_for_most(accept: str | None, wanted: str) -> None:
    assert wanted_type(accept) == wanted


def written(form: str, *turns: Turn) -> str:
    request = func.HttpRequest("POST", "http://127.0.0.1:7071/x", headers={"Accept": form}, body=b"")
    body = write_turns(replace(CALL, request=request), NamedTurns(turns, [], 60.0, 30.0)).body
    assert isinstance(body, Text)
    assert body.media_type == form
    return body.content


def test_web_vtt_has_a_cue_for_each_turn() -> None:
    turns = Turn(0.5, 59.9996, ID, 0.9, overlap=True), Turn(3_599.9996, 14_400.0, "unknown-1", None)

    assert written(WEB_VTT, *turns) == (
        f"WEBVTT\n\n00:00:00.500 --> 00:01:00.000\n<v {ID}>{ID}\n"
        "\n01:00:00.000 --> 04:00:00.000\n<v unknown-1>unknown-1\n"
    )
    assert written(WEB_VTT) == "WEBVTT\n"


def test_rttm_has_a_line_for_each_turn() -> None:
    turns = Turn(0.5, 2.25, ID, 0.9375), Turn(2.0, 3.0, "unknown-1", None, channel=2)

    assert written(RTTM, *turns) == (
        f"SPEAKER recording 1 0.500 1.750 <NA> <NA> {ID} 0.9375 <NA>\n"
        "SPEAKER recording 2 2.000 1.000 <NA> <NA> unknown-1 <NA> <NA>\n"
    )
    assert written(RTTM) == ""


@given(start=st.floats(0.0, 20_000.0), length=st.floats(0.0, 20_000.0))
def test_moments_of_web_vtt_are_well_formed_and_in_order(start: float, length: float) -> None:
    timing = written(WEB_VTT, Turn(start, start + length, "unknown-1", None)).split("\n")[2]

    first, last = timing.split(" --> ")
    assert all(re.fullmatch(r"[0-9]{2}:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}", moment) for moment in (first, last))
    assert first <= last


def test_json_has_a_channel_only_where_there_is_one() -> None:
    found = NamedTurns(
        [Turn(0.5166, 2.0, ID, 0.9375, channel=2), Turn(2.0, 3.0, "unknown-1", None)],
        [SpeakerOfTurns(ID, 1.4834, 0.9375, [(ID, 0.9375)]), SpeakerOfTurns("unknown-1", 1.0, None, [])],
        3.5,
        2.4834,
    )

    assert write_turns(CALL, found).body == {
        "turns": [
            {"start": 0.52, "end": 2.0, "speaker": ID, "score": 0.9375, "overlap": False, "channel": 2},
            {"start": 2.0, "end": 3.0, "speaker": "unknown-1", "score": None, "overlap": False},
        ],
        "speakers": [
            {"speaker": ID, "seconds": 1.48, "score": 0.9375, "ranking": [{"profileId": ID, "score": 0.9375}]},
            {"speaker": "unknown-1", "seconds": 1.0, "score": None, "ranking": []},
        ],
        "audioLengthInSec": 3.5,
        "audioSpeechLengthInSec": 2.48,
    }
