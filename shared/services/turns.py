"""Say who spoke when in a recording of several people. Nothing of the recording is stored.

Stage 1 (``hear_speakers.py``) hears channels slice by slice; stage 2, here, finds out from all slices which stretches
are one person's, and which candidate that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Final

import numpy as np

from shared.domain.clustering import DIVIDED_SECONDS, Cluster, log_odds, people
from shared.domain.decision import long_speech, open_set
from shared.domain.errors import AudioTooLong, SpeechTooShort
from shared.domain.group import Candidates
from shared.domain.heard_speech import HeardSpeech, HeardStretch
from shared.domain.limits import AudioRules
from shared.domain.measurement import note
from shared.domain.recording import SAMPLE_RATE, Audio, Numbers, Vector
from shared.domain.subscription import Subscription
from shared.domain.timeline import Labelled, Stretch, timeline, union_seconds, windows_of
from shared.domain.turns import UNKNOWN, NamedTurns, SpeakerOfTurns, Turn, TurnOptions
from shared.services.candidates import CandidateStores, Choice, key_of
from shared.services.comparison import SpeakerModels
from shared.services.concurrency import concurrently
from shared.services.hear_speakers import HearSpeakers
from shared.services.identify import RANKED
from shared.services.ports.clock_and_ids import Clock
from shared.services.ports.hearing import ChannelListener, Segmentation, SpeakerModel
from shared.services.ports.keeping import Galleries, GroupStore, ProfileStore, Scorer
from shared.services.thresholds import RequestedThreshold, threshold_in_force

MOST_WHOLE_CHANNELS: Final = 2
"""Our choice: a call has two parties. Eight channels of five minutes took 47 s of one processor, which a small instance
does not have within the host's limit of three minutes."""
LITTLE_SECONDS: Final = 2 * DIVIDED_SECONDS
LITTLE_SHARE: Final = 0.1
REST_SCORE: Final = 0.02
REST_LOG_ODDS: Final = -2.0
"""A voice without a name that has said less, and less than such a share of what a named one has, is the rest of that
one when its candidate is the best with such a score, and both voices have such log odds: what a speaker says in another
tone makes a cluster of its own, too little for a name. Fitted, 0.9 points of the enrolled speakers' time:
docs/decisions/turns.md. Without the share a guest of 20 s was named in one of ten short meetings by telephone."""


@dataclass(frozen=True)
class TurnsWanted:
    """Whom to look for in a recording, and how. As in ``IdentifyRequest``."""

    subscription: Subscription
    candidates: Candidates
    options: TurnOptions = field(default_factory=TurnOptions)
    threshold: RequestedThreshold | None = None
    same_locale: bool = False


@dataclass(frozen=True)
class IdentifyTurns:
    """Open-set: a speaker may be none of the candidates."""

    profiles: ProfileStore
    galleries: Galleries
    groups: GroupStore
    listener: ChannelListener
    segmentation: Segmentation
    models: SpeakerModels
    clock: Clock

    def __call__(self, wanted: TurnsWanted, audio: Audio, rules: AudioRules) -> NamedTurns:
        """Of a whole recording. ``rules`` bound its length, and say how much speech there must be.

        Raises
        ------
        ParameterInvalid, RecordingRefused
        TooManyCandidates, ProfileNotFound, LocalesDiffer, ProfileNotEnrolled, ModelDiffers
            In a list.
        GroupNotFound, NobodyEnrolled
            Otherwise.
        """
        with concurrently(self._choice, wanted) as reading:
            channels = self.listener.channels(audio.content, audio.media_type, rules, audio.channel)
        choice = reading.result()
        _check_together([len(samples) / SAMPLE_RATE for _, samples in channels], rules)
        heard = [
            self.hear(samples, 0.0, last=True, model_ids=choice.model_ids, channel=channel)
            for channel, samples in channels
        ]
        found = self._named(wanted, choice, heard)
        least = rules.moved(wanted.subscription.settings.quality).min_speech_seconds
        if found.speech_seconds < least or not found.turns:
            raise SpeechTooShort(found.speech_seconds, least)
        return found

    @property
    def hear(self) -> HearSpeakers:
        """Stage 1, for one slice of one channel."""
        return HearSpeakers(self.segmentation, self.models)

    def model_ids(self, wanted: TurnsWanted) -> Sequence[str]:
        """The models that made the candidates' signatures, for ``hear``. Raises as a call does for candidates."""
        return sorted(self._choice(wanted).model_ids)

    def name(self, wanted: TurnsWanted, heard: Sequence[HeardSpeech]) -> NamedTurns:
        """Stage 2: of all slices of all channels, each channel's in order. Without speech there are no turns.

        Raises as a call does for candidates and thresholds; ``ValueError`` when a slice is missing.
        """
        return self._named(wanted, self._choice(wanted), heard)

    def _choice(self, wanted: TurnsWanted) -> Choice:
        stores = CandidateStores(self.profiles, self.galleries, self.groups)
        models = self.models.calibrated_for(wanted.subscription.settings)
        choice = stores.choice(wanted.subscription, wanted.candidates, models, wanted.same_locale)
        if not isinstance(wanted.candidates, Sequence):
            choice.require_somebody()
        return choice

    def _named(self, wanted: TurnsWanted, choice: Choice, heard: Sequence[HeardSpeech]) -> NamedTurns:
        settings, used_at = wanted.subscription.settings, self.clock()
        models = self.models.calibrated_for(settings)
        calibration = models.current.calibration
        threshold = threshold_in_force(settings, "identification", wanted.threshold, calibration)
        channels = [
            _Channel(channel, list(slices))
            for channel, slices in groupby(
                sorted(heard, key=lambda slice_: slice_.channel or 0), key=lambda slice_: slice_.channel
            )
        ]
        voices = [voice for channel in channels for voice in channel.voices(self.models.current, wanted.options)]
        named = _people(voices, _Ranking(choice, models, threshold.score))
        found = _turns(channels, named, exclusive=wanted.options.exclusive)
        for speaker in found.speakers:
            if speaker.score is not None:
                self.profiles.touch(key_of(wanted.subscription, speaker.speaker), used_at)
        return found


def _check_together(channel_seconds: Sequence[float], rules: AudioRules) -> None:
    """Channels take time each: together they may be as long as two recordings. Raises ``AudioTooLong``."""
    count = len(channel_seconds)
    longest = MOST_WHOLE_CHANNELS * rules.max_seconds / count
    if max(channel_seconds) > longest:
        raise AudioTooLong(max(channel_seconds), longest, channels=count)


@dataclass(frozen=True)
class _Voice:
    """The stretches of one channel that are one person's."""

    channel: int | None
    stretches: Sequence[HeardStretch]

    def pooled(self, model_id: str) -> Vector:
        """As a signature is: the sum of embeddings, each times its seconds. Of what is said alone."""
        return np.asarray(
            sum(one.embeddings[model_id] * np.float32(one.clean_seconds) for one in self.stretches if one.alone),
            np.float32,
        )

    @property
    def seconds(self) -> float:
        return sum(one.clean_seconds for one in self.stretches if one.alone)


@dataclass(frozen=True)
class _Person:
    """``name`` is a profile's id, ``None`` for a stranger."""

    voices: Sequence[_Voice]
    name: str | None
    score: float | None
    ranking: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class _Channel:
    number: int | None
    slices: Sequence[HeardSpeech]

    def voices(self, model: SpeakerModel, options: TurnOptions) -> list[_Voice]:
        heard = [stretch for slice_ in self.slices for stretch in slice_.stretches]
        found = people(heard, model.model_id, partial(_alike, model), options.min_speakers, options.max_speakers)
        return [_Voice(self.number, stretches) for stretches in found]


@dataclass(frozen=True)
class _Ranking:
    choice: Choice
    models: SpeakerModels
    threshold: float

    def __call__(self, voices: Sequence[_Voice]) -> list[tuple[str, float]]:
        """The best candidates of all their speech together, and their scores, corrected for how many candidates there
        are and how much speech."""
        seconds = sum(voice.seconds for voice in voices)
        scorers: dict[str, Scorer] = {}
        for model in self.models.running:
            if model.model_id in self.choice.model_ids:
                direction = _together(voices, model.model_id).direction
                scorers[model.model_id] = partial(model.scores_of_all, direction, seconds)
        ranked = self.choice.best(scorers, RANKED)
        note(candidates=ranked.candidates)
        return [(name, long_speech(open_set(score, ranked.candidates), seconds)) for name, score in ranked.best]

    def rest_of(self, voice: _Voice, score: float, named: Sequence[_Voice]) -> bool:
        """Whether a voice without a name is the rest of what its best candidate says, whom it has ``score`` with."""
        if score < REST_SCORE or voice.seconds >= min(LITTLE_SECONDS, LITTLE_SHARE * sum(one.seconds for one in named)):
            return False
        model = self.models.current
        rest, person = _together([voice], model.model_id), _together(named, model.model_id)
        scores = _alike(model, rest.direction, rest.seconds, person.direction[np.newaxis], np.array([person.seconds]))
        return bool(log_odds(scores)[0] >= REST_LOG_ODDS)


def _together(voices: Sequence[_Voice], model_id: str) -> Cluster:
    pooled = np.sum([voice.pooled(model_id) for voice in voices], axis=0)
    return Cluster(pooled, sum(voice.seconds for voice in voices), ())


def _people(voices: Sequence[_Voice], ranking: _Ranking) -> list[_Person]:
    """Voices of one candidate join; a voice has one name at most."""
    found: list[_Person] = []
    by_name: dict[str, list[tuple[_Voice, float]]] = {}
    unnamed: list[tuple[_Voice, list[tuple[str, float]]]] = []
    for voice in voices:
        ranked = ranking([voice])
        if ranked and ranked[0][1] >= ranking.threshold:
            by_name.setdefault(ranked[0][0], []).append((voice, ranked[0][1]))
        else:
            unnamed.append((voice, ranked))
    for voice, ranked in unnamed:
        named = by_name.get(ranked[0][0], []) if ranked else []
        if named and ranking.rest_of(voice, ranked[0][1], [one for one, _ in named]):
            named.append((voice, ranked[0][1]))
        else:
            found.append(_Person([voice], None, None, ranked))
    for name, scored in by_name.items():
        joined = [voice for voice, _ in scored]
        ranked = ranking(joined)
        score = max(dict(ranked).get(name, 0.0), max(score for _, score in scored))
        found.append(_Person(joined, name, score, ranked))
    return found


def _turns(channels: Sequence[_Channel], persons: Sequence[_Person], *, exclusive: bool) -> NamedTurns:
    spoken: list[tuple[float, float, int, int | None]] = []
    for channel in channels:
        labelled = [
            Labelled(stretch, number)
            for number, person in enumerate(persons)
            for voice in person.voices
            if voice.channel == channel.number
            for stretch in voice.stretches
        ]
        windows = windows_of(channel.slices)
        for number, stretches in enumerate(timeline(labelled, len(persons), windows, exclusive=exclusive)):
            spoken += [(start, end, number, channel.number) for start, end in stretches]
    spoken.sort(key=lambda one: one[:3])
    names = _names([number for _, _, number, _ in spoken], persons)
    turns = [
        Turn(start, end, names[number], persons[number].score, channel=channel)
        for start, end, number, channel in spoken
    ]
    everything: list[Stretch] = [(turn.start, turn.end) for turn in turns]
    seconds = [
        union_seconds([one for one, turn in zip(everything, turns, strict=True) if turn.speaker == name])
        for name in names.values()
    ]
    return NamedTurns(
        _with_overlap(turns),
        [
            SpeakerOfTurns(name, total, persons[number].score, persons[number].ranking)
            for (number, name), total in zip(names.items(), seconds, strict=True)
        ],
        audio_seconds=max((channel.slices[-1].seconds for channel in channels), default=0.0),
        speech_seconds=union_seconds(everything),
    )


def _names(appearing: Sequence[int], persons: Sequence[_Person]) -> dict[int, str]:
    """In the order of first appearance."""
    names: dict[int, str] = {}
    strangers = 0
    for number in dict.fromkeys(appearing):
        name = persons[number].name
        strangers += name is None
        names[number] = name or f"{UNKNOWN}{strangers}"
    return names


def _with_overlap(turns: Sequence[Turn]) -> list[Turn]:
    """Marked where somebody else speaks in the turn; by start."""
    return [
        replace(turn, overlap=any(_at_once(turn, other) for other in turns[max(0, number - 50) : number + 50]))
        for number, turn in enumerate(turns)
    ]


def _at_once(turn: Turn, other: Turn) -> bool:
    return other.speaker != turn.speaker and turn.start < other.end and other.start < turn.end


def _alike(model: SpeakerModel, direction: Vector, seconds: float, directions: Vector, others: Numbers) -> Numbers:
    return model.scores_of_all(direction, seconds, directions, others)
