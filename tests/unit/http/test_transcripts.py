"""Transcripts: each form is read, labelled and written as it came, or refused by the place that is wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.errors import BodyNotUnderstood, BodyTooLarge, RequestInvalid, TimbreError
from shared.domain.labels import speakers_of
from shared.http.api import Call
from shared.http.reply import Text
from shared.http.transcripts import FORMS, WebVtt, read_labelling
from shared.http.v2021 import Extension
from tests.unit.http.calls import ID, call

CALL = call(Extension(), "label")
TURNS = [
    {"start": 0.5, "end": 2.0, "speaker": ID, "score": 0.9, "overlap": False},
    {"start": 2.0, "end": 4.0, "speaker": "unknown-1", "score": None, "overlap": False},
]
VTT = """WEBVTT - a call

NOTE said by nobody

1
00:00.500 --> 00:02.000 align:left
Hello, <b>this</b> is me.

00:00:02.100 --> 00:00:03.000
<v Guest>And I</v>
answer.

00:10:00.000 --> 00:10:01.000
Later.
"""
BATCH = {
    "source": "https://example",
    "recognizedPhrases": [
        {"channel": 0, "offsetInTicks": 5_000_000.0, "durationInTicks": 15_000_000.0, "speaker": 1, "nBest": [{}]},
        {"channel": 1, "offset": "PT2S", "offsetInTicks": 20_000_000, "durationInTicks": 10_000_000},
        {"offsetInTicks": 6_000_000_000, "durationInTicks": 10_000_000},
    ],
}
FAST = {
    "combinedPhrases": [{"text": "Grüße"}],
    "phrases": [
        {"offsetMilliseconds": 500, "durationMilliseconds": 1_500, "text": "Grüße", "confidence": 0.25},
        {"offsetMilliseconds": 2_100, "durationMilliseconds": 900},
        {"offsetMilliseconds": 600_000, "durationMilliseconds": 0},
    ],
}
WHISPER = {
    "task": "transcribe",
    "segments": [{"id": 0, "start": 0.5, "end": 2.0}, {"start": 2.1, "end": 3}, {"start": 600.0, "end": 601.0}],
}


def sent(body: bytes) -> Call:
    return replace(CALL, request=func.HttpRequest("POST", "http://127.0.0.1:7071/x", body=body))


def labelled(transcript: object, turns: object = TURNS) -> Text:
    received, read = read_labelling(sent(json.dumps({"turns": turns, "transcript": transcript}).encode()))
    return read.labelled(speakers_of(read.phrases, received))


def refused(transcript: object, turns: object = TURNS) -> str:
    with pytest.raises(RequestInvalid) as refusal:
        labelled(transcript, turns)
    return str(refusal.value)


def test_web_vtt_gets_voices_and_keeps_all_else() -> None:
    answer = labelled(VTT)

    wanted = VTT.replace("Hello", f"<v {ID}>Hello").replace("<v Guest>And I</v>", "<v unknown-1>And I")
    assert (answer.media_type, answer.content) == ("text/vtt", wanted)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_web_vtt_has_lines_of_any_end_and_a_mark_of_its_bytes(end: str) -> None:
    assert labelled("\ufeff" + VTT.replace("\n", end)).content == labelled(VTT).content


def test_web_vtt_without_words_has_nobody_to_name() -> None:
    for text in (
        "WEBVTT",
        "WEBVTT\n\nNOTE x\n",
        "WEBVTT\n\n00:01.000 --> 00:01.500",
        "WEBVTT\n\n00:01.000 --> 00:01.500\n\n",
    ):
        assert labelled(text).content == text


def test_cues_may_follow_each_other_without_a_line_between_and_in_any_order() -> None:
    answer = labelled("WEBVTT\n\n00:03.000 --> 00:04.000\nTwo.\n00:01.000 --> 00:02.000\nOne.")

    assert (
        answer.content == f"WEBVTT\n\n00:03.000 --> 00:04.000\n<v unknown-1>Two.\n00:01.000 --> 00:02.000\n<v {ID}>One."
    )


@pytest.mark.parametrize(
    ("transcript", "name"), [(BATCH, "recognizedPhrases"), (FAST, "phrases"), (WHISPER, "segments")]
)
def test_json_gets_a_speaker_in_each_phrase_and_keeps_all_else(transcript: dict[str, Any], name: str) -> None:
    answer = labelled(transcript)

    entries = zip(transcript[name], (ID, "unknown-1", None), strict=True)
    assert answer.media_type == "application/json"
    assert json.loads(answer.content) == {**transcript, name: [{**entry, "speaker": who} for entry, who in entries]}


def test_a_channel_of_azures_is_that_of_the_turns() -> None:
    turns = [{"start": 0, "end": 9, "speaker": f"unknown-{channel}", "channel": channel} for channel in (1, 2)]

    phrases = json.loads(labelled(BATCH, turns).content)["recognizedPhrases"]
    assert [phrase["speaker"] for phrase in phrases] == ["unknown-1", "unknown-2", None]


@pytest.mark.parametrize(
    "transcript", [{}, {"results": []}, [], 7, "", "WEBVTTX", "1\n00:00:01,000 --> 00:00:02,000\nSubRip", True]
)
def test_an_unknown_form_is_refused_with_those_that_are_known(transcript: object) -> None:
    assert FORMS in refused(transcript)


@pytest.mark.parametrize(
    ("turn", "place"),
    [
        (3, "turns[1]"),
        ({"end": 2, "speaker": ID}, "turns[1].start"),
        ({"start": -0.1, "end": 2, "speaker": ID}, "turns[1].start"),
        ({"start": 0, "end": 400_000, "speaker": ID}, "turns[1].end"),
        ({"start": 0, "end": 10**400, "speaker": ID}, "turns[1].end"),
        ({"start": 3, "end": 2, "speaker": ID}, "turns[1].end"),
        ({"start": 0, "end": 2, "speaker": "Alice"}, "turns[1].speaker"),
        ({"start": 0, "end": 2, "speaker": f"{ID}>"}, "turns[1].speaker"),
        ({"start": 0, "end": 2, "speaker": ID, "channel": 0}, "turns[1].channel"),
        ({"start": 0, "end": 2, "speaker": ID, "channel": 1.5}, "turns[1].channel"),
    ],
)
def test_a_bad_turn_is_named(turn: object, place: str) -> None:
    assert f"Invalid {place} parameter value." in refused(WHISPER, [TURNS[0], turn])


@pytest.mark.parametrize(
    ("transcript", "place"),
    [
        ({"segments": {}}, "transcript.segments"),
        ({"segments": [7]}, "transcript.segments[0]"),
        ({"segments": [{"start": 1.0}]}, "transcript.segments[0].end"),
        ({"segments": [{"start": 1.0, "end": 0.5}]}, "transcript.segments[0].end"),
        ({"phrases": [{"offsetMilliseconds": "1", "durationMilliseconds": 1}]}, "transcript.phrases[0].offsetMilli"),
        ({"recognizedPhrases": [{"offsetInTicks": 1, "durationInTicks": 1, "channel": 8}]}, "Phrases[0].channel"),
    ],
)
def test_a_bad_phrase_is_named(transcript: object, place: str) -> None:
    assert place in refused(transcript)


@pytest.mark.parametrize(
    "timing",
    ["00:01.000 -->", "--> 00:01.000", "I said --> secret", "00:01,000 --> 00:02,000", "00:02.000 --> 00:01.000",
     "9999:00:01.000 --> 9999:00:02.000", "00:61.000 --> 00:62.000", "00:01.000 --> 00:02.000secret"],
)  # fmt: skip
def test_half_a_cue_is_refused_by_its_line_and_not_repeated(timing: str) -> None:
    sentence = refused(f"WEBVTT\n\n{timing}\nWords.")

    assert sentence.startswith("Line 3 of the WebVTT transcript ")
    assert "secret" not in sentence


@pytest.mark.parametrize("body", [
    b'{"turns":[],"transcript":NaN}', b'{"turns":[],"transcript":{"segments":[],"x":1e999}}',
    b'{"turns":[],"transcript":{"segments":[],"x":-Infinity}}', b'{"turns":[],"transcript":' + b"[" * 200_000,
    b'{"turns":[],"transcript":{"segments":[],"x":' + b"9" * 5_000 + b"}}", b"[]", b"\xff", b'{"turns":[],}', b"{",
])  # fmt: skip
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BodyNotUnderstood, match=r"^Invalid JSON format\."):
        read_labelling(sent(body))


@pytest.mark.parametrize(("body", "name"), [(b"{}", "turns"), (b'{"turns":[]}', "transcript"), (b'{"a":1}', '"a"')])
def test_what_is_missing_or_unknown_is_named(body: bytes, name: str) -> None:
    with pytest.raises(RequestInvalid, match=name):
        read_labelling(sent(body))


def test_too_much_of_anything_is_refused() -> None:
    with pytest.raises(BodyTooLarge):
        read_labelling(sent(b" " * (4 * 1024 * 1024 + 1)))
    assert "160 speakers" in refused(WHISPER, [{**TURNS[0], "speaker": f"unknown-{n}"} for n in range(1, 162)])
    assert "50,000 entries" in refused({"segments": [0] * 50_001})
    assert "50,000 entries" in refused("WEBVTT\n\n" + "00:00.000 --> 00:00.000\n" * 50_001)


@given(text=st.text(st.sampled_from("<v> \n\r-:.0159ab/"), max_size=60))
def test_any_text_is_labelled_or_refused(text: str) -> None:
    try:
        transcript = WebVtt.read("WEBVTT\n" + text)
    except TimbreError:
        return
    unlabelled = transcript.labelled([None] * len(transcript.phrases)).content
    assert WebVtt.read(unlabelled).phrases == transcript.phrases


@pytest.mark.parametrize(
    "words",
    ["<v.loud Bob>x</v>", "<v>x", "<v A><v B>x</v></v>", "<v\nBob>x", "x</v>", "<v <v A>x", "<v <b>x", "x<v Bob"],
)
def test_no_other_voice_stays_in_a_cue(words: str) -> None:
    timing = "WEBVTT\n\n00:00.000 --> 00:01.000\n"

    assert labelled(f"{timing}{words}\n", [{"start": 0, "end": 1, "speaker": ID}]).content == f"{timing}<v {ID}>x\n"


@example("<v<v")
@given(
    words=st.lists(st.sampled_from(["<", "v", " ", "Bob", ">", "/", "b", ".c", "\n", "x"]), max_size=12).map("".join)
)
def test_a_reader_finds_no_voice_but_the_speakers(words: str) -> None:
    transcript = WebVtt.read(f"WEBVTT\n\n00:00.000 --> 00:01.000\n{words}")
    cue = transcript.labelled([ID]).content.partition(":01.000")[2].partition("\n\n")[0]

    tags = [tag for tag in re.findall(r"<([^>]*)", cue) if re.fullmatch(r"v(?:[.\s].*)?", tag, re.DOTALL)]
    assert set(tags) <= {f"v {ID}"}
