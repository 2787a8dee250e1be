"""A profile, operation or group that is absent, not ready, or full."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.errors.root import TimbreError, number


class ProfileNotFound(TimbreError):
    def __init__(self, profile_id: str) -> None:
        self.profile_id = profile_id
        super().__init__(f"Requested profile doesn't exist: {profile_id}.")


class OperationNotFound(TimbreError):
    def __init__(self, operation_id: str) -> None:
        self.operation_id = operation_id
        super().__init__(f"No operation id found: {operation_id}. Operations are kept for 24 hours.")


class GroupNotFound(TimbreError):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"Requested group doesn't exist: {name}.")


class NobodyEnrolled(TimbreError):
    """``group`` None: in the whole subscription."""

    def __init__(self, group: str | None) -> None:
        self.group = group
        where = "this subscription" if group is None else f"the group {group}"
        super().__init__(f"Profile is not enrolled. There is no enrolled identification profile in {where}.")


class ConsentRefused(TimbreError):
    """A voice must not be enrolled without the speaker's permission."""


class ConsentMissing(ConsentRefused):
    def __init__(self, profile_id: str) -> None:
        self.profile_id = profile_id
        super().__init__(
            f"Consent is required. This subscription enrolls a speaker only after a consent was recorded for the "
            f"profile {profile_id}."
        )


class ConsentWithdrawn(ConsentRefused):
    def __init__(self, profile_id: str) -> None:
        self.profile_id = profile_id
        super().__init__(
            f"Consent was withdrawn. The profile {profile_id} can be enrolled again after a new consent was recorded."
        )


class ProfileNotEnrolled(TimbreError):
    """``missing`` says what the enrollment still lacks, for example ``2 more recordings of the phrase``."""

    def __init__(self, profile_id: str, missing: str) -> None:
        self.profile_id, self.missing = profile_id, missing
        super().__init__(f"Profile is not enrolled. Profile {profile_id} still needs {missing}.")


class LocalesDiffer(TimbreError):
    def __init__(self, locales: Sequence[str]) -> None:
        self.locales = tuple(locales)
        super().__init__(
            f"Invalid group of profiles. Profiles must have the same locale. Received {', '.join(locales)}."
        )


class ModelDiffers(TimbreError):
    """``may_be_rebuilt``: recordings of such profiles are kept, and the service makes new signatures of them itself."""

    def __init__(self, profile_id: str, made_by: str, configured: str, *, may_be_rebuilt: bool = False) -> None:
        self.profile_id, self.made_by, self.configured = profile_id, made_by, configured
        advice = "Reset the profile and enroll again."
        if may_be_rebuilt:
            advice = f"It is rebuilt from its recordings if they were kept; if not: {advice[0].lower()}{advice[1:]}"
        super().__init__(
            f"Profile {profile_id} was enrolled with the model {made_by}; this service runs {configured}. {advice}"
        )


class ProfileBusy(TimbreError):
    def __init__(self, profile_id: str) -> None:
        self.profile_id = profile_id
        super().__init__("Sending concurrent requests on same profile is not allowed.")


class LimitReached(TimbreError):
    """A bound of the subscription or the profile is reached."""


class TooManyProfiles(LimitReached):
    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        super().__init__(f"Maximum allowed number of profiles is {maximum:,}.")


class TooManyGroups(LimitReached):
    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        super().__init__(f"Maximum allowed number of groups is {maximum:,}.")


class TooManyEnrollments(LimitReached):
    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        super().__init__(f"Maximum allowed number of enrollments per profile is {maximum}.")


class EnrollmentAudioFull(LimitReached):
    def __init__(self, seconds: float, maximum_seconds: float) -> None:
        self.seconds, self.maximum_seconds = seconds, maximum_seconds
        super().__init__(
            f"Maximum allowed length across all profile enrollments is {number(maximum_seconds)} seconds. "
            f"With this recording the profile would have {seconds:.2f} seconds."
        )


class TooManyCandidates(LimitReached):
    def __init__(self, received: int, maximum: int) -> None:
        self.received, self.maximum = received, maximum
        super().__init__(f"Maximum number of profiles allowed per request is {maximum}. Received {received}.")
