"""Thousands of requests of every kind from several clients: what the service's processes hold as they go by.

The gate lets in and wait fewer than there are threads, and there are more clients than it works on at once. A refusal
(503 with ``Retry-After``) is waited for and sent again, as a well-made app would.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Final

import numpy as np
import soundfile

from localhost.azurite import Azurite
from tests.api.later import IDENTIFICATION, KINDS, TEXT_DEPENDENT, V2, V2021, Generation
from tests.performance.client import JSON, LOCALE, Answer, Client, Enrolled, Request, enroll, enrollment, operation_of
from tests.performance.figures import Cell, Measure, Result, Table, Target
from tests.performance.process import Held, held
from tests.performance.recordings import SECONDS, material
from tests.performance.serving import Run, serving
from tests.speech.make import RATE
from tests.voices import wav_bytes

REQUESTS, QUICK_REQUESTS = 10_000, 300
CLIENTS = 6
SAMPLE_EVERY = 40
"""Requests, or a few more. A sample is taken when all clients have their answers: what a request holds while it is at
work is no growth."""
SEED = 5
TARGET: Final = Target("growth of resident memory for 1,000 requests", 1.0, "MB")

Send = Callable[[Request], Answer]
"""Raises ``Unexpected`` when the answer has another status than the request expects."""
Story = Callable[[Send, Enrolled, random.Random], None]


@dataclass(frozen=True)
class Sample:
    requests: int
    held: Held


def measured(run: Run) -> Result:
    """Raises ``CannotStart``, ``Unexpected``."""
    total = QUICK_REQUESTS if run.quick else REQUESTS
    with Azurite() as azurite, serving(azurite) as service:
        clients = [Client(service.url, service.key) for _ in range(CLIENTS)]
        enrolled = enroll(clients[0], material())
        requests, samples, started = 0, list[Sample](), time.perf_counter()
        dice = [random.Random(SEED + number) for number in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            while requests < total:
                if holds := held(service.process.pid):
                    samples.append(Sample(requests, holds))
                requests += sum(pool.map(partial(_tell, enrolled), clients, dice))
        seconds = time.perf_counter() - started
    return result_of(samples, f"{requests:,} requests in {seconds:.0f} s from {CLIENTS} clients")


def result_of(samples: list[Sample], note: str) -> Result:
    """The growth is the least-squares line through the second half, by when every length of audio has been heard many
    times on every thread."""
    settled = samples[len(samples) // 2 :]
    growth = None
    if len(settled) >= 3:
        thousands = [sample.requests / 1000 for sample in settled]
        growth = float(np.polyfit(thousands, [sample.held.megabytes for sample in settled], 1)[0])
    places = [samples[0], settled[0], samples[-1]] if samples else []
    rows: list[list[Cell]] = [
        [place.requests, place.held.megabytes, place.held.handles, place.held.threads] for place in places
    ]
    table = Table("What the service holds", ["requests", "MB resident", "open files", "threads"], rows, note)
    return Result([table], [Measure(TARGET, growth, f"line through the last {len(settled)} samples")])


def _tell(enrolled: Enrolled, client: Client, dice: random.Random) -> int:
    """Whole stories until the client has sent its share of the requests to the next sample; returns their number."""
    sent = 0

    def send(request: Request) -> Answer:
        nonlocal sent
        patient = replace(request, expected=(*request.expected, 503))
        while (answer := client.send(patient)).status == 503:
            time.sleep(float(answer.headers["retry-after"]))
        sent += 1
        return answer

    while sent < SAMPLE_EVERY // CLIENTS:
        dice.choice(STORIES)(send, enrolled, dice)
    return sent


@cache
def questions() -> list[bytes]:
    """A candidate's speech of several lengths, and over a telephone: 8 kHz mu-law."""
    samples, _ = soundfile.read(io.BytesIO(material().speech[10]), dtype="float32")
    telephone = io.BytesIO()
    soundfile.write(telephone, samples[::2], RATE // 2, format="WAV", subtype="ULAW")
    return [*material().speech.values(), telephone.getvalue()]


def v1(send: Send, enrolled: Enrolled, dice: random.Random) -> None:
    """The life of a profile of either kind."""
    profiles, phrase_profiles = "/spid/v1.0/identificationProfiles", "/spid/v1.0/verificationProfiles"
    profile_id = send(Request(profiles, LOCALE, JSON)).json["identificationProfileId"]
    send(operation_of(send(enrollment(profile_id, dice.choice(material().speakers)))))
    send(operation_of(send(enrolled.identify(dice.choice(questions())))))
    send(Request(f"{profiles}/{profile_id}", method="GET"))
    send(Request(f"{profiles}/{profile_id}", method="DELETE"))
    profile_id = send(Request(phrase_profiles, LOCALE, JSON)).json["verificationProfileId"]
    for take in material().phrase_enrollments:
        send(Request(f"{phrase_profiles}/{profile_id}/enroll", take))
    phrase = dice.choice(list(material().phrases.values()))
    send(enrolled.verify(phrase))
    send(Enrolled(profile_id, []).verify(phrase))
    send(Request(f"{phrase_profiles}/{profile_id}/reset"))
    send(Request(f"{phrase_profiles}/{profile_id}", method="DELETE"))


def later(generation: Generation) -> Story:
    def life(send: Send, enrolled: Enrolled, dice: random.Random) -> None:
        kind = dice.choice(KINDS)
        lenient = "" if kind == TEXT_DEPENDENT else "&ignoreMinLength=true"
        takes = material().phrase_enrollments if kind == TEXT_DEPENDENT else material().speakers
        profile_id = send(Request(generation.path(kind), LOCALE, JSON)).json["profileId"]
        profile = f"/profiles/{profile_id}"
        send(Request(generation.path(kind, f"{profile}/enrollments", lenient), dice.choice(takes)))
        if kind == IDENTIFICATION:
            identify = f"/profiles{generation.colon}identifySingleSpeaker"
            for candidates in ("*", ",".join(enrolled.candidates)):
                path = generation.path(kind, identify, f"&profileIds={candidates}{lenient}")
                send(Request(path, dice.choice(questions())))
            send(Request(generation.path(kind, f"{profile}{generation.colon}reset")))
        else:
            speaker = enrolled.speaker if kind == TEXT_DEPENDENT else profile_id
            path = generation.path(kind, f"/profiles/{speaker}{generation.colon}verify", lenient)
            phrases = list(material().phrases.values())
            send(Request(path, dice.choice(phrases if kind == TEXT_DEPENDENT else questions())))
        send(Request(generation.path(kind, "/profiles", f"&{generation.page_size}=5"), method="GET"))
        send(Request(generation.path(kind, profile), method="DELETE"))

    return life


def mistakes(send: Send, enrolled: Enrolled, dice: random.Random) -> None:
    silence = wav_bytes(np.zeros(SECONDS * RATE, np.float32))
    torn = dice.choice(material().speakers)[: dice.randrange(20, 2_000)]
    generation = dice.choice((V2, V2021))
    enrollments = generation.path(IDENTIFICATION, f"/profiles/{enrolled.candidates[0]}/enrollments")
    nobody = generation.path(IDENTIFICATION, "/profiles/11111111-2222-3333-4444-555555555555")
    send(Request(enrollments, dice.randbytes(5_000), expected=(400, 415)))
    for audio in (torn, silence):
        send(Request(enrollments, audio, expected=(400,)))
    send(replace(enrolled.verify(silence), expected=(400,)))
    send(Request(nobody, method="GET", expected=(404,)))
    send(Request("/spid/v1.0/identificationProfiles", b"{", JSON, expected=(400,)))
    send(Request("/spid/v1.0/identificationProfiles", b"{}", JSON, "PUT", expected=(404, 405)))


STORIES: Final[tuple[Story, ...]] = (v1, later(V2), later(V2021), mistakes)
