"""Long recordings: slices that hand on to each other, and what may happen meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from shared.domain.audit import AuditAction
from shared.domain.errors import (
    GroupNotFound,
    NobodyEnrolled,
    OperationNotFound,
    ParameterInvalid,
    ProfileNotFound,
    RecordingUrlRefused,
    SourceExpired,
    SourceUnavailable,
    TooManyOpenRecordings,
)
from shared.domain.group import Candidates, Everyone, Group, InGroup
from shared.domain.heard_speech import STEP
from shared.domain.long_operation import LongOperation, LongStatus
from shared.domain.recording_url import RecordingHosts
from shared.domain.subscription import SettingsChange
from shared.domain.turns import NamedTurns, SpeakerOfTurns, Turn, TurnOptions
from shared.services.candidates import key_of
from shared.services.long_turns import MOST_ATTEMPTS, WINDOWS, without
from shared.services.thresholds import RequestedThreshold
from shared.services.turns import TurnsWanted
from shared.storage.profiles.long_operations import LEASED
from tests.unit.services.meetings import URL, Meeting, timer, use_cases
from tests.unit.services.spoken import ACTOR, SpokenModel, World

ANN, BOB, STRANGER = 0.0, 90.0, 200.0
PIECES = [ANN] * WINDOWS + [BOB] * WINDOWS + [STRANGER] * WINDOWS


@pytest.fixture(autouse=True)
def no_url_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield
    assert "secret" not in caplog.text
    assert "meetings.example.com" not in caplog.text


@dataclass
class Scene:
    """A meeting of three pieces: Ann, Bob, a stranger."""

    world: World = field(default_factory=World)
    meeting: Meeting = field(default_factory=lambda: Meeting(PIECES))

    def __post_init__(self) -> None:
        self.ann, self.bob = (self.world.enrolled(voice=voice).profile_id for voice in (ANN, BOB))
        self.long_turns = use_cases(self.world.stores, self.world.clock, self.world.new_id)

    def delete(self, profile_id: str) -> None:
        self.world.profiles.delete(key_of(self.world.mine, profile_id), self.world.clock.now)

    def begin(self, candidates: Candidates | None = None, **wanted: object) -> str:
        among = [self.ann, self.bob] if candidates is None else candidates
        asked = TurnsWanted(self.world.mine, among, **wanted)  # type: ignore[arg-type]
        return self.long_turns.begin(ACTOR, asked, URL, None).operation_id

    def tick(self, pieces: int = 1_000) -> int:
        return timer(self.long_turns, self.world.stores, self.world.audit, self.meeting, pieces=pieces)()

    def get(self, operation_id: str) -> tuple[LongOperation, NamedTurns | None]:
        return self.long_turns.get(self.world.mine, operation_id)

    def speakers(self, operation_id: str) -> list[str]:
        operation, result = self.get(operation_id)
        assert operation.status is LongStatus.SUCCEEDED, operation.failure
        assert result is not None
        return [speaker.speaker for speaker in result.speakers]

    def failure(self, operation_id: str) -> str:
        operation, result = self.get(operation_id)
        assert (operation.status, result) == (LongStatus.FAILED, None)
        assert operation.failure is not None
        assert "secret" not in operation.failure.message
        return operation.failure.name


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_recording_is_heard_in_slices_and_then_named(scene: Scene) -> None:
    operation_id = scene.begin()
    operation, result = scene.get(operation_id)
    assert (operation.status, operation.percent, result) == (LongStatus.NOT_STARTED, 0, None)
    seen = []
    for _ in range(4):
        scene.world.clock.advance(minutes=1)
        assert scene.tick(pieces=1) == 1
        operation, _ = scene.get(operation_id)
        assert operation.last_action_at == scene.world.clock.now
        seen.append((operation.status, operation.percent))
        assert len(list(scene.world.storage.turns.names("mine/"))) == 1  # what was heard before is gone
    running = LongStatus.RUNNING
    assert seen == [(running, 32), (running, 64), (running, 97), (LongStatus.SUCCEEDED, 100)]
    assert scene.meeting.read == [0, WINDOWS * STEP, 2 * WINDOWS * STEP]  # each piece once
    assert scene.speakers(operation_id) == [scene.ann, scene.bob, "unknown-1"]
    assert scene.tick() == 0


def test_slices_give_what_one_gives(scene: Scene) -> None:
    in_slices, at_once = scene.begin(), scene.begin()
    while scene.get(in_slices)[0].status is not LongStatus.SUCCEEDED:
        scene.tick(pieces=1)
    scene.tick()
    assert scene.get(in_slices)[1] == scene.get(at_once)[1]


@pytest.mark.parametrize("candidates", [Everyone(), InGroup("night")], ids=["everyone", "group"])
def test_candidates_may_be_everyone_or_a_group(scene: Scene, candidates: Candidates) -> None:
    scene.world.groups.put(Group("mine", "night", "1", scene.world.clock.now), 10)
    scene.world.groups.add("night", key_of(scene.world.mine, scene.ann))
    operation_id = scene.begin(candidates)
    scene.tick()
    known = [scene.ann, scene.bob] if candidates == Everyone() else [scene.ann, "unknown-1"]
    assert scene.speakers(operation_id)[:2] == known


def test_options_and_threshold_are_those_of_the_request(scene: Scene) -> None:
    alone = scene.begin(options=TurnOptions(max_speakers=1))
    scene.meeting.voices_of_windows = [voice + 20.0 for voice in PIECES]
    strict = scene.begin(threshold=RequestedThreshold("threshold", "1", score=0.99999))
    scene.tick()
    assert len(scene.speakers(alone)) == 1
    assert scene.speakers(strict) == ["unknown-1", "unknown-2", "unknown-3"]
    with pytest.raises(ParameterInvalid, match="only be stricter"):
        scene.begin(threshold=RequestedThreshold("threshold", "0.1", score=0.1))


def test_what_cannot_come_to_a_result_is_refused_at_once(scene: Scene) -> None:
    with pytest.raises(ProfileNotFound):
        scene.begin(["11111111-2222-3333-4444-555555555555"])
    with pytest.raises(GroupNotFound):
        scene.begin(InGroup("absent"))
    with pytest.raises(NobodyEnrolled):
        scene.long_turns.begin(ACTOR, TurnsWanted(scene.world.yours, Everyone()), URL, None)
    wanted = TurnsWanted(scene.world.mine, [scene.ann])
    with pytest.raises(RecordingUrlRefused):
        scene.long_turns.begin(ACTOR, wanted, "https://elsewhere.example.com/x", None)
    assert scene.tick() == 0


def test_two_may_be_open_and_the_third_waits_for_an_end(scene: Scene) -> None:
    first, second = scene.begin(), scene.begin()
    with pytest.raises(TooManyOpenRecordings):
        scene.begin()
    scene.long_turns.remove("mine", first)
    third = scene.begin()
    scene.tick()
    assert scene.speakers(second) == scene.speakers(third)
    assert scene.begin()


@pytest.mark.parametrize("at", ["before", "meanwhile", "after"])
def test_a_profile_that_is_deleted_meanwhile_reads_unknown(scene: Scene, at: str) -> None:
    operation_id = scene.begin()
    if at == "meanwhile":
        scene.tick(pieces=1)
    if at == "after":
        scene.tick()
    scene.delete(scene.ann)
    scene.tick()
    unnamed = ["unknown-2", scene.bob, "unknown-1"] if at == "after" else ["unknown-1", scene.bob, "unknown-2"]
    assert scene.speakers(operation_id) == unnamed
    _, result = scene.get(operation_id)
    assert result is not None
    assert scene.ann not in repr(result)


def test_candidates_that_are_all_gone_leave_strangers(scene: Scene) -> None:
    listed, everyone = scene.begin(), scene.begin(Everyone())
    for one in (scene.ann, scene.bob):
        scene.delete(one)
    scene.tick()
    for operation_id in (listed, everyone):
        assert scene.speakers(operation_id) == ["unknown-1", "unknown-2", "unknown-3"]


def test_numbers_of_the_unknown_go_on_behind_those_that_were() -> None:
    def speaker(name: str, score: float | None) -> SpeakerOfTurns:
        return SpeakerOfTurns(name, 1.0, score, [("a", 0.9), ("b", 0.8)])

    turns = [Turn(0.0, 1.0, "a", 0.9), Turn(1.0, 2.0, "unknown-1", None), Turn(2.0, 3.0, "b", 0.8)]
    result = NamedTurns(turns, [speaker("a", 0.9), speaker("unknown-1", None), speaker("b", 0.8)], 3.0, 3.0)
    hidden = without(result, {"a"})
    assert [(turn.speaker, turn.score) for turn in hidden.turns] == [
        ("unknown-2", None),
        ("unknown-1", None),
        ("b", 0.8),
    ]
    assert [one.speaker for one in hidden.speakers] == ["unknown-2", "unknown-1", "b"]
    assert {one.ranking == [("b", 0.8)] for one in hidden.speakers} == {True}


@pytest.mark.parametrize("start", [0, WINDOWS * STEP, None])
def test_a_source_that_fails_or_changes_ends_the_operation_by_name(scene: Scene, start: int | None) -> None:
    operation_id = scene.begin()
    scene.meeting.refused |= {} if start is None else {start: SourceExpired(403)}
    scene.tick(pieces=1)
    if start is None:
        scene.meeting.etag = '"2"'
    scene.tick(pieces=1)
    assert scene.failure(operation_id) == ("SourceChanged" if start is None else "SourceExpired")


def test_a_source_that_is_away_is_asked_again_and_not_for_ever(scene: Scene) -> None:
    operation_id = scene.begin()
    scene.meeting.refused[WINDOWS * STEP] = SourceUnavailable()
    scene.tick(pieces=1)
    for _ in range(MOST_ATTEMPTS - 1):
        scene.tick(pieces=1)
        assert scene.get(operation_id)[0].status is LongStatus.RUNNING
    del scene.meeting.refused[WINDOWS * STEP]
    scene.tick(pieces=1)  # it has come back, and the count begins anew
    scene.meeting.refused[2 * WINDOWS * STEP] = SourceUnavailable()
    for _ in range(MOST_ATTEMPTS):
        assert scene.get(operation_id)[0].status is LongStatus.RUNNING
        scene.tick(pieces=1)
    assert scene.failure(operation_id) == "SourceUnavailable"


def test_a_slice_that_is_always_killed_is_not_tried_for_ever(scene: Scene) -> None:
    operation_id = scene.begin()
    for _ in range(MOST_ATTEMPTS):
        assert scene.long_turns.store.lease("mine", 0, scene.world.clock.now) is not None  # and nobody comes back
        assert scene.tick() == 0
        scene.world.clock.advance(seconds=LEASED.total_seconds())
    scene.tick()
    assert scene.failure(operation_id) == "RecordingAbandoned"


def test_another_model_than_at_the_beginning_hears_it_anew(scene: Scene) -> None:
    operation_id = scene.begin()
    scene.tick(pieces=2)
    models = scene.long_turns.turns.models
    changed = replace(
        scene.long_turns.turns, models=replace(models, current=SpokenModel("spoken-2"), previous=models.current)
    )
    scene.long_turns = replace(scene.long_turns, turns=changed)
    scene.tick()
    assert scene.meeting.read.count(0) == 2
    assert scene.speakers(operation_id) == [scene.ann, scene.bob, "unknown-1"]


def test_a_host_that_is_not_listed_any_more_ends_it_and_without_hosts_it_waits(scene: Scene) -> None:
    operation_id = scene.begin()
    scene.long_turns = replace(scene.long_turns, hosts=RecordingHosts())
    assert scene.tick() == 0
    scene.long_turns = replace(scene.long_turns, hosts=RecordingHosts.parse("other.example.com"))
    scene.tick()
    assert scene.failure(operation_id) == "RecordingUrlRefused"


def test_what_was_recognised_is_on_record_where_it_is_wanted_as_of_who_asked(scene: Scene) -> None:
    scene.begin()
    scene.tick()
    scene.world.subscriptions.change("mine", SettingsChange(recognition_days=1.0))
    scene.begin()
    scene.tick()
    entries = [entry for entry in scene.world.audited() if entry.action.is_recognition]
    assert [entry.action for entry in entries] == [AuditAction.TURNS] * 2
    assert {entry.profile.profile_id for entry in entries if entry.profile} == {scene.ann, scene.bob}
    assert {entry.actor for entry in entries} == {ACTOR}


def test_a_removed_one_is_unknown_and_not_worked_on(scene: Scene) -> None:
    done, open_one = scene.begin(), scene.begin()
    scene.tick(pieces=3)
    for operation_id in (done, open_one):
        scene.long_turns.remove("mine", operation_id)
        for again in (scene.get, lambda one: scene.long_turns.remove("mine", one)):
            with pytest.raises(OperationNotFound):
                again(operation_id)
    assert scene.tick() == 0


def test_a_removal_in_the_middle_of_a_slice_wins(scene: Scene) -> None:
    operation_id = scene.begin()

    class Removing(Meeting):
        def heard(self, voices: Sequence, first: int, last: int) -> Sequence:  # type: ignore[type-arg]
            if first:
                scene.long_turns.remove("mine", operation_id)
            return super().heard(voices, first, last)

    scene.meeting = Removing(PIECES)
    scene.tick(pieces=2)
    with pytest.raises(OperationNotFound):
        scene.get(operation_id)
    assert list(scene.world.storage.turns.names("mine/")) == []


def test_it_is_foreign_to_others_and_gone_after_a_day(scene: Scene) -> None:
    done, open_one = scene.begin(), scene.begin()
    scene.tick(pieces=3)
    with pytest.raises(OperationNotFound):
        scene.long_turns.get(scene.world.yours, done)
    with pytest.raises(OperationNotFound):
        scene.long_turns.remove("yours", done)
    scene.world.clock.advance(hours=24)
    for operation_id in (done, open_one):
        with pytest.raises(OperationNotFound):
            scene.get(operation_id)
    assert scene.tick() == 0
    for later in (0, 1):
        now = scene.world.clock.now + timedelta(hours=later)
        while scene.world.upkeep.sweep("mine", now, 100):
            pass
    rows = [row.key for row in scene.world.voices.query("mine", " ", "~") if "turns" in row.key]
    assert rows == []
    assert list(scene.world.storage.turns.names("mine/")) == []


def test_a_deleted_subscription_is_not_worked_on(scene: Scene) -> None:
    scene.begin()
    scene.world.subscriptions.begin_deletion("mine", scene.world.clock.now, "a request")
    assert scene.tick() == 0
    assert scene.meeting.read == []
