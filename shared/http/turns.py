"""Turns on the wire: what ``identifyTurns`` is asked, and its answer as JSON, WebVTT or RTTM."""

from __future__ import annotations

from typing import Final

from shared.domain.recording import Audio
from shared.domain.turns import MAX_SPEAKERS, NamedTurns, SpeakerOfTurns, Turn, TurnOptions
from shared.http import request
from shared.http.api import Call
from shared.http.details import score_for
from shared.http.reply import Reply, Text, seconds
from shared.http.v2 import candidates_of
from shared.services.turns import TurnsWanted

JSON: Final = "application/json"
WEB_VTT: Final = "text/vtt"
RTTM: Final = "text/x-rttm"

_SPEAKERS_RULE: Final = f"It must be a whole number from 1 to {MAX_SPEAKERS}."


def read_turns(call: Call) -> tuple[TurnsWanted, Audio]:
    """Raises what an identify's reading does."""
    return read_wanted(call), call.audio()


def read_wanted(call: Call) -> TurnsWanted:
    """Without the recording. Raises likewise."""
    candidates, options, threshold = candidates_of(call), _options(call), request.threshold(call.request)
    return TurnsWanted(call.subscription, candidates, options, threshold, same_locale=True)


def _options(call: Call) -> TurnOptions:
    least, most = (
        request.whole_number(name, call.parameter(name), _SPEAKERS_RULE, MAX_SPEAKERS)
        for name in ("minSpeakers", "maxSpeakers")
    )
    return TurnOptions(least or 1, most or MAX_SPEAKERS, call.flag("exclusive"))


def write_turns(call: Call, found: NamedTurns) -> Reply:
    """As ``Accept`` wishes; what is wished for and not known is answered with JSON."""
    wanted = wanted_type(call.request.headers.get("Accept"))
    if wanted == WEB_VTT:
        return Reply(200, Text(_web_vtt(found), WEB_VTT))
    if wanted == RTTM:
        return Reply(200, Text(_rttm(call, found), RTTM))
    return Reply(200, turns_body(call, found))


def turns_body(call: Call, found: NamedTurns) -> dict[str, object]:
    return {
        "turns": [_turn(call, turn) for turn in found.turns],
        "speakers": [_speaker(call, speaker) for speaker in found.speakers],
        "audioLengthInSec": seconds(found.audio_seconds),
        "audioSpeechLengthInSec": seconds(found.speech_seconds),
    }


def wanted_type(accept: str | None) -> str:
    """The one of the three that is wished for most; of equals the first. ``JSON`` where none is named."""
    wishes = [(_weight(parameters), name.strip()) for name, *parameters in _parts(accept or "")]
    known = [(weight, JSON if name.endswith("/*") else name) for weight, name in wishes if weight > 0.0]
    best = max((wish for wish in known if wish[1] in (JSON, WEB_VTT, RTTM)), key=lambda wish: wish[0], default=None)
    return best[1] if best else JSON


def _parts(accept: str) -> list[list[str]]:
    return [part.lower().split(";") for part in accept.split(",")]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _turn(call: Call, turn: Turn) -> dict[str, object]:
    return {
        "start": seconds(turn.start),
        "end": seconds(turn.end),
        "speaker": turn.speaker,
        "score": _score(call, turn.score),
        "overlap": turn.overlap,
        **({} if turn.channel is None else {"channel": turn.channel}),
    }


def _speaker(call: Call, speaker: SpeakerOfTurns) -> dict[str, object]:
    ranking = [{"profileId": profile_id, "score": _score(call, score)} for profile_id, score in speaker.ranking]
    return {
        "speaker": speaker.speaker,
        "seconds": seconds(speaker.seconds),
        "score": _score(call, speaker.score),
        "ranking": ranking,
    }


def _score(call: Call, score: float | None) -> float | None:
    return None if score is None else score_for(call, score)


def _web_vtt(found: NamedTurns) -> str:
    """A cue for each turn. The speaker is its text, too: players do not show the voice."""
    cues = [
        f"\n{_moment(turn.start)} --> {_moment(turn.end)}\n<v {turn.speaker}>{turn.speaker}\n" for turn in found.turns
    ]
    return "WEBVTT\n" + "".join(cues)


def _moment(at: float) -> str:
    minutes, milliseconds = divmod(round(at * 1000.0), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds / 1000.0:06.3f}"


def _rttm(call: Call, found: NamedTurns) -> str:
    """NIST's Rich Transcription Time Marked (2009): type, file, channel, start, duration, orthography, subtype, name,
    confidence, lookahead."""
    lines = []
    for turn in found.turns:
        score = _score(call, turn.score)
        where = f"recording {turn.channel or 1} {turn.start:.3f} {turn.end - turn.start:.3f}"
        confidence = "<NA>" if score is None else f"{score:g}"
        lines.append(f"SPEAKER {where} <NA> <NA> {turn.speaker} {confidence} <NA>\n")
    return "".join(lines)
