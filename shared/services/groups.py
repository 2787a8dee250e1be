"""Named groups of identification profiles. Every change is recorded, groups by their names."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.audit import Actor, AuditAction
from shared.domain.group import Group
from shared.domain.limits import MAX_GROUPS
from shared.domain.page import Page
from shared.domain.profile import ProfileKey
from shared.services.audit import Audit
from shared.services.ports.clock_and_ids import Clock, Ids
from shared.services.ports.keeping import GroupStore


@dataclass(frozen=True)
class Groups:
    """What names a group raises ``GroupNotFound``."""

    store: GroupStore
    audit: Audit
    clock: Clock
    new_id: Ids

    def page(self, subscription_id: str, after: str | None, limit: int) -> Page[Group]:
        groups = self.store.page(subscription_id, after=after, limit=limit + 1)
        return Page.cut(groups, limit, lambda group: group.name)

    def get(self, subscription_id: str, name: str) -> Group:
        return self.store.get(subscription_id, name)

    def members(self, subscription_id: str, name: str, after: str | None, limit: int) -> Page[str]:
        """Ids of profiles."""
        members = self.store.members(subscription_id, name, after=after, limit=limit + 1)
        return Page.cut(members, limit, str)

    def put(self, actor: Actor, subscription_id: str, name: str) -> tuple[Group, bool]:
        """The group, and whether it is new. Raises ``TooManyGroups``."""
        group = Group(subscription_id, name, self.new_id(), self.clock())
        with self.audit.recording(actor, AuditAction.PUT_GROUP, subscription_id, names=(name,)) as record:
            made = self.store.put(group, MAX_GROUPS, record())
        return (group, True) if made else (self.store.get(subscription_id, name), False)

    def remove(self, actor: Actor, subscription_id: str, name: str) -> None:
        with self.audit.recording(actor, AuditAction.DELETE_GROUP, subscription_id, names=(name,)) as record:
            self.store.remove(subscription_id, name, self.clock(), record())

    def add(self, actor: Actor, name: str, key: ProfileKey) -> None:
        """Raises also ``ProfileNotFound``, ``ProfileBusy``."""
        with self.audit.recording(actor, AuditAction.ADD_TO_GROUP, key, names=(name,)) as record:
            self.store.add(name, key, record())

    def take_out(self, actor: Actor, name: str, key: ProfileKey) -> None:
        """Raises also ``ProfileBusy``."""
        with self.audit.recording(actor, AuditAction.TAKE_FROM_GROUP, key, names=(name,)) as record:
            self.store.take_out(name, key, record())
