"""Long recordings in which each window of ten seconds says in its first sample who speaks (see ``spoken.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shared.audio.listener import RecordingListener
from shared.domain.errors import SourceChanged, SourceFailed
from shared.domain.heard_speech import STEP, WINDOW, WINDOW_FRAMES
from shared.domain.long_operation import ChannelVoice
from shared.domain.recording import Samples
from shared.domain.recording_url import RecordingHosts, RecordingUrl
from shared.services.audit import Audit
from shared.services.comparison import SpeakerModels
from shared.services.long_turns import HearLongRecordings, LongTurns
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.services.sweep import Sweep
from shared.services.turns import IdentifyTurns
from shared.storage.stores import Stores
from tests.unit.services.spoken import SpokenModel

HOSTS = RecordingHosts.parse("meetings.example.com")
URL = "https://meetings.example.com/secret-recording.wav?sig=secret-signature"


class OneSpeaks:
    """In each window, all the time."""

    def speaking(self, samples: Samples) -> npt.NDArray[np.bool_]:
        frames = np.zeros((WINDOW_FRAMES, 3), np.bool_)
        frames[:, 0] = True
        return frames


@dataclass
class Meeting:
    """``voices`` of the windows, an angle each. ``refused`` is raised at the reading of the piece at that position."""

    voices_of_windows: Sequence[float]
    etag: str = '"1"'
    refused: dict[int, SourceFailed] = field(default_factory=dict)
    read: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        return (len(self.voices_of_windows) - 1) * STEP + WINDOW

    def voices(self, channel: int | None) -> Sequence[ChannelVoice]:
        return [ChannelVoice(None, (0,))]

    def heard(self, voices: Sequence[ChannelVoice], first: int, last: int) -> Sequence[Samples]:
        if refused := self.refused.get(first):
            raise refused
        self.read.append(first)
        samples = np.zeros(min(last, self.length) - first, np.float32)
        for number, voice in enumerate(self.voices_of_windows):
            if 0 <= number * STEP - first < len(samples):
                samples[number * STEP - first] = voice
        return [samples]


@dataclass
class Meetings:
    """One at every URL."""

    meeting: Meeting

    def open(self, url: RecordingUrl, etag: str | None = None) -> Meeting:
        if etag not in (None, self.meeting.etag):
            raise SourceChanged
        return self.meeting


def use_cases(stores: Stores, clock: Clock, new_id: Ids) -> LongTurns:
    turns = IdentifyTurns(
        stores.profiles,
        stores.galleries,
        stores.groups,
        RecordingListener(Silent()),
        OneSpeaks(),
        SpeakerModels(SpokenModel()),
        clock,
    )
    return LongTurns(stores.long_operations, turns, stores.profiles, HOSTS, clock, new_id)


class Silent:
    def speech_mask(self, samples: Samples) -> npt.NDArray[np.bool_]:
        return np.zeros(len(samples), np.bool_)


def timer(
    long_turns: LongTurns, stores: Stores, audit: Audit, meeting: Meeting, *, pieces: int = 1_000
) -> HearLongRecordings:
    """A tick has time for that many pieces."""
    sweep = Sweep("turns", pieces - 0.5, stores.subscriptions, lambda: float(len(meeting.read)), lambda _: None)
    return HearLongRecordings(
        sweep, long_turns.store, Meetings(meeting), long_turns.turns, long_turns.hosts, audit, long_turns.clock
    )
