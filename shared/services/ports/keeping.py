"""What keeps: profiles, subscriptions and all that is stored of them, and what looks after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from typing import Protocol, TypeAlias

from shared.domain.access import AccessKey
from shared.domain.audit import AuditEntry, AuditFilter
from shared.domain.challenge import Challenge
from shared.domain.counts import Counts
from shared.domain.group import Group
from shared.domain.long_operation import Failure, Lease, LongOperation
from shared.domain.migration import CandidatePage, KeptRecording, MigrationProgress, Rebuilt
from shared.domain.operation import Operation
from shared.domain.page import Page
from shared.domain.passphrase import PhraseTemplate
from shared.domain.profile import Enrollment, Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Numbers, Vector
from shared.domain.replay import Print
from shared.domain.subscription import KeySlot, SettingsChange, Subscription, SubscriptionSettings
from shared.domain.token import Token


class ProfileStore(Protocol):
    """Profiles with their enrollments and signatures. Every method may raise ``StorageUnavailable``.

    A profile whose time is over is absent from that moment on, for every method, whether or not it is erased yet; what
    is returned says in ``expires_at`` when that will be. A profile of another subscription is ``ProfileNotFound``, like
    an absent one. A change that lost a race raises ``ProfileBusy``; the caller may read again and retry.

    ``record`` is written with the change, all or nothing: there is none where nothing was changed.
    """

    def create(self, profile: Profile, maximum: int, record: AuditEntry | None = None) -> Profile:
        """Write a new profile; ``TooManyProfiles`` when the subscription already has ``maximum`` of all kinds."""

    def get(self, key: ProfileKey) -> Profile: ...

    def get_with_signature(self, key: ProfileKey) -> tuple[Profile, Signature | None]:
        """The profile and its signature (``None`` before the first enrollment), of one moment."""

    def templates(self, profile: Profile) -> Sequence[PhraseTemplate]:
        """Of the enrollments of a phrase by example that the profile has since its last reset, in their order."""

    def get_many_with_signatures(self, keys: Sequence[ProfileKey]) -> list[tuple[Profile, Signature | None]]:
        """In the order of the keys, all of one subscription and kind; ``ProfileNotFound`` names the first absent."""

    def list(
        self, subscription_id: str, kind: ProfileKind, *, after: str | None = None, limit: int | None = None
    ) -> Sequence[Profile]:
        """Profiles in id order, those behind the id ``after``, at most ``limit``."""

    def enroll(
        self,
        profile: Profile,
        signature: Signature,
        enrollment: Enrollment,
        audio: bytes | None,
        record: AuditEntry | None = None,
    ) -> Profile:
        """Store the profile's new state with one more enrollment, all or nothing.

        ``profile`` is the changed copy of a profile read before and still carries that reading's ``version``:
        ``ProfileBusy`` when the stored one has changed since, ``ProfileNotFound`` when it has been deleted. ``audio``
        is kept encrypted beside it, for kinds that keep audio.
        """

    def reset(self, key: ProfileKey, at: datetime, record: AuditEntry | None = None) -> Profile:
        """Back to a profile without enrollments; their data is unreachable on return, and erased."""

    def delete(self, key: ProfileKey, at: datetime, record: AuditEntry | None = None) -> None:
        """The profile is absent on return, and its data erased. ``ProfileNotFound`` when it was absent before."""

    def annotate(self, profile: Profile, record: AuditEntry | None = None) -> Profile:
        """Store the profile's consent and its own retention, and nothing else of it.

        ``ProfileBusy`` when the stored one has been enrolled, reset or annotated since it was read.
        """

    def withdraw_consent(self, key: ProfileKey, at: datetime, record: AuditEntry | None = None) -> Profile:
        """As ``reset``, and the consent is withdrawn in the same step."""

    def touch(self, key: ProfileKey, at: datetime) -> None:
        """Note that the profile was used. Silent when it has been deleted in the meantime."""


Scorer: TypeAlias = Callable[[Vector, Numbers], Numbers]
"""Scores [n] of one recording against speakers: directions [n, dimension], seconds of speech [n]."""


@dataclass(frozen=True)
class Ranked:
    """Ids and scores of the best, best first, among how many candidates they are, and the model of the very best."""

    best: Sequence[tuple[str, float]]
    candidates: int
    model_id: str

    @classmethod
    def of(cls, scored: Iterable[tuple[str, float, str]], most: int, candidates: int) -> Ranked:
        """The best ``most`` of ids, scores and models, in whatever order: of equal scores the smaller id first."""
        best = nsmallest(most, scored, key=lambda speaker: (-speaker[1], speaker[0]))
        ranking = [(profile_id, score) for profile_id, score, _ in best]
        return cls(ranking, candidates, best[0][2] if best else "")


class SpeakerGallery(Protocol):
    """All enrolled identification profiles of a subscription, as of one moment."""

    @property
    def models(self) -> Collection[str]:
        """Ids of the models that made the signatures in it."""

    def best(self, scorers: Mapping[str, Scorer], most: int, only: Collection[str] | None = None) -> Ranked:
        """The best ``most``, of ``only`` these ids where given. A signature is scored by the scorer of its own model,
        and is no candidate where there is none."""


class Galleries(Protocol):
    def up_to_date(self, subscription_id: str) -> SpeakerGallery:
        """With everything that was acknowledged before this call, on whatever instance. ``StorageUnavailable``."""


class Compaction(Protocol):
    def compact(self, subscription_id: str) -> int:
        """A bounded slice of keeping the gallery quick to load; how much was done. May raise ``StorageUnavailable``."""


class GroupStore(Protocol):
    """Named groups of identification profiles. Every method may raise ``StorageUnavailable``.

    ``record`` is as in ``ProfileStore``.
    """

    def put(self, group: Group, maximum: int, record: AuditEntry | None = None) -> bool:
        """False when there is one of this name already. ``TooManyGroups``."""

    def get(self, subscription_id: str, name: str) -> Group:
        """``GroupNotFound``."""

    def page(self, subscription_id: str, *, after: str | None, limit: int) -> Sequence[Group]:
        """In the order of their names, those behind the name ``after``, at most ``limit``."""

    def remove(self, subscription_id: str, name: str, at: datetime, record: AuditEntry | None = None) -> None:
        """Nobody is in it on return, whatever is made under its name later. ``GroupNotFound``."""

    def add(self, name: str, key: ProfileKey, record: AuditEntry | None = None) -> None:
        """Silent when it is in already. ``GroupNotFound``, ``ProfileNotFound``, ``ProfileBusy``."""

    def take_out(self, name: str, key: ProfileKey, record: AuditEntry | None = None) -> None:
        """Silent when it is not in. ``GroupNotFound``."""

    def members(self, subscription_id: str, name: str, *, after: str | None, limit: int) -> Sequence[str]:
        """Ids in order, those behind ``after``, at most ``limit``. ``GroupNotFound``."""

    def all_members(self, subscription_id: str, name: str) -> Collection[str]:
        """As of now. Ids of profiles that are deleted meanwhile may be among them. ``GroupNotFound``."""


class LongOperationStore(Protocol):
    """Operations on long recordings. Every method may raise ``StorageUnavailable`` and, where it seals or opens,
    ``SubscriptionUnknown`` and ``SealBroken``.

    Those that take a lease raise ``OperationNotFound`` where the operation was taken away, or the lease is over and
    another instance has gone on. It can be used for one of them.
    """

    def put(self, operation: LongOperation, request: bytes) -> None:
        """A new one. ``TooManyOpenRecordings``."""

    def get(self, subscription_id: str, operation_id: str, at: datetime) -> LongOperation:
        """``OperationNotFound`` when absent, another subscription's, or expired at that moment."""

    def remove(self, subscription_id: str, operation_id: str, at: datetime) -> None:
        """Stopped, absent and erased on return. Raises likewise."""

    def open_operations(self, subscription_id: str) -> Sequence[int]:
        """Slots of those that are not over, for ``lease``."""

    def lease(self, subscription_id: str, slot: int, at: datetime) -> Lease | None:
        """``None`` where there is nothing to do, or somebody else is at it."""

    def save(self, lease: Lease, state: bytes, percent: int, at: datetime) -> None:
        """What the next lease begins with."""

    def release(self, lease: Lease, at: datetime) -> None:
        """Nothing came of it; the attempt counts."""

    def succeed(self, lease: Lease, result: bytes, at: datetime) -> None: ...

    def fail(self, lease: Lease, failure: Failure, at: datetime) -> None: ...


class ChallengeStore(Protocol):
    """Challenges that wait for their answer. Every method may raise ``StorageUnavailable``.

    They are gone with their profile, with its reset, and once they have expired.
    """

    def add(self, challenge: Challenge, maximum: int, at: datetime) -> None:
        """``TooManyChallenges`` when ``maximum`` of the profile are open at that moment; ``ProfileNotFound``,
        ``ProfileBusy`` when it was deleted or reset meanwhile."""

    def get(self, key: ProfileKey, epoch: int, challenge_id: str, at: datetime) -> Challenge:
        """``ChallengeUnusable`` unless it is open, and this profile's of this epoch."""

    def spend(self, challenge: Challenge) -> None:
        """Of two at once one succeeds. ``ChallengeUnusable``."""


class OperationStore(Protocol):
    def put(self, operation: Operation) -> None: ...

    def get(self, subscription_id: str, operation_id: str, at: datetime) -> Operation:
        """``OperationNotFound`` when absent, another subscription's, or expired at that moment."""


class MigrationStore(Protocol):
    """Profiles on the way to another speaker model. Every method may raise ``StorageUnavailable``."""

    def progress(self, subscription_id: str) -> MigrationProgress | None:
        """``None`` before the first walk."""

    def save(self, subscription_id: str, progress: MigrationProgress) -> None: ...

    def page(self, subscription_id: str, after: str, limit: int) -> CandidatePage:
        """The profiles of every kind behind that cursor (empty: from the first), without those that have expired."""

    def recordings(self, profile: Profile) -> Iterator[KeptRecording]:
        """What is kept of each enrollment. ``AudioNotKept`` unless it is all there; ``SealBroken``."""

    def replace(
        self, profile: Profile, signature: Signature, rebuilt: Sequence[Rebuilt], progress: MigrationProgress
    ) -> None:
        """The new signature, each enrollment's new embedding and the progress, all or nothing; the old ones are gone.

        ``ProfileBusy`` when the profile is not the one that was read, ``ProfileNotFound`` when it has been deleted.
        """

    def flag(self, profile: Profile, model_id: str, progress: MigrationProgress) -> None:
        """Note that this profile cannot be brought to that model, and the progress, all or nothing; raises likewise."""


class Upkeep(Protocol):
    """What the timer does for storage: everything that is due, in bounded slices."""

    def sweep(self, subscription_id: str, at: datetime, limit: int) -> int:
        """Finish erasures, remove profiles whose time is over, drop abandoned uploads and expired operations; the
        number of items worked on."""

    def count(self, subscription_id: str, so_far: Counts, at: datetime) -> Counts:
        """The counts with one more slice of the subscription's profiles; its last one, where nothing is left to
        count, is told by ``counted_at``."""

    def replay_changes(self, subscription_id: str, at: datetime) -> None:
        """To be called before the subscription keeps prints of recordings for less time, or none any more."""

    def policy_changes(self, subscription_id: str, at: datetime) -> None:
        """To be called before the subscription's retention policy is changed: its profiles will be looked through."""


class SubscriptionEraser(Protocol):
    def sweep(self, subscription: Subscription, at: datetime, limit: int) -> int:
        """One slice, of at most about ``limit`` calls to storage, of erasing a subscription that is being deleted, or
        of making sure of one that was; 0 when nothing was left. May raise ``StorageUnavailable``."""


class SubscriptionStore(Protocol):
    """Subscriptions and the keys that open them. Every method may raise ``StorageUnavailable``.

    Those that change an existing one raise ``SubscriptionNotFound``, ``SubscriptionNotActive`` when it is being deleted
    or was, and ``SubscriptionBusy`` when others kept changing it. What they change is in effect on this instance on
    return, and elsewhere when the look-up of the key is renewed. ``record`` is as in ``ProfileStore``.
    """

    def opened_by(self, key: str) -> tuple[Subscription, AccessKey]:
        """The active subscription that this key opens, and which of its keys it is; else ``SubscriptionUnknown``."""

    def has_opened(self, key: str) -> bool:
        """Whether this process has seen it open a subscription, and not refused since. Asks no storage."""

    def issuer_of(self, token: Token) -> tuple[Subscription, AccessKey]:
        """The active subscription and the key that the token says it is from; ``SubscriptionUnknown`` when there is
        none, or another one under its name."""

    def has_issued(self, token: Token) -> bool:
        """As ``has_opened``, of the key that the token says it is from."""

    def get(self, subscription_id: str) -> Subscription:
        """In whatever state. ``SubscriptionNotFound``."""

    def page(self, after: str | None, limit: int) -> Sequence[Subscription]:
        """In id order, in whatever state, those behind the id ``after``, at most ``limit``."""

    def create(
        self, subscription: Subscription, keys: Mapping[KeySlot, str], record: AuditEntry | None = None
    ) -> Subscription:
        """With a data key of its own. ``SubscriptionExists``."""

    def change(
        self,
        subscription_id: str,
        change: SettingsChange,
        record: AuditEntry | None = None,
        allowed: Callable[[SubscriptionSettings], None] = ...,
    ) -> Subscription:
        """``allowed`` raises for settings that may not come of it, whatever else was changed meanwhile."""

    def keys(self, subscription_id: str) -> Sequence[AccessKey]:
        """All of them, also those that have expired: the classic ones, then the others by name."""

    def put_key(
        self, subscription_id: str, access: AccessKey, key: str, maximum: int, record: AuditEntry | None = None
    ) -> tuple[AccessKey, bool]:
        """The key as it is then, and whether it is new: one of this name that there is gets the role and the expiry,
        and keeps its secret and its time of creation. ``TooManyKeys`` when it would be one above ``maximum``."""

    def replace_key(
        self, subscription_id: str, name: str, key: str, at: datetime | None = None, record: AuditEntry | None = None
    ) -> None:
        """Made at that time. Its role and expiry, and all other keys, stay as they are.

        ``KeyNotFound``, but for a classic key, which may be absent.
        """

    def remove_key(self, subscription_id: str, name: str, record: AuditEntry | None = None) -> None:
        """It opens nothing on return. Silent when there is none."""

    def begin_deletion(self, subscription_id: str, at: datetime, request_id: str) -> Subscription:
        """Deleting, and its data key destroyed, all or nothing: no key opens it and nothing of it can be read.

        Safe to repeat: one that is being deleted, or was, comes back as it is.
        """

    def note_counts(self, subscription_id: str, counts: Counts) -> None:
        """Of a walk that is at its end or under way. Silent where the subscription is changed at that moment."""

    def all_ids(self) -> Sequence[str]: ...


class TokenKeys(Protocol):
    def token_key(self, subscription_id: str) -> bytes:
        """32 bytes, which sign this subscription's tokens. ``SubscriptionUnknown``, ``StorageUnavailable``."""


class PrintKeys(Protocol):
    def print_key(self, subscription_id: str) -> bytes:
        """32 bytes, which hide the landmarks of this subscription's recordings. Raises likewise."""


class PrintStore(Protocol):
    def keep_new(
        self, profile: Profile, found: Print, days: float, at: datetime, repeats: Callable[[Sequence[Print]], bool]
    ) -> bool:
        """Keep the print for ``days``, unless it ``repeats`` those that are kept of the profile; whether it was kept.

        ``repeats`` is asked again when another request was faster. There is a most for each profile: the oldest go.
        ``ProfileNotFound`` when the profile was deleted or reset, ``ProfileBusy``, ``StorageUnavailable``.
        """


class SpentTokens(Protocol):
    """Tokens for one use that were used. Every method may raise ``StorageUnavailable``."""

    def add(self, token: Token, request_id: str) -> None:
        """``SubscriptionUnknown`` when another request has spent it."""

    def take_back(self, token: Token) -> None:
        """The request was refused after all. Silent when it is not there."""


class AuditTrail(Protocol):
    """Append-only. Every method may raise ``StorageUnavailable``."""

    def record(self, entry: AuditEntry) -> None:
        """What no change carries with it: refusals, and what could not be told; and recognitions, of a profile only
        while it is there."""

    def page(self, subscription_id: str, wanted: AuditFilter, *, after: str | None, limit: int) -> Page[AuditEntry]:
        """The wanted entries, the oldest first, behind the position ``after``, at most ``limit``.

        A filter that leaves entries out looks at a bounded number of them: the page may be short, and still go on.
        """

    def settle(self, subscription_id: str, limit: int) -> int:
        """Bring records to where they are kept that changes of profiles and groups have left; returns how many."""

    def settle_subscriptions(self, limit: int) -> int:
        """The same for changes of subscriptions, everybody's."""

    def drop_recognitions(self, subscription_id: str, before: datetime, limit: int) -> int:
        """Take away the oldest records of recognitions before that moment; returns how many."""

    def drop(self, subscription_id: str, before: datetime | None, limit: int) -> int:
        """Take away the oldest entries, those before that moment or (``None``) of any time; returns how many."""
