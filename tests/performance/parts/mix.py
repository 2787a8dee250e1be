"""Requests as different callers would mix them: all generations, whole lives of profiles, and mistakes."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import soundfile

from tests.api.later import IDENTIFICATION, TEXT_DEPENDENT, TEXT_INDEPENDENT, V2, V2021, Generation
from tests.performance.client import JSON, WAV, Answer, Enrolled, operation_path
from tests.performance.recordings import Material
from tests.speech.make import RATE
from tests.voices import wav_bytes

_LOCALE = b'{"locale":"en-us"}'
_UNKNOWN = "11111111-2222-3333-4444-555555555555"
_LENIENT = "&ignoreMinLength=true"


class Send(Protocol):
    """Raises ``Unexpected`` when the answer has another status than expected."""

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        expected: Collection[int],
        content_type: str = WAV,
    ) -> Answer: ...


@dataclass(frozen=True)
class Cast:
    """Who is enrolled all the time, and what is said. ``telephone`` is 8 kHz mu-law."""

    enrolled: Enrolled
    spoken: Material = field(repr=False)
    telephone: bytes = field(repr=False)
    silence: bytes = field(repr=False)

    @classmethod
    def of(cls, enrolled: Enrolled, spoken: Material) -> Cast:
        samples, _ = soundfile.read(io.BytesIO(spoken.speech[10]), dtype="float32")
        file = io.BytesIO()
        soundfile.write(file, samples[::2], RATE // 2, format="WAV", subtype="ULAW")
        return cls(enrolled, spoken, file.getvalue(), wav_bytes(np.zeros(4 * RATE, np.float32)))


Story = Callable[[Send, Cast, random.Random], None]


def v1_identification(send: Send, cast: Cast, dice: random.Random) -> None:
    created = send(
        "POST", "/spid/v1.0/identificationProfiles", _LOCALE, expected=(200,), content_type="application/json"
    )
    path = f"/spid/v1.0/identificationProfiles/{json.loads(created.body)['identificationProfileId']}"
    accepted = send("POST", f"{path}/enroll?shortAudio=true", dice.choice(cast.spoken.speakers), expected=(202,))
    send("GET", operation_path(accepted), expected=(200,))
    candidates = ",".join(cast.enrolled.candidates)
    query = f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={candidates}"
    said = dice.choice([*cast.spoken.speech.values(), cast.telephone])
    accepted = send("POST", query, said, expected=(202,))
    send("GET", operation_path(accepted), expected=(200,))
    send("GET", path, expected=(200,))
    send("DELETE", path, expected=(200,))


def v1_verification(send: Send, cast: Cast, dice: random.Random) -> None:
    created = send("POST", "/spid/v1.0/verificationProfiles", _LOCALE, expected=(200,), content_type=JSON)
    path = f"/spid/v1.0/verificationProfiles/{json.loads(created.body)['verificationProfileId']}"
    for take in cast.spoken.phrase_enrollments:
        send("POST", f"{path}/enroll", take, expected=(200,))
    said = dice.choice(list(cast.spoken.phrases.values()))
    send("POST", f"/spid/v1.0/verify?verificationProfileId={path[-36:]}", said, expected=(200,))
    send("POST", f"/spid/v1.0/verify?verificationProfileId={cast.enrolled.speaker}", said, expected=(200,))
    send("GET", "/spid/v1.0/verificationPhrases?locale=en-us", expected=(200,))
    send("POST", f"{path}/reset", expected=(200,))
    send("DELETE", path, expected=(200,))


def _later(generation: Generation) -> list[Story]:
    def new(send: Send, kind: str) -> str:
        created = send("POST", generation.path(kind), _LOCALE, expected=(201,), content_type=JSON)
        return f"/profiles/{json.loads(created.body)['profileId']}"

    def verification(send: Send, cast: Cast, dice: random.Random) -> None:
        kind = TEXT_INDEPENDENT
        mine = new(send, kind)
        said = dice.choice(cast.spoken.speakers)
        send("POST", generation.path(kind, f"{mine}/enrollments", _LENIENT), said, expected=(201,))
        question = dice.choice([*cast.spoken.speech.values(), cast.telephone])
        verify = generation.path(kind, f"{mine}{generation.colon}verify", _LENIENT)
        send("POST", verify, question, expected=(200,))
        send("GET", generation.path(kind, "/profiles", f"&{generation.page_size}=5"), expected=(200,))
        send("DELETE", generation.path(kind, mine), expected=(200, 204))

    def phrase(send: Send, cast: Cast, dice: random.Random) -> None:
        mine = new(send, TEXT_DEPENDENT)
        take = dice.choice(cast.spoken.phrase_enrollments)
        send("POST", generation.path(TEXT_DEPENDENT, f"{mine}/enrollments"), take, expected=(201,))
        verify = f"/profiles/{cast.enrolled.speaker}{generation.colon}verify"
        said = dice.choice(list(cast.spoken.phrases.values()))
        send("POST", generation.path(TEXT_DEPENDENT, verify), said, expected=(200,))
        send("DELETE", generation.path(TEXT_DEPENDENT, mine), expected=(200, 204))

    def identification(send: Send, cast: Cast, dice: random.Random) -> None:
        mine = new(send, IDENTIFICATION)
        said = dice.choice(cast.spoken.speakers)
        send("POST", generation.path(IDENTIFICATION, f"{mine}/enrollments", _LENIENT), said, expected=(201,))
        question = dice.choice([*cast.spoken.speech.values(), cast.telephone])
        for candidates in ("*", ",".join(cast.enrolled.candidates)):
            rest = f"/profiles{generation.colon}identifySingleSpeaker"
            path = generation.path(IDENTIFICATION, rest, f"&profileIds={candidates}{_LENIENT}")
            send("POST", path, question, expected=(200,))
        send("POST", generation.path(IDENTIFICATION, f"{mine}{generation.colon}reset"), expected=(200, 204))
        send("DELETE", generation.path(IDENTIFICATION, mine), expected=(200, 204))

    return [verification, phrase, identification]


def mistakes(send: Send, cast: Cast, dice: random.Random) -> None:
    generation = dice.choice((V2, V2021))
    enrollments = generation.path(IDENTIFICATION, f"/profiles/{cast.enrolled.candidates[0]}/enrollments")
    torn = dice.choice(cast.spoken.speakers)[: dice.randrange(20, 2_000)]
    verify = f"/spid/v1.0/verify?verificationProfileId={cast.enrolled.speaker}"
    send("POST", enrollments, dice.randbytes(5_000), expected=(400, 415))
    send("POST", enrollments, torn, expected=(400,))
    send("POST", enrollments, cast.silence, expected=(400,))
    send("GET", generation.path(IDENTIFICATION, f"/profiles/{_UNKNOWN}"), expected=(404,))
    send("POST", verify, cast.silence, expected=(400,))
    send("POST", "/spid/v1.0/identificationProfiles", b"{", expected=(400,), content_type=JSON)
    send("GET", "/spid/v1.0/nothing", expected=(404,))
    send("PUT", "/spid/v1.0/identificationProfiles", b"{}", expected=(404, 405), content_type=JSON)


STORIES: tuple[Story, ...] = (v1_identification, v1_verification, *_later(V2), *_later(V2021), mistakes)
