"""What stands in an archive: lines of JSON, each an object with a ``type`` (``docs/archive-format.md``)."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from shared.domain.consent import Consent, ConsentRecord
from shared.domain.passphrase import PhraseTemplate
from shared.domain.profile import Enrollment, EnrollmentStatus, Profile, ProfileKey, ProfileKind, RetentionOverride
from shared.domain.subscription import UNSET
from shared.storage.profiles.records import Version, vector_bytes, vector_from
from tools.portability.archive import ArchiveRefused

FORMAT: Final = 2
FORMATS: Final = (1, FORMAT)
"""Those that are read. 1 had no templates of phrases by example."""
KINDS: Final = {
    ProfileKind.TEXT_DEPENDENT_VERIFICATION: "verification/text-dependent",
    ProfileKind.TEXT_INDEPENDENT_VERIFICATION: "verification/text-independent",
    ProfileKind.IDENTIFICATION: "identification/text-independent",
}


@dataclass(frozen=True)
class PortableProfile:
    """``signature`` is its plain bytes as ``shared/storage/profiles/records.py`` writes them."""

    profile: Profile
    signature: bytes | None = field(repr=False)

    def line(self) -> bytes:
        one = self.profile
        return encoded(
            {
                "type": "profile",
                "kind": KINDS[one.key.kind],
                "profileId": one.key.profile_id,
                "locale": one.locale,
                "enrollmentStatus": one.status.value,
                "createdDateTime": time_text(one.created_at),
                "lastActionDateTime": time_text(one.last_action_at),
                "lastEnrolledDateTime": time_text(one.last_enrolled_at),
                "enrollmentsCount": one.enrollments_count,
                "audioSeconds": one.audio_seconds,
                "speechSeconds": one.speech_seconds,
                "passphrase": one.passphrase,
                "modelId": one.model_id,
                "epoch": one.epoch,
                "revision": Version.of(one).revision,
                "consent": _consent(one.consent),
                "retention": _retention(one.retention),
                "signature": _bytes(self.signature),
            }
        )

    @classmethod
    def of(cls, said: Mapping[str, Any], subscription_id: str) -> PortableProfile:
        kind = next(kind for kind, name in KINDS.items() if name == said["kind"])
        profile = Profile(
            key=ProfileKey(subscription_id, kind, str(said["profileId"])),
            locale=str(said["locale"]),
            created_at=_read_time(said["createdDateTime"]),
            last_action_at=_read_time(said["lastActionDateTime"]),
            status=EnrollmentStatus(said["enrollmentStatus"]),
            last_enrolled_at=_read_time(said["lastEnrolledDateTime"]) if said["lastEnrolledDateTime"] else None,
            enrollments_count=int(said["enrollmentsCount"]),
            audio_seconds=float(said["audioSeconds"]),
            speech_seconds=float(said["speechSeconds"]),
            passphrase=said["passphrase"],
            model_id=said["modelId"],
            epoch=int(said["epoch"]),
            consent=_read_consent(said["consent"]),
            retention=_read_retention(said["retention"]),
            version=Version(int(said["revision"]), ""),
        )
        return cls(profile, _read_bytes(said["signature"]))


@dataclass(frozen=True)
class PortableEnrollment:
    """``audio`` is FLAC."""

    number: int
    enrollment_id: str
    enrollment: Enrollment
    audio: bytes | None = field(repr=False)

    def line(self, key: ProfileKey) -> bytes:
        one, template = self.enrollment, self.enrollment.template
        return encoded(
            {
                "type": "enrollment",
                "kind": KINDS[key.kind],
                "profileId": key.profile_id,
                "number": self.number,
                "enrollmentId": self.enrollment_id,
                "createdDateTime": time_text(one.created_at),
                "audioSeconds": one.audio_seconds,
                "speechSeconds": one.speech_seconds,
                "snrDb": one.snr_db if math.isfinite(one.snr_db) else None,
                "modelId": one.model_id,
                "embedding": _bytes(vector_bytes(one.embedding)),
                "audio": _bytes(self.audio),
                "frontEnd": template.front_end if template else None,
                "template": _bytes(template.content if template else None),
            }
        )

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> PortableEnrollment:
        enrollment = Enrollment(
            embedding=vector_from(_read_bytes(said["embedding"]) or b""),
            model_id=str(said["modelId"]),
            audio_seconds=float(said["audioSeconds"]),
            speech_seconds=float(said["speechSeconds"]),
            snr_db=math.inf if said["snrDb"] is None else float(said["snrDb"]),
            created_at=_read_time(said["createdDateTime"]),
            template=_read_template(said),
        )
        return cls(int(said["number"]), str(said["enrollmentId"]), enrollment, _read_bytes(said["audio"]))


@dataclass
class Counts:
    """What an archive holds; its last line says it, and a reader holds it against what came before."""

    profiles: int = 0
    enrollments: int = 0
    recordings: int = 0
    groups: int = 0
    members: int = 0


def encoded(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decoded(line: bytes) -> dict[str, Any]:
    """Raises ``ArchiveRefused``."""
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        raise ArchiveRefused("The archive holds a line that is no record.")
    return said


def time_text(moment: datetime | None) -> str | None:
    """To the microsecond, as it is stored."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def _read_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _bytes(plain: bytes | None) -> str | None:
    return None if plain is None else base64.b64encode(plain).decode()


def _read_bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)


def _read_template(said: Mapping[str, Any]) -> PhraseTemplate | None:
    content = _read_bytes(said.get("template"))
    return None if content is None else PhraseTemplate(str(said["frontEnd"]), content)


def _consent(consent: Consent) -> dict[str, object]:
    record = consent.record
    said = record and {
        "statementId": record.statement_id,
        "recordedDateTime": time_text(record.recorded_at),
        "channel": record.channel,
        "reference": record.reference,
    }
    return {"record": said, "withdrawnDateTime": time_text(consent.withdrawn_at)}


def _read_consent(said: Mapping[str, Any]) -> Consent:
    record = said["record"] and ConsentRecord(
        statement_id=str(said["record"]["statementId"]),
        recorded_at=_read_time(said["record"]["recordedDateTime"]),
        channel=said["record"]["channel"],
        reference=said["record"]["reference"],
    )
    return Consent(record, _read_time(said["withdrawnDateTime"]) if said["withdrawnDateTime"] else None)


def _retention(own: RetentionOverride) -> dict[str, object]:
    """A clock that the profile leaves to its subscription is absent; null stands still."""
    clocks = {"maxAgeDays": own.max_age_days, "maxIdleDays": own.max_idle_days}
    return {name: days for name, days in clocks.items() if days is not UNSET}


def _read_retention(said: Mapping[str, Any]) -> RetentionOverride:
    return RetentionOverride(said.get("maxAgeDays", UNSET), said.get("maxIdleDays", UNSET))
