"""Enroll a recording, by phrase or by free speech.

The expensive part (decode, find speech, embed) happens once and outside any contention. What is written is decided on
the profile as it is at that moment; when another request changed it in between, the decision is taken anew on the
fresh profile, a bounded number of times. So two enrollments at once both count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.domain.audit import AuditAction, Caller
from shared.domain.errors import (
    EnrollmentAudioFull,
    ModelDiffers,
    PassphraseDiffers,
    PassphraseNotHeard,
    ProfileBusy,
    TooManyEnrollments,
)
from shared.domain.limits import MAX_VERIFICATION_ENROLLMENTS, VERIFICATION_ENROLLMENTS_NEEDED, AudioRules
from shared.domain.profile import Enrollment, EnrollmentStatus, Profile, ProfileKey, Signature
from shared.domain.recording import Audio, Utterance
from shared.domain.subscription import SubscriptionSettings
from shared.services.activation import RequireActivation
from shared.services.audit import Audit
from shared.services.cohesion import require_one_voice, require_same_voice
from shared.services.ports import AudioKeeper, Clock, Listener, PassphraseRecogniser, ProfileStore, SpeakerModel
from shared.services.profiles import canonical_locale
from shared.services.side_by_side import SpeakerModels

COMMIT_ATTEMPTS = 4
"""How often a lost race is run again before the caller is told that the profile is busy."""


@dataclass(frozen=True)
class Enrolled:
    """The profile after the enrollment, and the enrollment itself."""

    profile: Profile
    enrollment: Enrollment


@dataclass(frozen=True)
class Commit:
    """Adds an enrollment to whatever the profile is at the moment of writing."""

    profiles: ProfileStore
    consent_demanded: bool
    same_voice: Callable[[Signature, Enrollment], None]

    def __call__(
        self,
        key: ProfileKey,
        enrollment: Enrollment,
        audio: bytes | None,
        admit: Callable[[Profile], Profile],
    ) -> Profile:
        """``admit`` checks the profile and returns its new state, without the counts, which are added here."""
        for attempt in range(1, COMMIT_ATTEMPTS + 1):
            profile, signature = self.profiles.get_with_signature(key)
            profile.consent.require(key.profile_id, demanded=self.consent_demanded)
            require_model(profile, enrollment.model_id)
            after = _counted(admit(profile), enrollment)
            if signature is not None:
                self.same_voice(signature, enrollment)
            total = signature.plus(enrollment) if signature else enrollment.signature
            try:
                return self.profiles.enroll(after, total, enrollment, audio)
            except ProfileBusy:
                if attempt == COMMIT_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")


@dataclass(frozen=True)
class EnrollPhrase:
    """Text-dependent: the first accepted recording binds the profile to the phrase that was said."""

    profiles: ProfileStore
    audit: Audit
    listener: Listener
    phrases: PassphraseRecogniser
    model: SpeakerModel
    clock: Clock
    previous: SpeakerModel | None = None

    def __call__(self, caller: Caller, key: ProfileKey, audio: Audio, rules: AudioRules) -> Enrolled:
        """
        Raises
        ------
        ProfileNotFound, ConsentMissing, ConsentWithdrawn, RecordingRefused, PassphraseNotHeard, PassphraseDiffers,
        TooManyEnrollments, ModelDiffers, ProfileBusy
        """
        with self.audit.of(caller.actor, AuditAction.ENROLL, key, model_id=self.model.model_id):
            return self._enrolled(caller.subscription.settings, key, audio, rules)

    def _enrolled(self, settings: SubscriptionSettings, key: ProfileKey, audio: Audio, rules: AudioRules) -> Enrolled:
        profile = self._open(key, settings)
        models = SpeakerModels(self.model, self.previous, settings.calibration)
        locale = canonical_locale(profile.locale, key.kind)
        utterance = self.listener.listen(audio.content, audio.media_type, rules.moved(settings.quality), audio.channel)
        heard = self.phrases.recognise(utterance, settings.allowed_phrases(locale, profile.passphrase), locale)
        if not heard.recognised or heard.phrase is None:
            raise PassphraseNotHeard(heard.phrase)
        phrase = heard.phrase
        commit = Commit(self.profiles, settings.require_consent, _same_voice(settings, models))
        return _in_its_model(
            models,
            profile,
            lambda: self.profiles.get(key),
            lambda model: _enrollment(model, utterance, self.clock, settings),
            lambda enrollment: commit(key, enrollment, None, lambda now: self._admit(now, phrase)),
        )

    def _open(self, key: ProfileKey, settings: SubscriptionSettings) -> Profile:
        profile = self.profiles.get(key)
        profile.consent.require(key.profile_id, demanded=settings.require_consent)
        if profile.enrollments_count >= MAX_VERIFICATION_ENROLLMENTS:
            raise TooManyEnrollments(MAX_VERIFICATION_ENROLLMENTS)
        SpeakerModels(self.model, self.previous).of(profile)
        return profile

    @staticmethod
    def _admit(profile: Profile, phrase: str) -> Profile:
        if profile.enrollments_count >= MAX_VERIFICATION_ENROLLMENTS:
            raise TooManyEnrollments(MAX_VERIFICATION_ENROLLMENTS)
        if profile.passphrase not in (None, phrase):
            raise PassphraseDiffers(heard=phrase, expected=profile.passphrase)
        enough = profile.enrollments_count + 1 >= VERIFICATION_ENROLLMENTS_NEEDED
        status = EnrollmentStatus.ENROLLED if enough else EnrollmentStatus.ENROLLING
        return replace(profile, passphrase=phrase, status=status)


@dataclass(frozen=True)
class SpeechRules:
    """What a text-independent enrollment needs in one generation of the API.

    ``at_once`` (v1.0 ``shortAudio``, later ``ignoreMinLength``) makes the profile usable however little was said.
    """

    audio: AudioRules
    needed_speech_seconds: float
    max_audio_seconds: float
    at_once: bool


@dataclass(frozen=True)
class EnrollSpeech:
    """Text-independent: any speech, accumulated until there is enough."""

    profiles: ProfileStore
    audit: Audit
    listener: Listener
    model: SpeakerModel
    keeper: AudioKeeper
    clock: Clock
    previous: SpeakerModel | None = None
    activation: RequireActivation | None = None

    def __call__(self, caller: Caller, key: ProfileKey, audio: Audio, rules: SpeechRules) -> Enrolled:
        """The recording is kept where the kind and the subscription's settings say so.

        Raises
        ------
        ProfileNotFound, ConsentMissing, ConsentWithdrawn, RecordingRefused, ActivationNotHeard, EnrollmentAudioFull,
        ModelDiffers, ProfileBusy
        """
        with self.audit.of(caller.actor, AuditAction.ENROLL, key, model_id=self.model.model_id):
            return self._enrolled(caller.subscription.settings, key, audio, rules)

    def _enrolled(self, settings: SubscriptionSettings, key: ProfileKey, audio: Audio, rules: SpeechRules) -> Enrolled:
        profile = self.profiles.get(key)
        profile.consent.require(key.profile_id, demanded=settings.require_consent)
        models = SpeakerModels(self.model, self.previous, settings.calibration)
        models.of(profile)
        utterance = self.listener.listen(
            audio.content, audio.media_type, rules.audio.moved(settings.quality), audio.channel
        )
        if self.activation and not profile.is_active:
            self.activation(profile, utterance)
        keeps = key.kind.keeps_audio and settings.keep_identification_audio
        kept = self.keeper.encode(utterance) if keeps else None
        commit = Commit(self.profiles, settings.require_consent, _same_voice(settings, models))
        return _in_its_model(
            models,
            profile,
            lambda: self.profiles.get(key),
            lambda model: _enrollment(model, utterance, self.clock, settings),
            lambda enrollment: commit(key, enrollment, kept, lambda now: self._admit(profile, now, enrollment, rules)),
        )

    def _admit(self, before: Profile, profile: Profile, enrollment: Enrollment, rules: SpeechRules) -> Profile:
        if self.activation and before.is_active and not profile.is_active:
            raise ProfileBusy(profile.key.profile_id)  # reset meanwhile, and nobody has said the phrase since
        audio_seconds = profile.audio_seconds + enrollment.audio_seconds
        if audio_seconds > rules.max_audio_seconds:
            raise EnrollmentAudioFull(audio_seconds, rules.max_audio_seconds)
        speech_seconds = profile.speech_seconds + enrollment.speech_seconds
        enough = profile.is_enrolled or rules.at_once or speech_seconds >= rules.needed_speech_seconds
        return replace(profile, status=EnrollmentStatus.ENROLLED if enough else EnrollmentStatus.ENROLLING)


def require_model(profile: Profile, model_id: str) -> None:
    """A signature of one model never meets an embedding of another."""
    if profile.model_id not in (None, model_id):
        raise ModelDiffers(profile.key.profile_id, made_by=str(profile.model_id), configured=model_id)


def _in_its_model(
    models: SpeakerModels,
    profile: Profile,
    reread: Callable[[], Profile],
    embedded: Callable[[SpeakerModel], Enrollment],
    committed: Callable[[Enrollment], Profile],
) -> Enrolled:
    """Enroll with the model that made the profile's signature; with the other one when it was migrated meanwhile.

    Raises ``ModelDiffers`` when the service does not run the profile's model.
    """
    enrollment = embedded(models.of(profile))
    try:
        return Enrolled(committed(enrollment), enrollment)
    except ModelDiffers:
        enrollment = embedded(models.of(reread()))
        return Enrolled(committed(enrollment), enrollment)


def _same_voice(settings: SubscriptionSettings, models: SpeakerModels) -> Callable[[Signature, Enrollment], None]:
    def require(signature: Signature, enrollment: Enrollment) -> None:
        if settings.enrollment_cohesion:
            require_same_voice(models.named(enrollment.model_id), signature, enrollment)

    return require


def _enrollment(model: SpeakerModel, utterance: Utterance, clock: Clock, settings: SubscriptionSettings) -> Enrollment:
    if settings.enrollment_cohesion:
        require_one_voice(model, utterance)
    return Enrollment(
        embedding=model.embed(utterance),
        model_id=model.model_id,
        audio_seconds=utterance.seconds,
        speech_seconds=utterance.speech_seconds,
        snr_db=utterance.snr_db,
        created_at=clock(),
    )


def _counted(profile: Profile, enrollment: Enrollment) -> Profile:
    return replace(
        profile,
        enrollments_count=profile.enrollments_count + 1,
        audio_seconds=profile.audio_seconds + enrollment.audio_seconds,
        speech_seconds=profile.speech_seconds + enrollment.speech_seconds,
        last_enrolled_at=enrollment.created_at,
        last_action_at=enrollment.created_at,
        model_id=enrollment.model_id,
    )
