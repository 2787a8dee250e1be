"""Subscriptions of their own, and speakers in them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from shared.bootstrap import Services
from shared.domain.limits import V1_SHORT_AUDIO
from shared.domain.profile import Enrollment, EnrollmentStatus, ProfileKey, ProfileKind
from tests.in_process import Answer
from tests.round_trips.app import App
from tests.service import REPOSITORY

TEXT_DEPENDENT: Final = "verification/text-dependent"
TEXT_INDEPENDENT: Final = "verification/text-independent"
IDENTIFICATION: Final = "identification/text-independent"
KINDS: Final = {
    TEXT_DEPENDENT: ProfileKind.TEXT_DEPENDENT_VERIFICATION,
    TEXT_INDEPENDENT: ProfileKind.TEXT_INDEPENDENT_VERIFICATION,
    IDENTIFICATION: ProfileKind.IDENTIFICATION,
}
PHRASE: Final = "my voice is my passport verify me"
"""Of the recordings called ``passphrase``."""

VERSION: Final = "api-version=2021-09-05"

LOCALE: Final = json.dumps({"locale": "en-us"}).encode()


@cache
def sample(name: str) -> bytes:
    """One of the repository's own recordings: three to four seconds, synthetic."""
    return (REPOSITORY / "samples" / f"{name}.wav").read_bytes()


@dataclass(frozen=True)
class Customer:
    """A subscription whose key has been looked up."""

    app: App
    subscription_id: str
    key: str = field(repr=False)

    def call(self, method: str, target: str, body: bytes = b"") -> Answer:
        return self.app.call(method, target, body, self.key)

    def created(self, kind: str, number: int = 1) -> list[str]:
        """Ids of new profiles, in order."""
        made = [self.call("POST", f"/speaker-recognition/{kind}/profiles?{VERSION}", LOCALE) for _ in range(number)]
        return sorted(str(expected(one, 201).json["profileId"]) for one in made)

    def enroll(self, kind: str, profile_id: str, recordings: Iterable[str]) -> None:
        """As the use case does it, but each recording is listened to once in the whole test."""
        profiles = self.app.services.enroll.profiles
        key = ProfileKey(self.subscription_id, KINDS[kind], profile_id)
        for name in recordings:
            enrollment = _enrollment(self.app.services, name)
            profile, signature = profiles.get_with_signature(key)
            after = replace(
                profile,
                passphrase=PHRASE if key.kind.needs_phrase else None,
                status=EnrollmentStatus.ENROLLED,
                enrollments_count=profile.enrollments_count + 1,
                speech_seconds=profile.speech_seconds + enrollment.speech_seconds,
                model_id=enrollment.model_id,
            )
            total = signature.plus(enrollment) if signature else enrollment.signature
            profiles.enroll(after, total, enrollment, b"fLaC" if key.kind.keeps_audio else None)

    def speaker(self, kind: str, *recordings: str) -> str:
        """The id of a new profile that is enrolled, with three recordings unless others are named."""
        (profile_id,) = self.created(kind)
        self.enroll(kind, profile_id, recordings or ("passphrase-1", "passphrase-2", "passphrase-3"))
        return profile_id

    def identified(self, candidates: str, recording: str = "passphrase-4") -> Answer:
        """``candidates`` is a list of ids, ``*`` or a group."""
        target = f"/speaker-recognition/{IDENTIFICATION}/profiles:identifySingleSpeaker?{VERSION}"
        query = f"&ignoreMinLength=true&profileIds={quote(candidates)}"
        return expected(self.call("POST", target + query, sample(recording)), 200)


def customer(app: App, **settings: object) -> Customer:
    """A new subscription with these settings, whose key has been looked up."""
    subscription_id = f"s-{uuid4()}"
    made = app.call("PUT", f"/manage/subscriptions/{subscription_id}", json.dumps(settings).encode())
    new = Customer(app, subscription_id, expected(made, 201).json["keys"]["primary"])
    expected(new.call("GET", "/settings"), 200)
    return new


_HEARD: Final[dict[str, Enrollment]] = {}


def _enrollment(services: Services, name: str) -> Enrollment:
    if name not in _HEARD:
        utterance = services.enroll.listener.listen(sample(name), "audio/wav", V1_SHORT_AUDIO)
        _HEARD[name] = Enrollment(
            embedding=services.models.current.embed(utterance),
            model_id=services.models.current.model_id,
            audio_seconds=utterance.seconds,
            speech_seconds=utterance.speech_seconds,
            snr_db=utterance.snr_db,
            created_at=datetime.now(UTC),
        )
    return _HEARD[name]


def expected(answer: Answer, status: int) -> Answer:
    assert answer.status == status, answer.body
    return answer
