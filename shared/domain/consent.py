"""The speaker's permission: whether it was given, and whether it was taken back.

Timbre cannot know whether a speaker agreed. It keeps what the customer says about it, and refuses to enroll without it
where the subscription demands that, or after the speaker took it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.errors import ConsentMissing, ConsentWithdrawn


@dataclass(frozen=True)
class ConsentRecord:
    """What the customer noted: which statement was agreed to, when and over which channel, and where the proof is."""

    statement_id: str
    recorded_at: datetime
    channel: str | None = None
    reference: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Consent:
    """``record`` is the last one that was given; after ``withdrawn_at`` it is history.

    A speaker can object without ever having agreed: then there is a withdrawal and no record.
    """

    record: ConsentRecord | None = None
    withdrawn_at: datetime | None = None

    @property
    def given(self) -> bool:
        return self.record is not None and self.withdrawn_at is None

    def require(self, profile_id: str, *, demanded: bool) -> None:
        """Whether a voice may be enrolled. ``demanded``: the subscription wants a record of every speaker.

        Raises
        ------
        ConsentWithdrawn
            Until a new consent is recorded, whatever the subscription demands.
        ConsentMissing
        """
        if self.withdrawn_at is not None:
            raise ConsentWithdrawn(profile_id)
        if demanded and self.record is None:
            raise ConsentMissing(profile_id)

    def withdrawn(self, at: datetime) -> Consent:
        """The first withdrawal counts: repeating it does not move it."""
        return Consent(self.record, self.withdrawn_at or at)


NO_CONSENT = Consent()
