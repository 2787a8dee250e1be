"""Verify that a recording is of the enrolled speaker. Nothing of the recording is stored.

A profile counts as used at the moment before it was read: a use never brings one back whose time is over by now.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.decision import Decision
from shared.domain.errors import ProfileNotEnrolled
from shared.domain.limits import AudioRules
from shared.domain.passphrase import HeardPhrase
from shared.domain.profile import Profile, ProfileKey, Signature
from shared.domain.recording import Audio
from shared.domain.subscription import SubscriptionSettings
from shared.services.beside import beside
from shared.services.ports import Clock, Listener, PassphraseRecogniser, ProfileStore, SpeakerModel
from shared.services.profiles import canonical_locale
from shared.services.side_by_side import SpeakerModels


@dataclass(frozen=True)
class Verification:
    """``heard`` is what was said (text-dependent only); the decision is about voice and phrase together."""

    decision: Decision
    heard: HeardPhrase | None = None


@dataclass(frozen=True)
class VerifyPhrase:
    """Text-dependent: the voice and the phrase must both be the enrolled ones."""

    profiles: ProfileStore
    listener: Listener
    phrases: PassphraseRecogniser
    model: SpeakerModel
    clock: Clock
    previous: SpeakerModel | None = None

    def __call__(
        self, settings: SubscriptionSettings, key: ProfileKey, audio: Audio, rules: AudioRules
    ) -> Verification:
        """Another phrase, or none that is allowed, is a reject with score 0; ``heard`` tells which.

        A recording of none of the phrases is no use of the profile: v1.0 refuses it, and nothing is written.

        Raises
        ------
        ProfileNotFound, ProfileNotEnrolled, ModelDiffers, RecordingRefused
        """
        used_at = self.clock()
        models = SpeakerModels(self.model, self.previous, settings.calibration)
        (profile, signature), utterance = beside(
            lambda: enrolled(self.profiles, key, models),
            lambda: self.listener.listen(audio.content, audio.media_type, rules.moved(settings.quality), audio.channel),
        )
        locale = canonical_locale(profile.locale, key.kind)
        heard = self.phrases.recognise(utterance, settings.allowed_phrases(locale, profile.passphrase), locale)
        if not heard.recognised:
            return Verification(Decision(0.0, settings.thresholds.verification), heard)
        said_it = heard.phrase == profile.passphrase
        _, score = beside(
            lambda: self.profiles.touch(key, used_at),
            lambda: models.scores(utterance, [signature])[0] if said_it else 0.0,
        )
        return Verification(Decision(score, settings.thresholds.verification), heard)


@dataclass(frozen=True)
class VerifySpeech:
    """Text-independent: the voice must be the enrolled one, whatever is said."""

    profiles: ProfileStore
    listener: Listener
    model: SpeakerModel
    clock: Clock
    previous: SpeakerModel | None = None

    def __call__(
        self, settings: SubscriptionSettings, key: ProfileKey, audio: Audio, rules: AudioRules
    ) -> Verification:
        """
        Raises
        ------
        ProfileNotFound, ProfileNotEnrolled, ModelDiffers, RecordingRefused
        """
        used_at = self.clock()
        models = SpeakerModels(self.model, self.previous, settings.calibration)
        (_, signature), utterance = beside(
            lambda: enrolled(self.profiles, key, models),
            lambda: self.listener.listen(audio.content, audio.media_type, rules.moved(settings.quality), audio.channel),
        )
        _, (score,) = beside(lambda: self.profiles.touch(key, used_at), lambda: models.scores(utterance, [signature]))
        return Verification(Decision(score, settings.thresholds.verification))


def enrolled(profiles: ProfileStore, key: ProfileKey, models: SpeakerModels) -> tuple[Profile, Signature]:
    """The profile and its signature, fit to be scored by one of these models.

    Raises
    ------
    ProfileNotFound, ProfileNotEnrolled, ModelDiffers
    """
    return usable(*profiles.get_with_signature(key), models)


def usable(profile: Profile, signature: Signature | None, models: SpeakerModels) -> tuple[Profile, Signature]:
    """Raises ``ProfileNotEnrolled``, ``ModelDiffers``."""
    if not profile.is_enrolled or signature is None:
        raise ProfileNotEnrolled(profile.key.profile_id, _missing(profile))
    models.of(profile)
    return profile, signature


def _missing(profile: Profile) -> str:
    if profile.key.kind.needs_phrase:
        return f"{profile.remaining_enrollments} more recording(s) of the phrase"
    return f"more speech; it has {profile.speech_seconds:.2f} seconds"
