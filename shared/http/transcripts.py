"""Transcripts of the common speech-to-text services on the wire: ``POST /transcripts:label``.

Each form is read as far as the times of its phrases, and written as it came with the speaker of each. A refusal names
the place, and never repeats what was said there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from shared.domain.errors import BodyNotUnderstood, ParameterInvalid, ParameterMissing
from shared.domain.json_values import json_object, kind_of, known_fields, number, within
from shared.domain.labels import TICKS_PER_SECOND, Span, SpokenSpan
from shared.domain.limits import (
    MAX_CHANNELS,
    MAX_TRANSCRIPT_BYTES,
    MAX_TRANSCRIPT_PHRASES,
    MAX_TRANSCRIPT_SECONDS,
    MAX_TRANSCRIPT_SPEAKERS,
    MAX_TRANSCRIPT_TURNS,
)
from shared.http import request
from shared.http.api import Call
from shared.http.reply import Text, written

FORMS: Final = (
    "It must be WebVTT as a text, or the JSON of Azure batch transcription (recognizedPhrases with offsetInTicks), "
    "Azure fast transcription (phrases with offsetMilliseconds) or Whisper (verbose, segments with start)."
)
_SPEAKER: Final = re.compile(rf"{request.PROFILE_ID.pattern}|unknown-[1-9][0-9]{{0,3}}")
_SPEAKER_RULE: Final = "It must be the id of a profile, or unknown-1 and so on."
_TIMING_LINE: Final = re.compile(r"^.*-->.*$", re.MULTILINE)
_MOMENT: Final = r"(?:([0-9]{2,9}):)?([0-5][0-9]):([0-5][0-9])\.([0-9]{3})"
_TIMING: Final = re.compile(rf"[ \t]*{_MOMENT}[ \t]*-->[ \t]*{_MOMENT}(?:[ \t].*)?")
_TAG: Final = re.compile(r"<(?:v(?:[.\s][^>]*?)??(?:>|(?=\n*\Z))|/v>)|(<[^>]*>?)")
"""Every tag as the standard reads it, up to the next ``>`` or the end; a group holds it unless it is a voice."""


class Transcript(Protocol):
    @property
    def phrases(self) -> Sequence[Span]: ...

    def labelled(self, speakers: Sequence[str | None]) -> Text:
        """With the speaker of each phrase."""


def read_labelling(call: Call) -> tuple[list[SpokenSpan], Transcript]:
    """Raises ``BodyMissing``, ``BodyTooLarge``, ``BodyNotUnderstood``, ``FieldUnknown``, ``ParameterMissing``,
    ``ParameterInvalid``."""
    received = known_fields(_json(request.body(call.request, MAX_TRANSCRIPT_BYTES)), ("turns", "transcript"))
    for name, rule in (("turns", "It is that of an answer of identifyTurns."), ("transcript", FORMS)):
        if received.get(name) is None:
            raise ParameterMissing(name, rule)
    turns = [_turn(f"turns[{at}]", turn) for at, turn in _listed("turns", received["turns"], MAX_TRANSCRIPT_TURNS)]
    if (speakers := len({turn.speaker for turn in turns})) > MAX_TRANSCRIPT_SPEAKERS:
        raise ParameterInvalid("turns", f"{speakers} speakers", f"It may have {MAX_TRANSCRIPT_SPEAKERS} speakers.")
    return turns, _transcript(received["transcript"])


@dataclass(frozen=True)
class WebVtt:
    """``places`` are where the words of each cue begin and end in ``text``."""

    text: str = field(repr=False)
    phrases: Sequence[Span]
    places: Sequence[tuple[int, int]] = field(repr=False)

    @classmethod
    def read(cls, received: str) -> WebVtt:
        """Lines end as the standard reads them, and are written with a line feed."""
        text = received.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        if not re.match(r"WEBVTT(?:[ \t\n]|\Z)", text):
            raise ParameterInvalid("transcript", "a text that does not begin with WEBVTT", FORMS)
        lines = list(_TIMING_LINE.finditer(text))
        _require_at_most("transcript", len(lines), MAX_TRANSCRIPT_PHRASES)
        places = []
        ends = [*(following.start() for following in lines[1:]), len(text)]
        for line, end in zip(lines, ends, strict=False):  # without a cue there is an end too many
            blank = text.find("\n\n", line.end(), end)
            places.append((line.end() + 1, max(line.end() + 1, end if blank < 0 else blank)))
        return cls(text, [_cue(text, line) for line in lines], places)

    def labelled(self, speakers: Sequence[str | None]) -> Text:
        """A voice that a cue had goes."""
        pieces, written_to = [], 0
        for (start, end), speaker in zip(self.places, speakers, strict=True):
            words = _TAG.sub(r"\1", self.text[start:end])
            voice = f"<v {speaker}>" if speaker and words.strip() else ""
            pieces += [self.text[written_to:start], voice, words]
            written_to = end
        return Text("".join([*pieces, self.text[written_to:]]), "text/vtt")


@dataclass(frozen=True)
class _Form:
    """Where the phrases of a JSON form stand, and what their times are called and counted in.

    ``until``: the second of the two is a moment, not a length.
    """

    phrases: str
    start: str
    length: str
    ticks: int
    until: bool = False


_JSON_FORMS: Final = (
    _Form("recognizedPhrases", "offsetInTicks", "durationInTicks", 1),
    _Form("phrases", "offsetMilliseconds", "durationMilliseconds", TICKS_PER_SECOND // 1000),
    _Form("segments", "start", "end", TICKS_PER_SECOND, until=True),
)


@dataclass(frozen=True)
class PhraseList:
    """A transcript in JSON, all of whose other fields are passed on as they are."""

    name: str
    document: Mapping[str, object] = field(repr=False)
    entries: Sequence[Mapping[str, object]] = field(repr=False)
    phrases: Sequence[Span]

    @classmethod
    def read(cls, document: Mapping[str, object], form: _Form) -> PhraseList:
        name = f"transcript.{form.phrases}"
        listed = _listed(name, document[form.phrases], MAX_TRANSCRIPT_PHRASES)
        entries = [json_object(f"{name}[{at}]", entry) for at, entry in listed]
        phrases = [_phrase(f"{name}[{at}].", entry, form) for at, entry in enumerate(entries)]
        return cls(form.phrases, document, entries, phrases)

    def labelled(self, speakers: Sequence[str | None]) -> Text:
        entries = [{**entry, "speaker": speaker} for entry, speaker in zip(self.entries, speakers, strict=True)]
        with _shallow():
            return Text(written({**self.document, self.name: entries}), "application/json")


def _json(content: bytes) -> Mapping[str, object]:
    """Strict: what is passed on has to be JSON, too. Raises ``BodyNotUnderstood``."""
    try:
        with _shallow():
            value = json.loads(content.decode("utf-8-sig"), parse_float=_finite, parse_constant=_finite)
    except json.JSONDecodeError as error:
        raise BodyNotUnderstood(f"Invalid JSON format. {error.msg}: line {error.lineno}, {error.colno}.") from None
    except ValueError:
        raise BodyNotUnderstood("Invalid JSON format. It is not UTF-8, or a number is none or huge.") from None
    if not isinstance(value, dict):
        raise BodyNotUnderstood("Invalid JSON format. It must be an object.")
    return value


def _finite(literal: str) -> float:
    if not math.isfinite(value := float(literal)):
        raise ValueError
    return value


@contextmanager
def _shallow() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise BodyNotUnderstood("Invalid JSON format. It is nested too deeply.") from None


def _transcript(received: object) -> Transcript:
    if isinstance(received, str):
        return WebVtt.read(received)
    if isinstance(received, dict):
        for form in _JSON_FORMS:
            if form.phrases in received:
                return PhraseList.read(received, form)
    raise ParameterInvalid("transcript", kind_of(received), FORMS)


def _turn(name: str, received: object) -> SpokenSpan:
    turn = json_object(name, received)
    start, end = (_ticks(f"{name}.{field}", turn.get(field), TICKS_PER_SECOND) for field in ("start", "end"))
    _require_order(f"{name}.end", start, end)
    speaker, channel = turn.get("speaker"), turn.get("channel")
    if not isinstance(speaker, str) or not _SPEAKER.fullmatch(speaker):
        raise ParameterInvalid(f"{name}.speaker", kind_of(speaker), _SPEAKER_RULE)
    return SpokenSpan(speaker, Span(start, end, _channel(f"{name}.channel", channel, 1)))


def _phrase(prefix: str, entry: Mapping[str, object], form: _Form) -> Span:
    start = _ticks(prefix + form.start, entry.get(form.start), form.ticks)
    second = _ticks(prefix + form.length, entry.get(form.length), form.ticks)
    if form.until:
        _require_order(prefix + form.length, start, second)
        return Span(start, second)
    channel = _channel(f"{prefix}channel", entry.get("channel"), 0)  # Azure counts from 0
    return Span(start, start + second, channel)


def _cue(text: str, line: re.Match[str]) -> Span:
    timing = _TIMING.fullmatch(line.group())
    if not timing:
        raise _bad_line(text, line, "is no timing of a cue, such as 00:00:01.000 --> 00:00:02.500")
    parts = timing.groups(default="0")
    start, end = _moment(*parts[:4]), _moment(*parts[4:])
    if not start <= end <= MAX_TRANSCRIPT_SECONDS * TICKS_PER_SECOND:
        raise _bad_line(text, line, f"ends before it begins, or after {MAX_TRANSCRIPT_SECONDS:,.0f} seconds")
    return Span(start, end)


def _bad_line(text: str, line: re.Match[str], what: str) -> BodyNotUnderstood:
    number = text.count("\n", 0, line.start()) + 1
    return BodyNotUnderstood(f"Line {number:,} of the WebVTT transcript {what}.")


def _moment(hours: str, minutes: str, seconds: str, milliseconds: str) -> int:
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return (whole * 1000 + int(milliseconds)) * (TICKS_PER_SECOND // 1000)


def _ticks(name: str, value: object, unit: int) -> int:
    return round(within(name, value, 0.0, MAX_TRANSCRIPT_SECONDS * TICKS_PER_SECOND / unit) * unit)


def _require_order(name: str, start: int, end: int) -> None:
    if end < start:
        raise ParameterInvalid(name, "an earlier moment", "It must not be before start.")


def _channel(name: str, value: object, first: int) -> int | None:
    """From 1; ``first`` is the number that the value's own count begins with."""
    if value is None:
        return None
    rule = f"It must be a whole number from {first} to {first + MAX_CHANNELS - 1}."
    read = number(name, value, rule, lambda one: first <= one < first + MAX_CHANNELS and one == int(one))
    return int(read) - first + 1


def _listed(name: str, value: object, most: int) -> list[tuple[int, object]]:
    """Each with its place, from 0."""
    if not isinstance(value, list):
        raise ParameterInvalid(name, kind_of(value), "It must be a list.")
    _require_at_most(name, len(value), most)
    return list(enumerate(value))


def _require_at_most(name: str, count: int, most: int) -> None:
    if count > most:
        raise ParameterInvalid(name, f"{count:,}", f"It may have {most:,} entries.")
