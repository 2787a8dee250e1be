"""A rebuilt signature is that of enrolling again; a walk that has ended is not walked again for a day."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta

import pytest

from shared.domain.limits import AudioRules
from shared.domain.recording import Utterance
from shared.services.migrate import Migrate
from shared.services.sweep import Sweep
from tests.unit.services.spoken import RULES, Spoken, SpokenKeeper, SpokenListener, SpokenModel, World


class Verbatim(SpokenKeeper):
    def encode(self, utterance: Utterance) -> bytes:
        return json.dumps(asdict(Spoken(float(utterance.recording.samples[0])))).encode()


class OfKept(SpokenListener):
    def listen(self, body: bytes, media_type: str | None, rules: AudioRules, channel: int | None = None) -> Utterance:
        return super().listen(body, "test/spoken", RULES, channel)


def test_a_signature_is_rebuilt_by_the_speech_of_its_recordings_and_looked_at_again_after_a_day() -> None:
    world = World(model=SpokenModel("old-1"), keeper=Verbatim())
    key = world.enrolled(voice=10.0)
    world.enroll(key, Spoken(voice=40.0, speech_seconds=6.0))
    _, before = world.profiles.get_with_signature(key)
    migrate = Migrate(
        Sweep("test", 100.0, world.subscriptions), world.migrations, OfKept(), SpokenModel("new-1"), world.clock
    )
    assert migrate() == 1
    _, after = world.profiles.get_with_signature(key)
    assert before is not None
    assert after is not None
    assert (after.model_id, after.speech_seconds) == ("new-1", before.speech_seconds)
    assert after.direction == pytest.approx(before.direction)

    world.clock.advance(hours=24, microseconds=-1)
    assert migrate() == 0
    world.clock.now += timedelta(microseconds=1)
    assert migrate() == 1
