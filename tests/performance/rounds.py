"""The measurements that take turns: the service over HTTP against the bare work, and the parts of one request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from shared.bootstrap import LOCAL_SUBSCRIPTION
from shared.domain.profile import ProfileKey, ProfileKind
from tests.performance.bare import Bare, timed
from tests.performance.client import Client, Enrolled, Unexpected
from tests.performance.figures import Times, covered
from tests.performance.in_process import InProcess, StorageCall
from tests.performance.recordings import Material

_WARM_UP = 3
BREAKDOWN_SECONDS = 4
"""Length of the recordings whose time is taken apart."""
MANY = 50
"""Profiles that are nobody's candidates: the ten candidates' range then holds far more than twice as many."""


@dataclass(frozen=True)
class Comparison:
    """One operation at one length: over HTTP, and right after it the bare work, repetition by repetition."""

    operation: str
    audio_seconds: int
    speech_seconds: float
    http: Times
    bare: Times


@dataclass(frozen=True)
class Stored:
    """One kind of storage call in one operation: how many in a request, and how long each takes."""

    what: str
    calls: float
    each: Times


@dataclass(frozen=True)
class Breakdown:
    """One operation's time taken apart. ``stages`` run by themselves. ``use_case`` is the whole function in this
    process, without its host; ``storage`` is the part of it in which at least one storage call was under way.
    """

    operation: str
    stages: dict[str, Times]
    use_case: Times
    storage: Times
    health: Times
    http: Times
    stored: list[Stored]


@dataclass(frozen=True)
class _Operation:
    name: str
    audio_seconds: int
    wav: bytes
    over_http: Callable[[bytes], float]
    bare: Callable[[], float]
    speech_seconds: float


def over_http(client: Client, bare: Bare, spoken: Material, enrolled: Enrolled, repetitions: int) -> list[Comparison]:
    """Verify and identify at every length."""
    return _in_pairs(
        [
            *(_verification(client, bare, enrolled, seconds, wav) for seconds, wav in spoken.phrases.items()),
            *(_identification(client, bare, enrolled, seconds, wav) for seconds, wav in spoken.speech.items()),
        ],
        repetitions,
    )


def among_many(client: Client, bare: Bare, spoken: Material, enrolled: Enrolled, repetitions: int) -> list[Comparison]:
    """Identify of 4 s against the same candidates, now that the subscription has many other profiles: from then on
    candidates are read one by one (``shared.storage.profiles.candidates``), as in any subscription of some size.
    """
    for _ in range(MANY):
        client.create("identificationProfiles")
    operation = _identification(client, bare, enrolled, BREAKDOWN_SECONDS, spoken.speech[BREAKDOWN_SECONDS])
    return _in_pairs([replace(operation, name=f"identify among {MANY} more")], repetitions)


def _in_pairs(operations: list[_Operation], repetitions: int) -> list[Comparison]:
    taken: list[list[tuple[float, float]]] = [[] for _ in operations]
    for repetition in range(-_WARM_UP, repetitions):
        for operation, pairs in zip(operations, taken, strict=True):
            pair = operation.over_http(operation.wav), operation.bare()
            if repetition >= 0:
                pairs.append(pair)
    return [
        Comparison(
            operation.name,
            operation.audio_seconds,
            operation.speech_seconds,
            Times.of_seconds(http for http, _ in pairs),
            Times.of_seconds(alone for _, alone in pairs),
        )
        for operation, pairs in zip(operations, taken, strict=True)
    ]


def where_time_goes(
    client: Client, here: InProcess, spoken: Material, enrolled: Enrolled, repetitions: int
) -> list[Breakdown]:
    """Verify and identify of 4 s."""
    bare = Bare.of(here.services)
    phrase, speech = spoken.phrases[BREAKDOWN_SECONDS], spoken.speech[BREAKDOWN_SECONDS]
    keys = [ProfileKey(LOCAL_SUBSCRIPTION, ProfileKind.IDENTIFICATION, one) for one in enrolled.candidates]
    signatures = [one for _, one in here.services.identify.profiles.get_many_with_signatures(keys) if one]
    verify: dict[str, Callable[[], object]] = {
        **bare.stages(phrase, signatures[:1], phrase=True),
        USE_CASE: lambda: here.verify(enrolled.speaker, phrase),
        HTTP: lambda: client.verify(enrolled.speaker, phrase),
        HEALTH: client.health,
    }
    identify: dict[str, Callable[[], object]] = {
        **bare.stages(speech, signatures, phrase=False),
        USE_CASE: lambda: here.identify(enrolled.candidates, speech),
        HTTP: lambda: client.identify(enrolled.candidates, speech),
        HEALTH: client.health,
    }
    return [
        _breakdown("verify", verify, here, repetitions),
        _breakdown("identify", identify, here, repetitions),
    ]


USE_CASE, HTTP, HEALTH = "use case", "over HTTP", "host"


def _breakdown(name: str, steps: dict[str, Callable[[], object]], here: InProcess, repetitions: int) -> Breakdown:
    taken: dict[str, list[float]] = {step: [] for step in steps}
    ledgers: list[list[StorageCall]] = []
    for repetition in range(-_WARM_UP, repetitions):
        here.ledger.taken()
        seconds = {step: timed(work) for step, work in steps.items()}
        if repetition < 0:
            continue
        ledgers.append(here.ledger.taken())
        for step, one in seconds.items():
            taken[step].append(one)
    times = {step: Times.of_seconds(seconds) for step, seconds in taken.items()}
    return Breakdown(
        operation=name,
        stages={step: one for step, one in times.items() if step not in (USE_CASE, HTTP, HEALTH)},
        use_case=times[USE_CASE],
        storage=Times.of_seconds(covered((call.started, call.ended) for call in ledger) for ledger in ledgers),
        health=times[HEALTH],
        http=times[HTTP],
        stored=_stored(ledgers),
    )


def _stored(ledgers: list[list[StorageCall]]) -> list[Stored]:
    """By kind of call, in the order of first use."""
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for call in _all(ledgers):
        by_kind[call.what].append(call.ended - call.started)
    return [Stored(what, len(times) / len(ledgers), Times.of_seconds(times)) for what, times in by_kind.items()]


def _all(ledgers: list[list[StorageCall]]) -> Iterable[StorageCall]:
    return (call for ledger in ledgers for call in ledger)


def _verification(client: Client, bare: Bare, enrolled: Enrolled, seconds: int, wav: bytes) -> _Operation:
    utterance = bare.heard(wav)
    return _Operation(
        name="verify",
        audio_seconds=seconds,
        wav=wav,
        over_http=lambda wav: client.verify(enrolled.speaker, wav),
        bare=lambda: bare.verify(utterance),
        speech_seconds=utterance.speech_seconds,
    )


def _identification(client: Client, bare: Bare, enrolled: Enrolled, seconds: int, wav: bytes) -> _Operation:
    utterance = bare.heard(wav)
    # Once, outside the time: an identify that finds nobody would leave out noting that the profile was used.
    if client.identified(client.identify(enrolled.candidates, wav)) is None:
        raise Unexpected(f"Nobody was identified in {seconds} s of a candidate's speech.")
    return _Operation(
        name="identify",
        audio_seconds=seconds,
        wav=wav,
        over_http=lambda wav: client.identify(enrolled.candidates, wav).seconds,
        bare=lambda: bare.identify(utterance),
        speech_seconds=utterance.speech_seconds,
    )
