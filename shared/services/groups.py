"""Named groups of identification profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.audit import Actor, AuditAction
from shared.domain.group import Group
from shared.domain.limits import MAX_GROUPS
from shared.domain.profile import ProfileKey
from shared.services.audit import Audit
from shared.services.ports import Clock, GroupStore, Ids


@dataclass(frozen=True)
class GroupPage:
    groups: Sequence[Group]
    more: bool


@dataclass(frozen=True)
class MemberPage:
    profile_ids: Sequence[str]
    more: bool


@dataclass(frozen=True)
class ReadGroups:
    groups: GroupStore

    def page(self, subscription_id: str, after: str | None, limit: int) -> GroupPage:
        """One more is read than asked for, to know whether the list goes on."""
        found = self.groups.page(subscription_id, after=after, limit=limit + 1)
        return GroupPage(found[:limit], len(found) > limit)

    def one(self, subscription_id: str, name: str) -> Group:
        """Raises ``GroupNotFound``."""
        return self.groups.get(subscription_id, name)

    def members(self, subscription_id: str, name: str, after: str | None, limit: int) -> MemberPage:
        """Raises ``GroupNotFound``."""
        found = self.groups.members(subscription_id, name, after=after, limit=limit + 1)
        return MemberPage(found[:limit], len(found) > limit)


@dataclass(frozen=True)
class ChangeGroups:
    """Every change is recorded; groups by their names."""

    groups: GroupStore
    audit: Audit
    clock: Clock
    new_id: Ids

    def put(self, actor: Actor, subscription_id: str, name: str) -> tuple[Group, bool]:
        """The group, and whether it is new. Raises ``TooManyGroups``."""
        group = Group(subscription_id, name, self.new_id(), self.clock())
        with self.audit.of(actor, AuditAction.PUT_GROUP, subscription_id, names=(name,)):
            made = self.groups.put(group, MAX_GROUPS)
        return (group, True) if made else (self.groups.get(subscription_id, name), False)

    def remove(self, actor: Actor, subscription_id: str, name: str) -> None:
        """Raises ``GroupNotFound``."""
        with self.audit.of(actor, AuditAction.DELETE_GROUP, subscription_id, names=(name,)):
            self.groups.remove(subscription_id, name, self.clock())

    def add(self, actor: Actor, name: str, key: ProfileKey) -> None:
        """Raises ``GroupNotFound``, ``ProfileNotFound``, ``ProfileBusy``."""
        with self.audit.of(actor, AuditAction.ADD_TO_GROUP, key, names=(name,)):
            self.groups.add(name, key)

    def take_out(self, actor: Actor, name: str, key: ProfileKey) -> None:
        """Raises ``GroupNotFound``, ``ProfileBusy``."""
        with self.audit.of(actor, AuditAction.TAKE_FROM_GROUP, key, names=(name,)):
            self.groups.take_out(name, key)
