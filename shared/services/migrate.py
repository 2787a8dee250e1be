"""Rebuild signatures for the configured model from the kept audio, in bounded slices that a timer starts.

Every step can be cut off: what a profile becomes and that it was counted are written together, and the next tick goes
on where this one was killed. What cannot be rebuilt is left as it is, and says on use that it must be enrolled again.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from shared.domain.errors import ProfileBusy, ProfileNotFound, RecordingRefused, SealBroken
from shared.domain.limits import AudioRules, QualityLimits
from shared.domain.migration import AudioNotKept, Candidate, KeptRecording, MigrationProgress, Rebuilt
from shared.domain.profile import Profile, Signature
from shared.domain.subscription import Subscription
from shared.services.ports.clock_and_ids import Clock
from shared.services.ports.hearing import Listener, SpeakerModel
from shared.services.ports.keeping import MigrationStore
from shared.services.sweep import IsOver, Sweep

log: Final = logging.getLogger("timbre.migration")

SECONDS: Final = 100.0
"""After this a tick begins with no further profile: one with half an hour of audio takes several seconds."""

PAGE: Final = 200

ANY_RECORDING: Final = AudioRules(
    0.0, 3_600.0, min_speech_seconds=0.0, min_snr_db=-math.inf, max_clipped_percent=100.0
).moved(QualityLimits(min_level_dbfs=-math.inf))
"""It was accepted when it was enrolled; today's limits do not make it worse."""


@dataclass(frozen=True)
class Migrate:
    sweep: Sweep
    store: MigrationStore
    listener: Listener
    model: SpeakerModel
    clock: Clock

    def __call__(self) -> int:
        """The number of profiles looked at."""
        return self.sweep(self.sweep.active(), self._walk)

    def progress(self, subscription_id: str) -> MigrationProgress | None:
        """For the operator; ``None`` before the first walk. Raises ``SubscriptionNotFound``."""
        self.sweep.subscriptions.get(subscription_id)
        return self.store.progress(subscription_id)

    def _walk(self, subscription: Subscription, is_over: IsOver) -> int:
        subscription_id, checked = subscription.subscription_id, 0
        progress = self._begun(subscription_id)
        while progress is not None:
            page = self.store.page(subscription_id, progress.cursor, PAGE)
            for candidate in page.candidates:
                if is_over():
                    self.store.save(subscription_id, progress)
                    return checked
                progress = self._moved(candidate, progress)
                checked += 1
            progress = replace(progress, cursor=page.cursor)
            if page.last:
                self._end(subscription_id, progress)
                break
            self.store.save(subscription_id, progress)
        return checked

    def _begun(self, subscription_id: str) -> MigrationProgress | None:
        """Where the walk stands; a new one where there is none to this model; ``None`` while there is nothing to do."""
        progress = self.store.progress(subscription_id)
        if progress is not None and progress.model_id == self.model.model_id:
            if progress.finished_at is None:
                return progress
            if progress.rests(self.clock()):
                return None
            progress = progress.from_the_start()
        else:
            progress = MigrationProgress(self.model.model_id, self.clock())
        self.store.save(subscription_id, progress)
        return progress

    def _moved(self, candidate: Candidate, progress: MigrationProgress) -> MigrationProgress:
        """The progress behind this profile; already stored if the profile was changed."""
        profile, past = candidate.profile, partial(progress.past, candidate.cursor)
        if profile.model_id in (None, self.model.model_id):
            return past()
        if not profile.key.kind.keeps_audio or candidate.hopeless_for == self.model.model_id:
            return past(flagged=1)
        try:
            return self._migrated(profile, past(migrated=1), past(flagged=1))
        except (ProfileBusy, ProfileNotFound):
            return past(postponed=1)

    def _migrated(self, profile: Profile, migrated: MigrationProgress, flagged: MigrationProgress) -> MigrationProgress:
        """The progress behind the profile, whether it could be rebuilt or not; stored with it."""
        try:
            rebuilt = [self._rebuilt(kept) for kept in self.store.recordings(profile)]
        except (AudioNotKept, RecordingRefused, SealBroken) as reason:
            log.warning(
                "migration_hopeless subscription=%s profile=%s reason=%s",
                profile.key.subscription_id,
                profile.key.profile_id,
                type(reason).__name__,
            )
            self.store.flag(profile, self.model.model_id, flagged)
            return flagged
        self.store.replace(profile, _pooled(rebuilt, self.model.model_id), rebuilt, migrated)
        return migrated

    def _rebuilt(self, kept: KeptRecording) -> Rebuilt:
        utterance = self.listener.listen(kept.content, "audio/flac", ANY_RECORDING)
        return Rebuilt(kept.enrollment, kept.speech_seconds, self.model.embed(utterance))

    def _end(self, subscription_id: str, progress: MigrationProgress) -> None:
        ended = progress.at_the_end(self.clock())
        self.store.save(subscription_id, ended)
        if progress.migrated or progress.flagged:
            log.info(
                "migration_walked subscription=%s model=%s migrated=%d flagged=%d postponed=%d",
                subscription_id,
                progress.model_id,
                progress.migrated,
                progress.flagged,
                progress.postponed,
            )


def _pooled(rebuilt: Sequence[Rebuilt], model_id: str) -> Signature:
    """As enrolling one after the other would have made it: each weighs as much as it has speech."""
    each = [enrollment.embedding * np.float32(enrollment.speech_seconds) for enrollment in rebuilt]
    pooled = np.asarray(np.sum(each, axis=0), np.float32)
    return Signature(pooled, model_id, sum(enrollment.speech_seconds for enrollment in rebuilt))
