"""Refuse or flag a recording that was accepted before: the same audio again, not another take of the same words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.explanation import Explanation
from shared.domain.profile import Profile
from shared.domain.recording import Utterance
from shared.domain.replay import Print, repeated
from shared.domain.subscription import ReplayAction, SubscriptionSettings
from shared.services.ports.hearing import LandmarkFinder
from shared.services.ports.keeping import PrintKeys, PrintStore


@dataclass(frozen=True)
class Replays:
    landmarks: LandmarkFinder
    keys: PrintKeys
    store: PrintStore

    def judged(
        self,
        accepted: Explanation,
        profile: Profile,
        utterance: Utterance,
        settings: SubscriptionSettings,
        at: datetime,
    ) -> Explanation:
        """Of a recording that would be accepted: rejected or flagged if it is, or is a part of, one that was accepted
        for this profile in the last days. If not, its print is kept, so that of two at once one is new.

        Raises ``ProfileNotFound``, ``ProfileBusy``, ``StorageUnavailable``.
        """
        secret = self.keys.print_key(profile.key.subscription_id)
        found = self.landmarks.aligned(utterance.recording.samples)
        prints = [Print.of(landmarks, profile.key, secret) for landmarks in found]
        kept = self.store.keep_new(profile, prints[0], settings.replay_days, at, lambda kept: repeated(prints, kept))
        return accepted.of_replay(not kept, refused=settings.replay_action is ReplayAction.REFUSE)
