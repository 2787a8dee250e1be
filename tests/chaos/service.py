"""The service's use cases over storage that can be cut at every call, the subscriptions' and keys' tables included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.audit import MANAGEMENT, Actor, Caller, via_key
from shared.domain.errors import TimbreError
from shared.domain.profile import ProfileKey
from shared.domain.subscription import KeySlot, Subscription, SubscriptionState
from shared.services.audit import Audit
from shared.services.comparison import SpeakerModels
from shared.services.enroll import Enroll, EnrollRequest
from shared.services.groups import Groups
from shared.services.manage import Manage
from shared.services.notes import ProfileNotes
from shared.services.phrases import HearPhrase
from shared.services.profiles import Profiles
from shared.services.retain import SECONDS, Retain
from shared.services.sweep import Sweep
from shared.storage.key_index import digest
from shared.storage.layout import SUBSCRIPTIONS_PARTITION, data_key_row, key_row
from shared.storage.sealing.data_keys import DataKeys
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage, Stores
from tests.contract.comparing import packs_of
from tests.contract.cutting import Scissors
from tests.contract.stores import KEY_ENCRYPTION_KEY, NOW, Clock, cutting, instance, new_id, new_profile
from tests.unit.services import spoken
from tests.unit.services.spoken import (
    AT_ONCE,
    Spoken,
    SpokenExamples,
    SpokenKeeper,
    SpokenListener,
    SpokenModel,
    SpokenPhrases,
)
from tools.audit_orphans import audit
from tools.orphans.findings import Finding

OPERATOR = Actor(MANAGEMENT, "request-1")
CUSTOMER = Actor(via_key("primary"), "request-2")
NEW_KEY_ENCRYPTION_KEY = bytes(range(32, 64))


class EveryWord:
    """A dictionary that knows them all."""

    locales = ("en-US",)

    def unknown_words(self, phrases: object) -> list[str]:
        return []


@dataclass(frozen=True)
class Service:
    """One instance: its stores and what is done with them."""

    stores: Stores
    manage: Manage
    notes: ProfileNotes
    profiles: Profiles
    groups: Groups
    enroll: Enroll
    retain: Retain
    rewrap: Callable[[str], bool]


def start(storage: Storage, clock: Clock, scissors: Scissors | None = None) -> Service:
    """With scissors, every call to any table or to the audio goes through them."""
    if scissors:
        storage = cutting(storage, scissors)
    stores = instance(storage, clock=clock)
    trail = Audit(stores.trail, clock, new_id)
    models = SpeakerModels(SpokenModel())
    hear = HearPhrase(SpokenPhrases(), SpokenExamples())
    rotated = LocalKeyEncryption(NEW_KEY_ENCRYPTION_KEY, [KEY_ENCRYPTION_KEY])
    return Service(
        stores=stores,
        manage=Manage(stores.subscriptions, EveryWord(), models, stores.upkeep, trail, clock, new_id, {}),
        notes=ProfileNotes(stores.profiles, trail, clock),
        profiles=Profiles(stores.profiles, trail, clock, new_id),
        groups=Groups(stores.groups, trail, clock, new_id),
        enroll=Enroll(stores.profiles, trail, SpokenListener(), hear, models, SpokenKeeper(), clock, models.current),
        retain=Retain(
            Sweep("retention", SECONDS, stores.subscriptions, lambda: 0.0, lambda _: None),
            stores.upkeep,
            stores.eraser,
            stores.trail,
            clock,
        ),
        rewrap=DataKeys(storage.subscriptions, rotated).rewrap,
    )


@dataclass
class Scene:
    """A subscription with two enrolled profiles, and another subscription with one."""

    storage: Storage
    clock: Clock
    service: Service
    owner: str
    other: str
    key: ProfileKey
    neighbour: ProfileKey
    foreign: ProfileKey

    @property
    def ids(self) -> tuple[str, str]:
        return self.owner, self.other

    @property
    def stores(self) -> Stores:
        """Of an instance that has just started."""
        return start(self.storage, self.clock).stores

    def caller(self, subscription_id: str) -> Caller:
        return spoken.caller(self.stores.subscriptions.get(subscription_id))

    def enroll(self, service: Service, key: ProfileKey) -> None:
        service.enroll(EnrollRequest(self.caller(key.subscription_id), key, Spoken().audio, AT_ONCE))


def scene(storage: Storage) -> Scene:
    clock = Clock()
    service = start(storage, clock)
    owner, other = f"owner-{new_id()}", f"other-{new_id()}"
    for subscription_id in (owner, other):
        new = Subscription(subscription_id, created_at=NOW)
        service.stores.subscriptions.create(new, {slot: first_key(subscription_id, slot) for slot in KeySlot})
    keys = [service.stores.profiles.create(new_profile(one), 10).key for one in (owner, owner, other)]
    on = Scene(storage, clock, service, owner, other, *keys)
    for key in (*keys, *keys):
        on.enroll(service, key)
    pack(on)
    while service.retain():  # what is on record is where it stays
        pass
    return on


def first_key(subscription_id: str, slot: KeySlot) -> str:
    return f"{subscription_id} {slot.value}"


def run_timer(scene: Scene, hours: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)) -> None:
    """A new instance's timer until it has nothing to do, then later: what failed is due again after its pause."""
    before = scene.clock.now
    for later in hours:
        scene.clock.now = before + timedelta(hours=later)
        timer = start(scene.storage, scene.clock).retain
        for _ in range(20):
            if not timer():
                break
        else:
            raise AssertionError("the timer always finds something to do")
    start(scene.storage, scene.clock).retain()


def orphans(scene: Scene, at: datetime | None = None) -> tuple[Finding, ...]:
    moment = at or scene.clock.now
    return audit(scene.storage, lambda: scene.ids, lambda: moment, wait=lambda: None).found


def all_of(storage: Storage, subscription_id: str) -> dict[str, object]:
    """Everything that is stored under a subscription's id, in every table and as audio, with its values.

    Of the keys' index those entries that it began with; ``orphans`` finds any other. Without the counts of profiles,
    which the timer renews.
    """
    found: dict[str, object] = {}
    for name, rows in (("voices", storage.voices), ("audit", storage.audit)):
        found |= {f"{name}/{row.key}": dict(row.values) for row in rows.query(subscription_id, " ", "~")}
    for row in storage.subscriptions.query(SUBSCRIPTIONS_PARTITION, " ", "~"):
        if subscription_id in row.key.split(":"):
            found[f"subscriptions/{row.key}"] = {name: row.values[name] for name in row.values if name[:5] != "count"}
    for slot in KeySlot:
        entry = storage.keys.get(*key_row(digest(first_key(subscription_id, slot))))
        if entry is not None:
            found[f"keys/{slot.value}"] = dict(entry.values)
    for name, blobs in (("audio", storage.audio), ("packs", storage.packs)):
        found |= {f"{name}/{one}": blobs.get(one) for one in blobs.names(f"{subscription_id}/")}
    return found


def pack(scene: Scene) -> None:
    """Every subscription's voices, as the other timer does with thousands."""
    stores = instance(scene.storage, clock=scene.clock, pack_from=1)
    for subscription_id in scene.ids:
        if stores.subscriptions.get(subscription_id).state is SubscriptionState.ACTIVE:
            stores.compaction.compact(subscription_id)


def packed(scene: Scene) -> set[str]:
    """The profiles of the owner whose voices lie in any blob that can be opened."""
    return {profile_id for pack in packs_of(instance(scene.storage), scene.owner) for profile_id in pack}


def readable(scene: Scene, key: ProfileKey) -> bool:
    """Whether an instance that has just started can get at the voice."""
    try:
        return scene.stores.profiles.get_with_signature(key)[1] is not None
    except TimbreError:
        return False


def state(scene: Scene) -> SubscriptionState:
    return scene.service.stores.subscriptions.get(scene.owner).state


def has_data_key(scene: Scene) -> bool:
    return scene.storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, data_key_row(scene.owner)) is not None
