"""Enroll a recording: a passphrase into a text-dependent profile, any speech into the others.

The expensive part (decode, find speech, embed) happens once and outside any contention. What is written is decided on
the profile as it is at that moment; when another request changed it in between, the decision is taken anew on the
fresh profile, a bounded number of times. So two enrollments at once both count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial

from shared.domain.audit import AuditAction, Caller
from shared.domain.errors import (
    EnrollmentAudioFull,
    ModelDiffers,
    PassphraseDiffers,
    PassphraseNotHeard,
    PassphraseUnlike,
    ProfileBusy,
    TooManyEnrollments,
)
from shared.domain.explanation import Explanation, PhraseHeard, explained
from shared.domain.limits import (
    MAX_PHRASE_TEMPLATES,
    MAX_VERIFICATION_ENROLLMENTS,
    VERIFICATION_ENROLLMENTS_NEEDED,
    AudioRules,
)
from shared.domain.measurement import note
from shared.domain.passphrase import BY_EXAMPLE, HeardPhrase, PhraseTemplate
from shared.domain.profile import Enrollment, EnrollmentStatus, Profile, ProfileKey
from shared.domain.recording import Audio, Utterance
from shared.domain.subscription import SubscriptionSettings
from shared.services.activation import require_activation
from shared.services.audit import Audit, NewRecord
from shared.services.cohesion import require_same_voice, second_voice
from shared.services.comparison import SpeakerModels
from shared.services.phrases import HearPhrase
from shared.services.ports.clock_and_ids import Clock
from shared.services.ports.hearing import AudioKeeper, Listener, SpeakerModel
from shared.services.ports.keeping import ProfileStore
from shared.services.profiles import while_busy


@dataclass(frozen=True)
class EnrollRules:
    """What an enrollment needs in one generation of the API; all but ``audio`` is for text-independent profiles.

    ``at_once`` (v1.0 ``shortAudio``, later ``ignoreMinLength``) makes the profile usable however little was said.
    """

    audio: AudioRules
    needed_speech_seconds: float = 0.0
    max_audio_seconds: float = math.inf
    at_once: bool = False


@dataclass(frozen=True)
class EnrollRequest:
    caller: Caller
    key: ProfileKey
    audio: Audio
    rules: EnrollRules

    @property
    def settings(self) -> SubscriptionSettings:
        return self.caller.subscription.settings


@dataclass(frozen=True)
class Enrolled:
    """The profile after the enrollment, and the enrollment itself."""

    profile: Profile
    enrollment: Enrollment
    explanation: Explanation


@dataclass(frozen=True)
class _Take:
    """An accepted recording. ``before`` is the profile as it was when the recording was listened to. ``template`` is of
    a phrase by example, which the recordings that are there when it is written have to say too."""

    before: Profile
    utterance: Utterance
    phrase: str | None = field(repr=False)
    kept_audio: bytes | None = field(repr=False)
    template: PhraseTemplate | None = None

    def explanation(self, model: SpeakerModel) -> Explanation:
        phrase = None if self.phrase is None else PhraseHeard(recognised=True, complete=True)
        return Explanation(None, self.utterance.measured, model_id=model.model_id, phrase=phrase)


@dataclass(frozen=True)
class Enroll:
    """``activation``: free speech begins with the activation phrase. ``ear`` tells two voices in a recording apart,
    whatever model the profile is of."""

    profiles: ProfileStore
    audit: Audit
    listener: Listener
    phrases: HearPhrase
    models: SpeakerModels
    keeper: AudioKeeper
    clock: Clock
    ear: SpeakerModel
    activation: bool = False

    def __call__(self, request: EnrollRequest) -> Enrolled:
        """The first accepted recording binds a text-dependent profile to its phrase. Speech accumulates in the others.

        The recording is kept where the kind and the subscription's settings say so.

        Raises
        ------
        ProfileNotFound, ConsentMissing, ConsentWithdrawn, RecordingRefused, ModelDiffers, ProfileBusy
        PassphraseNotHeard, PassphraseDiffers, PassphraseUnlike, TooManyEnrollments
            Text-dependent.
        ActivationNotHeard, EnrollmentAudioFull
            Text-independent.
        """
        model_id = self.models.current.model_id
        with self.audit.recording(request.caller.actor, AuditAction.ENROLL, request.key, model_id=model_id) as record:
            enrolled = self._enroll(request, record)
        note(outcome="enrolled", explanation=enrolled.explanation)
        return enrolled

    def _enroll(self, request: EnrollRequest, record: NewRecord) -> Enrolled:
        """With the model that made the profile's signature; with the other model when it was migrated meanwhile."""
        models = self.models.calibrated_for(request.settings)
        take = self._listen(request, models)
        model = models.model_of(take.before)
        with explained(take.explanation(model)):
            enrollment = self._enrollment(model, take.utterance, request.settings)
            try:
                return while_busy(partial(self._commit, request, take, model, enrollment, record))
            except ModelDiffers:
                model = models.model_of(self.profiles.get(request.key))
                enrollment = self._enrollment(model, take.utterance, request.settings)
                return while_busy(partial(self._commit, request, take, model, enrollment, record))

    def _listen(self, request: EnrollRequest, models: SpeakerModels) -> _Take:
        """What can be refused before the recording is looked at is refused first."""
        settings, audio, needs_phrase = request.settings, request.audio, request.key.kind.needs_phrase
        profile = self.profiles.get(request.key)
        profile.consent.require(request.key.profile_id, demanded=settings.require_consent)
        if needs_phrase:
            _require_room(profile)
        models.model_of(profile)
        rules = request.rules.audio.moved(settings.quality)
        utterance = self.listener.listen(audio.content, audio.media_type, rules, audio.channel)
        with explained(Explanation(measured=utterance.measured)):
            if needs_phrase:
                return self._said(profile, utterance, settings)
            if self.activation and not profile.is_active:
                require_activation(self.phrases.recogniser, profile, utterance)
        keeps = request.key.kind.keeps_audio and settings.keep_identification_audio
        return _Take(profile, utterance, None, self.keeper.encode(utterance) if keeps else None)

    def _said(self, profile: Profile, utterance: Utterance, settings: SubscriptionSettings) -> _Take:
        """Raises ``PassphraseNotHeard``, ``SpeechTooShort``."""
        if self.phrases.is_by_example(profile, settings):
            return _Take(profile, utterance, BY_EXAMPLE, None, self.phrases.example(utterance))
        heard = self.phrases.recognised(profile, utterance, settings)
        if not heard.recognised or heard.phrase is None:
            raise PassphraseNotHeard(heard.phrase, cut=_is_cut(heard, profile.passphrase))
        return _Take(profile, utterance, heard.phrase, None)

    def _enrollment(self, model: SpeakerModel, utterance: Utterance, settings: SubscriptionSettings) -> Enrollment:
        """Raises ``SecondVoiceHeard``."""
        if settings.enrollment_cohesion and (second := second_voice(self.ear, utterance)):
            raise second
        return Enrollment(
            embedding=model.embed(utterance),
            model_id=model.model_id,
            audio_seconds=utterance.seconds,
            speech_seconds=utterance.speech_seconds,
            snr_db=utterance.snr_db,
            created_at=self.clock(),
        )

    def _commit(
        self, request: EnrollRequest, take: _Take, model: SpeakerModel, enrollment: Enrollment, record: NewRecord
    ) -> Enrolled:
        """Adds the enrollment to whatever the profile is at the moment of writing.

        Raises ``ModelDiffers`` when that was made by another model, and ``ProfileBusy`` when it has changed meanwhile.
        """
        profile, signature = self.profiles.get_with_signature(request.key)
        profile.consent.require(request.key.profile_id, demanded=request.settings.require_consent)
        if profile.model_id not in (None, model.model_id):  # its signature must not meet this embedding
            raise ModelDiffers(request.key.profile_id, str(profile.model_id), configured=model.model_id)
        after = _counted(self._admitted(profile, request.rules, take, enrollment), enrollment)
        if take.template:
            enrollment = replace(enrollment, template=self._kept_template(profile, take.template))
        if signature is not None and request.settings.enrollment_cohesion:
            require_same_voice(model, signature, enrollment)
        total = signature.plus(enrollment) if signature else enrollment.signature
        stored = self.profiles.enroll(after, total, enrollment, take.kept_audio, record())
        return Enrolled(stored, enrollment, take.explanation(model))

    def _kept_template(self, profile: Profile, template: PhraseTemplate) -> PhraseTemplate | None:
        """``None`` when enough are kept already. Raises ``PassphraseUnlike``, ``ModelDiffers``."""
        enrolled = self.profiles.templates(profile) if profile.is_by_example else ()
        if profile.is_by_example and not self.phrases.compared(profile, template, enrolled).recognised:
            raise PassphraseUnlike
        return template if len(enrolled) < MAX_PHRASE_TEMPLATES else None

    def _admitted(self, profile: Profile, rules: EnrollRules, take: _Take, enrollment: Enrollment) -> Profile:
        """The profile with its new status, and bound to the phrase; the counts are not in it yet."""
        if take.phrase is not None:
            _require_room(profile)
            if profile.passphrase not in (None, take.phrase):
                raise PassphraseDiffers(heard=take.phrase, expected=profile.passphrase)
            enough = profile.enrollments_count + 1 >= VERIFICATION_ENROLLMENTS_NEEDED
            return replace(profile, passphrase=take.phrase, status=_status(enough=enough))
        if self.activation and take.before.is_active and not profile.is_active:
            raise ProfileBusy(profile.key.profile_id)  # it was reset meanwhile, and must hear the phrase again
        audio_seconds = profile.audio_seconds + enrollment.audio_seconds
        if audio_seconds > rules.max_audio_seconds:
            raise EnrollmentAudioFull(audio_seconds, rules.max_audio_seconds)
        speech_seconds = profile.speech_seconds + enrollment.speech_seconds
        enough = profile.is_enrolled or rules.at_once or speech_seconds >= rules.needed_speech_seconds
        return replace(profile, status=_status(enough=enough))


def _require_room(profile: Profile) -> None:
    if profile.enrollments_count >= MAX_VERIFICATION_ENROLLMENTS:
        raise TooManyEnrollments(MAX_VERIFICATION_ENROLLMENTS)


def _is_cut(heard: HeardPhrase, bound_to: str | None) -> bool:
    """Whether the profile's phrase was begun, or before there is one, any that is allowed."""
    return heard.is_cut(bound_to) if bound_to else heard.begun is not None


def _status(*, enough: bool) -> EnrollmentStatus:
    return EnrollmentStatus.ENROLLED if enough else EnrollmentStatus.ENROLLING


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
