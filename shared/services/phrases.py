"""What a recording says: a phrase of a list, by the recogniser, or what the profile's own takes say, by comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.errors import ModelDiffers, SpeechTooShort
from shared.domain.limits import MIN_EXAMPLE_SECONDS
from shared.domain.passphrase import HeardPhrase, PhraseTemplate
from shared.domain.profile import Profile
from shared.domain.recording import Utterance
from shared.domain.subscription import SubscriptionSettings
from shared.services.ports.hearing import PassphraseRecogniser, PhraseExamples
from shared.services.profiles import canonical_locale


@dataclass(frozen=True)
class HearPhrase:
    recogniser: PassphraseRecogniser
    examples: PhraseExamples

    def recognised(self, profile: Profile, utterance: Utterance, settings: SubscriptionSettings) -> HeardPhrase:
        locale = canonical_locale(profile.locale)
        allowed = settings.allowed_phrases(locale, profile.passphrase)
        return self.recogniser.recognise(utterance, allowed, locale, expected=profile.passphrase)

    def is_by_example(self, profile: Profile, settings: SubscriptionSettings) -> bool:
        return settings.by_example(canonical_locale(profile.locale), profile.passphrase)

    def example(self, utterance: Utterance) -> PhraseTemplate:
        """Raises ``SpeechTooShort``."""
        if utterance.speech_seconds < MIN_EXAMPLE_SECONDS:
            raise SpeechTooShort(utterance.speech_seconds, MIN_EXAMPLE_SECONDS)
        return self.examples.template(utterance)

    def compared(self, profile: Profile, take: PhraseTemplate, enrolled: Sequence[PhraseTemplate]) -> HeardPhrase:
        """Without any that is enrolled it says something else.

        Raises ``ModelDiffers`` when another front end made the templates: the profile must be enrolled again.
        """
        for template in enrolled:
            if template.front_end != take.front_end:
                raise ModelDiffers(profile.key.profile_id, template.front_end, configured=take.front_end)
        return self.examples.compare(take, enrolled)
