"""Active enrollment: the speaker of a text-independent profile says the activation phrase, and so is known to be there.

The phrase has to be in the profile's first recording, alone or with more speech around it, set off by short pauses.
Off unless ``TIMBRE_ACTIVATION`` is set; then it counts for every generation of the API, or it would protect nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

import numpy as np

from shared.domain.errors import ActivationNotHeard
from shared.domain.passphrase import ACTIVATION_PHRASES_BY_LOCALE, normalise_phrase
from shared.domain.profile import Profile
from shared.domain.recording import SAMPLE_RATE, Utterance
from shared.services.ports.hearing import PassphraseRecogniser
from shared.services.profiles import canonical_locale

PAUSE_SECONDS: Final = 0.2
"""Silence that sets the phrase off. Shorter ones are between the words of a phrase."""

SHORTEST_SECONDS: Final = 2.5
LONGEST_SECONDS: Final = 9.0
"""Between a fast and a slow reading: 3.9 and 5.8 s in the two real takes that we have, 4 to 5 s synthesised."""

MAX_PASSAGES: Final = 24
"""Passages that are tried, in the order in which they begin: each costs a recognition of about 60 ms."""


def require_activation(recogniser: PassphraseRecogniser, profile: Profile, utterance: Utterance) -> None:
    """Raises ``ActivationNotHeard``."""
    locale = canonical_locale(profile.locale)
    phrases = ACTIVATION_PHRASES_BY_LOCALE.get(locale)
    if not phrases:
        raise ActivationNotHeard(None, locale)
    spoken = tuple(normalise_phrase(phrase) for phrase in phrases)
    candidates = islice(passages(utterance), MAX_PASSAGES)
    if not any(recogniser.recognise(passage, spoken, locale, alone=True).recognised for passage in candidates):
        raise ActivationNotHeard(phrases[0], locale)


def passages(utterance: Utterance) -> Iterator[Utterance]:
    """Every part of the recording, from one pause to another, that is as long as the phrase may be."""
    stretches = _stretches(utterance)
    for number, (start, _) in enumerate(stretches):
        for _, end in stretches[number:]:
            seconds = (end - start) / SAMPLE_RATE
            if seconds > LONGEST_SECONDS:
                break
            if seconds >= SHORTEST_SECONDS:
                yield _cut(utterance, start, end)


def _stretches(utterance: Utterance) -> list[tuple[int, int]]:
    """Start and end of the speech between pauses, in samples."""
    edges = np.flatnonzero(np.diff(utterance.speech.astype(np.int8), prepend=0, append=0)).tolist()
    stretches: list[tuple[int, int]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if stretches and start - stretches[-1][1] < PAUSE_SECONDS * SAMPLE_RATE:
            start = stretches.pop()[0]
        stretches.append((start, end))
    return stretches


def _cut(utterance: Utterance, start: int, end: int) -> Utterance:
    speech = utterance.speech[start:end]
    recording = replace(utterance.recording, samples=utterance.recording.samples[start:end])
    return replace(utterance, recording=recording, speech=speech, speech_seconds=float(speech.sum()) / SAMPLE_RATE)
