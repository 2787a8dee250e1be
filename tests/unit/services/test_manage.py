"""The operator's use cases: creation and change in one call, keys once, and deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from shared.domain.audit import MANAGEMENT, Actor, AuditEntry
from shared.domain.calibration import Calibration, FalseMatchRate, SiteCalibration
from shared.domain.errors import (
    ParameterInvalid,
    PassphraseUnpronounceable,
    SubscriptionNotActive,
    SubscriptionNotFound,
    SubscriptionUnknown,
)
from shared.domain.subscription import KeySlot, SettingsChange, Subscription, SubscriptionState
from shared.services.comparison import SpeakerModels
from shared.services.manage import Manage, PutResult
from shared.storage.subscriptions import RowSubscriptionStore
from tests.unit.services.spoken import SpokenModel, World

CALIBRATION = Calibration(-30.0, 44.0, -2.0, -1.0, 0.0, 0.01, 1.0, 12.0, "a test", 40, 1_000)
OPERATOR = Actor(MANAGEMENT, "operator's request")


class ShortDictionary:
    locales = ("en-US",)

    def unknown_words(self, phrases: Sequence[str]) -> list[str]:
        return [word for phrase in phrases for word in phrase.split() if word == "xyzzy"]


@dataclass
class Keys:
    given: list[str] = field(default_factory=list)

    def __call__(self) -> str:
        self.given.append(f"key {len(self.given)}")
        return self.given[-1]


def put(world: World, change: SettingsChange, subscription_id: str = "new") -> PutResult:
    return manage(world).put(OPERATOR, subscription_id, change)


def manage(world: World, subscriptions: RowSubscriptionStore | None = None, keys: Keys | None = None) -> Manage:
    return Manage(
        subscriptions or world.subscriptions,
        ShortDictionary(),
        SpeakerModels(world.model),
        world.upkeep,
        world.audit,
        world.clock,
        keys or Keys(),
        {"spoken-1": CALIBRATION},
    )


def test_the_first_put_creates_and_shows_the_keys_and_the_second_does_not(world: World) -> None:
    first = put(world, SettingsChange(max_profiles=5))
    assert set(first.keys) == set(KeySlot)
    assert world.subscriptions.opened_by(first.keys[KeySlot.PRIMARY])[0] == first.subscription
    assert (first.subscription.settings.max_profiles, first.subscription.created_at) == (5, world.clock())
    second = put(world, SettingsChange(max_candidates=6))
    assert second.keys == {}
    assert (second.subscription.settings.max_profiles, second.subscription.settings.max_candidates) == (5, 6)


def test_keys_are_not_in_a_representation(world: World) -> None:
    result = put(world, SettingsChange())
    assert not [key for key in result.keys.values() if key in repr(result)]


def test_creation_and_change_are_recorded_and_a_put_that_changes_nothing_is_not(world: World) -> None:
    put(world, SettingsChange(max_profiles=5))
    world.clock.advance(seconds=1)
    put(world, SettingsChange())
    put(world, SettingsChange(max_candidates=5, require_consent=True))
    assert [(one.action.value, one.actor, one.names) for one in world.audited("new")] == [
        ("subscription.create", OPERATOR, ("max_profiles",)),
        ("settings.change", OPERATOR, ("max_candidates", "require_consent")),
    ]


@pytest.mark.parametrize("exists", [False, True])
def test_a_phrase_that_nobody_could_be_heard_saying_changes_nothing(world: World, exists: bool) -> None:
    if exists:
        put(world, SettingsChange())
    before = world.audited("new")
    with pytest.raises(PassphraseUnpronounceable) as refused:
        put(world, SettingsChange(max_profiles=1, passphrases={"en-US": ("open the xyzzy now",)}))
    assert refused.value.words == ("xyzzy",)
    assert world.audited("new") == before
    if exists:
        assert world.subscriptions.get("new").settings.max_profiles != 1
    else:
        with pytest.raises(SubscriptionNotFound):
            world.subscriptions.get("new")


def test_a_list_needs_a_recogniser_and_speakers_own_phrases_none(world: World) -> None:
    put(world, SettingsChange(passphrases={"de-DE": "any", "fr-FR": None}))
    before = world.audited("new")
    with pytest.raises(ParameterInvalid, match=r"Invalid passphrases.de-DE .* no recogniser for this locale"):
        put(world, SettingsChange(max_profiles=1, passphrases={"de-DE": ("das ist mein eigener satz",)}))
    assert world.audited("new") == before
    assert world.subscriptions.get("new").settings.passphrases == {"de-DE": "any"}


class Overtaken(RowSubscriptionStore):
    """The real store, in which somebody else creates the subscription just before this request does."""

    def __init__(self, store: RowSubscriptionStore) -> None:
        self.__dict__.update(store.__dict__)
        self._store = store

    def create(
        self, subscription: Subscription, keys: Mapping[KeySlot, str], record: AuditEntry | None = None
    ) -> Subscription:
        self._store.create(Subscription(subscription.subscription_id), {KeySlot.PRIMARY: "theirs"})
        return super().create(subscription, keys, record)


def test_a_creation_that_comes_second_is_a_change_without_keys(world: World) -> None:
    keys = Keys()
    result = manage(world, Overtaken(world.subscriptions), keys).put(OPERATOR, "new", SettingsChange(max_profiles=5))
    assert result.keys == {}
    assert result.subscription.settings.max_profiles == 5
    assert world.subscriptions.opened_by("theirs")[0].subscription_id == "new"
    for key in keys.given:
        with pytest.raises(SubscriptionUnknown):
            world.subscriptions.opened_by(key)[0]
    assert [one.action.value for one in world.audited("new")] == ["settings.change"]


def test_a_false_match_rate_is_a_score_by_the_calibration_in_force(world: World) -> None:
    own = replace(CALIBRATION, false_match_rate=0.02)
    world.model = SpokenModel(calibration=CALIBRATION)
    change = SettingsChange(verification_threshold=FalseMatchRate("a rate", 0.01))
    assert put(world, change).subscription.settings.verification_threshold == 0.5
    put(world, SettingsChange(calibration=SiteCalibration("spoken-1", own)))
    assert put(world, change).subscription.settings.verification_threshold == pytest.approx(own.score_at(0.01))
    put(world, SettingsChange(calibration=SiteCalibration("another model", own)))
    assert put(world, change).subscription.settings.verification_threshold == 0.5
    before = world.audited("new")
    for subscription_id in ("new", "newer"):
        with pytest.raises(ParameterInvalid, match=r"carries rates from 0\.0079 to 0\.05"):
            put(world, SettingsChange(verification_threshold=FalseMatchRate("a rate", 0.001)), subscription_id)
    assert (world.audited("new"), world.audited("newer")) == (before, [])


def test_a_new_key_is_recorded_by_its_slot(world: World) -> None:
    key = manage(world).regenerate_key(OPERATOR, "mine", KeySlot.SECONDARY)
    assert world.subscriptions.opened_by(key)[1].name == KeySlot.SECONDARY
    assert world.subscriptions.opened_by("my key")[1].name == KeySlot.PRIMARY
    (entry,) = world.audited()
    assert (entry.action.value, entry.names) == ("key.regenerate", ("secondary",))


def test_a_deleted_subscription_takes_no_change_and_leaves_no_record_of_the_attempt(world: World) -> None:
    delete = manage(world).delete
    assert delete(OPERATOR, "mine").state is SubscriptionState.DELETING
    assert delete(OPERATOR, "mine").state is SubscriptionState.DELETING
    for change in (SettingsChange(), SettingsChange(max_profiles=1)):
        with pytest.raises(SubscriptionNotActive):
            put(world, change, "mine")
    with pytest.raises(SubscriptionNotActive):
        manage(world).regenerate_key(OPERATOR, "mine", KeySlot.PRIMARY)
    assert world.audited() == []
    with pytest.raises(SubscriptionNotFound):
        delete(OPERATOR, "nobody")


def test_pages_say_whether_more_follow(world: World) -> None:
    first = manage(world).page(None, 1)
    assert ([one.subscription_id for one in first.items], first.after) == (["mine"], "mine")
    second = manage(world).page("mine", 1)
    assert ([one.subscription_id for one in second.items], second.after) == (["yours"], None)


def test_another_retention_policy_begins_a_walk_and_the_same_one_does_not(world: World) -> None:
    put(world, SettingsChange(max_candidates=5), "mine")
    assert world.stored() == {}
    for _ in range(2):
        put(world, SettingsChange(max_age_days=30.0), "mine")
        assert len([row for row in world.stored() if ":policy:" in row]) == 2
