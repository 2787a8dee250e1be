"""Draw digits that one verification has to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.challenge import Challenge, RandomBelow, draw
from shared.domain.errors import ProfileNotEnrolled
from shared.domain.limits import CHALLENGE_SECONDS, MAX_OPEN_CHALLENGES
from shared.domain.profile import Profile
from shared.domain.recording import Utterance
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.services.ports.hearing import DigitRecogniser
from shared.services.ports.keeping import ChallengeStore
from shared.services.profiles import canonical_locale


@dataclass(frozen=True)
class Drawn:
    """``text`` are the words to be said, in the profile's language."""

    challenge: Challenge
    locale: str
    text: str


@dataclass(frozen=True)
class Challenges:
    """``below`` is a cryptographic generator."""

    store: ChallengeStore
    digits: DigitRecogniser
    clock: Clock
    new_id: Ids
    below: RandomBelow

    def draw(self, profile: Profile, count: int) -> Drawn:
        """Raises ``ProfileNotEnrolled``, ``LocaleUnsupported``, ``TooManyChallenges``, ``ProfileNotFound`` and
        ``ProfileBusy`` when it is deleted or reset meanwhile."""
        key = profile.key
        locale = canonical_locale(profile.locale, self.digits.locales)
        if not profile.is_enrolled:
            raise ProfileNotEnrolled(key.profile_id, "an enrollment to compare with")
        now = self.clock()
        expires_at = now + timedelta(seconds=CHALLENGE_SECONDS)
        challenge = Challenge(self.new_id(), key, profile.epoch, draw(count, self.below), expires_at)
        self.store.add(challenge, MAX_OPEN_CHALLENGES, now)
        return Drawn(challenge, locale, self.digits.text(challenge.digits, locale))

    def opened(self, profile: Profile, challenge_id: str, at: datetime) -> Challenge:
        """Raises ``ChallengeUnusable``."""
        return self.store.get(profile.key, profile.epoch, challenge_id, at)

    def answered(self, challenge: Challenge, profile: Profile, utterance: Utterance) -> bool:
        return self.digits.says(utterance, challenge.digits, canonical_locale(profile.locale, self.digits.locales))

    def spend(self, challenge: Challenge) -> None:
        """Raises ``ChallengeUnusable`` when another request was first."""
        self.store.spend(challenge)
