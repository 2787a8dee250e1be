"""Say who spoke when in a long recording, which is read from its host: asked for in a request, worked on by a timer.

A slice hears as much as its time allows and hands on what it heard; the one that has heard all names the speakers. A
slice may be killed at any moment: the next one begins where the last one that ended had come to.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, field, replace
from typing import Any, Final

from shared.domain.audit import Actor
from shared.domain.errors import (
    GroupNotFound,
    ModelDiffers,
    NobodyEnrolled,
    OperationNotFound,
    ProfileNotEnrolled,
    ProfileNotFound,
    RecordingAbandoned,
    SealBroken,
    SourceUnavailable,
    SubscriptionUnknown,
    TimbreError,
    TryLater,
)
from shared.domain.group import Candidates, Everyone, InGroup
from shared.domain.heard_speech import STEP, WINDOW, HeardSpeech, heard_from_bytes, heard_to_bytes
from shared.domain.long_operation import ChannelVoice, Failure, Lease, LongOperation
from shared.domain.operation import operation_id
from shared.domain.recording import SAMPLE_RATE
from shared.domain.recording_url import RecordingHosts
from shared.domain.subscription import Subscription
from shared.domain.turns import UNKNOWN, NamedTurns, SpeakerOfTurns, Turn, TurnOptions
from shared.services.audit import Audit
from shared.services.candidates import key_of
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.services.ports.hearing import LongRecording, LongRecordings
from shared.services.ports.keeping import LongOperationStore, ProfileStore
from shared.services.sweep import IsOver, Sweep
from shared.services.thresholds import RequestedThreshold, threshold_in_force
from shared.services.turns import IdentifyTurns, TurnsWanted

log: Final = logging.getLogger("timbre.turns")

SECONDS: Final = 50.0
"""After this a slice hears no further piece: one takes 3 to 10 s, and the timer comes every minute."""

WINDOWS: Final = 12
"""Of a piece, which is 65 s long: 4 MB of samples, and heard in 3 s on one thread."""

MOST_ATTEMPTS: Final = 10
"""In a row that hand nothing on. A host that is away for less than ten minutes costs nothing."""


@dataclass(frozen=True)
class LongTurns:
    """What callers ask for."""

    store: LongOperationStore
    turns: IdentifyTurns
    profiles: ProfileStore
    hosts: RecordingHosts
    clock: Clock
    new_id: Ids

    def begin(self, actor: Actor, wanted: TurnsWanted, url: str, channel: int | None) -> LongOperation:
        """Nothing is read yet. Raises ``RecordingUrlRefused``, ``TooManyOpenRecordings``, and what a recording in the
        request would raise for its candidates and its threshold."""
        self.hosts.admit(url)
        calibration = self.turns.models.calibrated_for(wanted.subscription.settings).current.calibration
        threshold_in_force(wanted.subscription.settings, "identification", wanted.threshold, calibration)
        self.turns.model_ids(wanted)
        created_at, owner = self.clock(), wanted.subscription.subscription_id
        operation = LongOperation(owner, operation_id(created_at, self.new_id()), created_at, created_at)
        self.store.put(operation, _Request(wanted, url, channel, actor).to_bytes())
        return operation

    def get(self, subscription: Subscription, operation_id: str) -> tuple[LongOperation, NamedTurns | None]:
        """The result names nobody whose profile was deleted since. Raises ``OperationNotFound``."""
        operation = self.store.get(subscription.subscription_id, operation_id, self.clock())
        if operation.result is None:
            return operation, None
        return operation, self._without_deleted(subscription, _result_from_bytes(operation.result))

    def remove(self, subscription_id: str, operation_id: str) -> None:
        """Raises ``OperationNotFound``."""
        self.store.remove(subscription_id, operation_id, self.clock())

    def _without_deleted(self, subscription: Subscription, result: NamedTurns) -> NamedTurns:
        named = {speaker.speaker for speaker in result.speakers if speaker.score is not None}
        ranked = {profile_id for speaker in result.speakers for profile_id, _ in speaker.ranking}
        return without(result, {one for one in named | ranked if not self._is_there(subscription, one)})

    def _is_there(self, subscription: Subscription, profile_id: str) -> bool:
        with suppress(ProfileNotFound):
            self.profiles.get(key_of(subscription, profile_id))
            return True
        return False


@dataclass(frozen=True)
class HearLongRecordings:
    """The timer's work."""

    sweep: Sweep
    store: LongOperationStore
    recordings: LongRecordings
    turns: IdentifyTurns
    hosts: RecordingHosts
    audit: Audit
    clock: Clock

    def __call__(self) -> int:
        """The number of slices. Without hosts there is nothing to read, and what is open waits for its end."""
        return self.sweep(self.sweep.active(), self._slices) if self.hosts else 0

    def _slices(self, subscription: Subscription, is_over: IsOver) -> int:
        done = 0
        for slot in self.store.open_operations(subscription.subscription_id):
            if is_over():
                break
            # Taken away meanwhile, or altered by a foreign hand, which the store has told.
            with suppress(OperationNotFound, SubscriptionUnknown, SealBroken):
                lease = self.store.lease(subscription.subscription_id, slot, self.clock())
                if lease is not None:
                    done += 1
                    self._work(subscription, lease, is_over)
        return done

    def _work(self, subscription: Subscription, lease: Lease, is_over: IsOver) -> None:
        try:
            if lease.attempts > MOST_ATTEMPTS:
                raise RecordingAbandoned(MOST_ATTEMPTS)
            self._slice(subscription, lease, is_over)
        except (OperationNotFound, SubscriptionUnknown):
            raise
        except TimbreError as error:
            passing = isinstance(error, TryLater | SourceUnavailable)
            if passing and lease.attempts < MOST_ATTEMPTS:
                self.store.release(lease, self.clock())
                return
            failure = Failure(type(error).__name__, str(error))
            self.store.fail(lease, failure, self.clock())
            log.info("turns_given_up operation=%s reason=%s", lease.operation_id, failure.name)

    def _slice(self, subscription: Subscription, lease: Lease, is_over: IsOver) -> None:
        asked = _Request.from_bytes(subscription, lease.request)
        wanted = asked.wanted
        progress = _Progress.from_bytes(lease.state) if lease.state else _Progress()
        recording = self.recordings.open(self.hosts.admit(asked.url), progress.etag)
        models = self._model_ids(wanted)
        if progress.etag is None or not set(models) <= set(progress.models):  # another model runs than at the beginning
            progress = _Progress(recording.etag, models, tuple(recording.voices(asked.channel)))
        while not progress.is_complete:
            progress = self._further(recording, progress)
            if is_over():
                percent = min(99, 100 * progress.position // recording.length)
                self.store.save(lease, progress.to_bytes(), percent, self.clock())
                return
        result = self._among(wanted, lambda asked: self.turns.name(asked, progress.heard))
        self.store.succeed(lease, _result_to_bytes(result), self.clock())
        self.audit.turns(subscription, asked.actor, result)
        log.info("turns_named operation=%s seconds=%d", lease.operation_id, recording.length // SAMPLE_RATE)

    def _further(self, recording: LongRecording, progress: _Progress) -> _Progress:
        """One more piece: whole windows, and with the last one all that is left."""
        start, end = progress.position, progress.position + (WINDOWS - 1) * STEP + WINDOW
        last = end >= recording.length
        heard = [
            self.turns.hear(samples, start / SAMPLE_RATE, last=last, model_ids=progress.models, channel=voice.number)
            for voice, samples in zip(progress.voices, recording.heard(progress.voices, start, end), strict=True)
        ]
        return replace(progress, position=start + WINDOWS * STEP, heard=(*progress.heard, *heard), is_complete=last)

    def _model_ids(self, wanted: TurnsWanted) -> tuple[str, ...]:
        """Of all models that are needed to compare with the candidates, the running one included."""
        made_by = self._among(wanted, self.turns.model_ids)
        return tuple(sorted({*made_by, self.turns.models.current.model_id}))

    def _among(self, wanted: TurnsWanted, act: Callable[[TurnsWanted], Any]) -> Any:
        """With the candidates that there are by now: a voice that was deleted meanwhile is nobody's."""
        while True:
            try:
                return act(wanted)
            except (GroupNotFound, NobodyEnrolled):
                wanted = replace(wanted, candidates=[])
            except (ProfileNotFound, ProfileNotEnrolled, ModelDiffers) as error:
                listed = list(wanted.candidates) if isinstance(wanted.candidates, Sequence) else []
                if error.profile_id not in listed:
                    raise
                wanted = replace(wanted, candidates=[one for one in listed if one != error.profile_id])


@dataclass(frozen=True)
class _Request:
    """``actor`` is who asked: what is on record of the result is his doing, not the timer's."""

    wanted: TurnsWanted
    url: str = field(repr=False)
    channel: int | None
    actor: Actor

    def to_bytes(self) -> bytes:
        candidates, threshold = self.wanted.candidates, self.wanted.threshold
        content = {
            "url": self.url,
            "channel": self.channel,
            "actor": asdict(self.actor),
            "candidates": list(candidates) if isinstance(candidates, Sequence) else None,
            "group": candidates.name if isinstance(candidates, InGroup) else None,
            "options": asdict(self.wanted.options),
            "threshold": asdict(threshold) if threshold else None,
            "same_locale": self.wanted.same_locale,
        }
        return json.dumps(content).encode()

    @classmethod
    def from_bytes(cls, subscription: Subscription, content: bytes) -> _Request:
        asked = json.loads(content)
        candidates: Candidates = Everyone()
        if asked["candidates"] is not None:
            candidates = asked["candidates"]
        elif asked["group"] is not None:
            candidates = InGroup(asked["group"])
        threshold = RequestedThreshold(**asked["threshold"]) if asked["threshold"] else None
        options = TurnOptions(**asked["options"])
        wanted = TurnsWanted(subscription, candidates, options, threshold, asked["same_locale"])
        return cls(wanted, asked["url"], asked["channel"], Actor(**asked["actor"]))


@dataclass(frozen=True)
class _Progress:
    """What one slice hands to the next. ``position``: samples heard. ``models``: by which voices were embedded."""

    etag: str | None = None
    models: Sequence[str] = ()
    voices: Sequence[ChannelVoice] = ()
    position: int = 0
    heard: Sequence[HeardSpeech] = field(default=(), repr=False)
    is_complete: bool = False

    def to_bytes(self) -> bytes:
        """A line of JSON, and behind it what was heard."""
        voices = [[voice.number, voice.channels] for voice in self.voices]
        about = json.dumps([self.etag, list(self.models), voices, self.position, self.is_complete])
        return about.encode() + b"\n" + heard_to_bytes(self.heard)

    @classmethod
    def from_bytes(cls, content: bytes) -> _Progress:
        about, _, heard = content.partition(b"\n")
        etag, models, voices, position, is_complete = json.loads(about)
        found = [ChannelVoice(number, tuple(channels)) for number, channels in voices]
        return cls(etag, tuple(models), found, position, tuple(heard_from_bytes(heard)), is_complete)


def without(result: NamedTurns, gone: set[str]) -> NamedTurns:
    """Profiles that are gone become unknown, numbered behind those that are, and are ranked nowhere."""
    if not gone:
        return result
    strangers = sum(speaker.score is None for speaker in result.speakers)
    deleted = [speaker.speaker for speaker in result.speakers if speaker.score is not None and speaker.speaker in gone]
    names = {one: f"{UNKNOWN}{number}" for number, one in enumerate(deleted, start=strangers + 1)}

    def hidden(one: Turn) -> Turn:
        return replace(one, speaker=names[one.speaker], score=None) if one.speaker in names else one

    speakers = [
        SpeakerOfTurns(
            names.get(speaker.speaker, speaker.speaker),
            speaker.seconds,
            None if speaker.speaker in names else speaker.score,
            [(profile_id, score) for profile_id, score in speaker.ranking if profile_id not in gone],
        )
        for speaker in result.speakers
    ]
    return replace(result, turns=[hidden(turn) for turn in result.turns], speakers=speakers)


def _result_to_bytes(result: NamedTurns) -> bytes:
    turns, speakers = [astuple(turn) for turn in result.turns], [astuple(speaker) for speaker in result.speakers]
    return json.dumps([turns, speakers, result.audio_seconds, result.speech_seconds]).encode()


def _result_from_bytes(content: bytes) -> NamedTurns:
    turns, speakers, audio_seconds, speech_seconds = json.loads(content)
    return NamedTurns(
        [Turn(*turn) for turn in turns],
        [
            SpeakerOfTurns(speaker, seconds, score, [(one, scored) for one, scored in ranking])
            for speaker, seconds, score, ranking in speakers
        ],
        audio_seconds,
        speech_seconds,
    )
