"""A change of models on Azurite with 100 profiles, whose migration is killed twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from secrets import randbelow
from uuid import uuid4

import pytest

from localhost.azurite import Azurite
from shared.audio.flac import FlacKeeper
from shared.audio.landmarks import SpectralLandmarks
from shared.domain.errors import ModelDiffers
from shared.domain.limits import V1_SHORT_AUDIO
from shared.domain.migration import MigrationProgress
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.recording import Audio
from shared.inference.digits import SpokenDigitRecogniser
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.passphrase import TranscribedPassphraseRecogniser
from shared.inference.phrase_examples import AlignedTakes
from shared.inference.phrase_states import SoundStates, states_card
from shared.inference.speaker_model import OnnxSpeakerModel
from shared.inference.transcriber import Transcriber
from shared.services.candidates import CandidateStores
from shared.services.challenges import Challenges
from shared.services.comparison import SpeakerModels
from shared.services.identify import Identify, IdentifyRequest
from shared.services.phrases import HearPhrase
from shared.services.replays import Replays
from shared.services.verify import Verify, VerifyRequest
from shared.storage.backend.ports import MAX_CHANGES, Insert, Rows
from shared.storage.layout import PROFILES, SUBSCRIPTIONS_PARTITION, end_of, enrollments_prefix
from shared.storage.stores import Storage, Stores
from tests.contract.moving import LISTENER, enroll_voice, model, spoken
from tests.contract.stores import Clock, instance, new_id, new_profile, new_subscription
from tests.integration.migrating import NEW_DIMENSION, NEW_MODEL, storage_of

TII, TIV, TDV = (
    ProfileKind.IDENTIFICATION,
    ProfileKind.TEXT_INDEPENDENT_VERIFICATION,
    ProfileKind.TEXT_DEPENDENT_VERIFICATION,
)
SHORT, LONG = (14, 1, 1, 3, 1), (70, 6, 6, 12, 6)
"""Profiles of identification whose recordings are kept, lost and were never kept; of verification without and with a
phrase."""
CATALOGUE = read_catalogue()
NETWORK = CATALOGUE.phrases
TRANSCRIBER = Transcriber(states_card(CATALOGUE))
TAKES = AlignedTakes(OnnxNetwork(NETWORK), NETWORK.model_id, SoundStates(TRANSCRIBER))
HEAR = HearPhrase(TranscribedPassphraseRecogniser(TRANSCRIBER), TAKES)
PITCHES = tuple(range(90, 250, 10))


@dataclass(frozen=True)
class Town:
    """Everybody who is enrolled with the old model, by what should become of them."""

    connection_string: str
    prefix: str
    folder: Path
    old: OnnxSpeakerModel
    new: OnnxSpeakerModel
    storage: Storage
    stores: Stores
    subscription_id: str
    movable: dict[ProfileKey, int]
    stuck: dict[ProfileKey, int]

    def progress(self) -> MigrationProgress | None:
        return self.stores.migrations.progress(self.subscription_id)

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.integration.migrating", self.connection_string, self.prefix]
        return subprocess.Popen([*command, str(self.folder)])

    def kill_when(self, is_time: Callable[[MigrationProgress], bool]) -> MigrationProgress:
        """Start the job and kill it outright when its progress says so; what it has left behind."""
        process = self.start()
        try:
            while (progress := self.progress()) is None or not is_time(progress):
                assert process.poll() is None, "the job ended before it could be killed"
                time.sleep(0.01)
        finally:
            process.kill()
        assert process.wait() != 0
        progress = self.progress()
        assert progress is not None
        return progress


@pytest.fixture
def town(azurite: Azurite, tmp_path: Path, long_form: bool) -> Town:
    memory = Storage.in_memory()
    stores = instance(memory)
    subscription_id = new_subscription(stores)
    prefix = f"t{uuid4().hex}"
    storage = storage_of(azurite.connection_string, prefix)
    old, new = model(tmp_path, "old-1", 24, 1), model(tmp_path, NEW_MODEL, NEW_DIMENSION, 2)
    town = Town(
        azurite.connection_string, prefix, tmp_path, old, new, storage, instance(storage), subscription_id, {}, {}
    )

    def enrolled(kind: ProfileKind, number: int, *, kept: bool = True) -> ProfileKey:
        key = stores.profiles.create(new_profile(subscription_id, kind), 1_000).key
        for take in range(1 + number % 2):
            enroll_voice(stores, key, old, PITCHES[number % len(PITCHES)] + take, kept=kept)
        return key

    kept, lost, never_kept, independent, dependent = LONG if long_form else SHORT
    town.movable.update({enrolled(TII, number): number for number in range(kept)})
    for number in range(lost):
        town.stuck[enrolled(TII, number)] = number
    for key in list(town.stuck):
        prefix_ = enrollments_prefix(key, 0)
        row = next(iter(memory.voices.query(subscription_id, prefix_, end_of(prefix_))))
        memory.audio.delete(row.get("blob", str))
    town.stuck.update({enrolled(TII, number, kept=False): number for number in range(never_kept)})
    town.stuck.update({enrolled(TIV, number): number for number in range(independent)})
    town.stuck.update({enrolled(TDV, number): number for number in range(dependent)})
    copy(memory.subscriptions, storage.subscriptions, SUBSCRIPTIONS_PARTITION)
    copy(memory.voices, storage.voices, subscription_id)
    for name in memory.audio.names(f"{subscription_id}/"):
        storage.audio.put(name, memory.audio.get(name) or b"")
    return town


def copy(source: Rows, target: Rows, partition: str) -> None:
    """Enrolling 100 people one after the other takes a minute on Azurite; in memory, and copied, a second."""
    rows = [Insert(row.key, dict(row.values)) for row in source.query(partition, " ", "~")]
    for start in range(0, len(rows), MAX_CHANGES):
        target.apply(partition, rows[start : start + MAX_CHANGES])


@cache
def recording(pitch: float) -> Audio:
    return Audio(FlacKeeper().encode(spoken(pitch)), "audio/flac")


def pitch(number: int) -> int:
    return PITCHES[number % len(PITCHES)]


def models_in_use(town: Town) -> set[str]:
    start, end = PROFILES, end_of(PROFILES)
    rows = town.storage.voices.query(town.subscription_id, start, end, select=("model_id",))
    return {row.get("model_id", str) for row in rows}


def verifying(stores: Stores, models: SpeakerModels) -> Verify:
    digits = SpokenDigitRecogniser((), ())
    challenges = Challenges(stores.challenges, digits, Clock(), new_id, randbelow)
    replays = Replays(SpectralLandmarks(), stores.data_keys, stores.prints)
    return Verify(stores.profiles, LISTENER, HEAR, models, Clock(), challenges, replays, models.current)


def assert_served_side_by_side(town: Town) -> None:
    """Half-way: everybody is recognised, by the model that made the signature (a model refuses any other)."""
    subscription = town.stores.subscriptions.get(town.subscription_id)
    assert models_in_use(town) == {"old-1", "new-1"}
    models, stores = SpeakerModels(town.new, town.old), town.stores
    candidates = CandidateStores(stores.profiles, stores.galleries, stores.groups)
    identify = Identify(candidates, LISTENER, models, Clock())
    for start in range(0, len(town.movable), 7):  # an uncalibrated model names nobody in lists of more than 9
        group = list(town.movable.items())[start : start + 7]
        listed, audio = [key.profile_id for key, _ in group], recording(pitch(group[0][1]))
        assert identify(IdentifyRequest(subscription, listed, audio, V1_SHORT_AUDIO)).identified is not None
    verify = verifying(stores, models)
    for key, number in town.stuck.items():
        if key.kind is TIV:
            request = VerifyRequest(subscription, key, recording(pitch(number)), V1_SHORT_AUDIO)
            assert verify(request).decision.accepted


def assert_moved(town: Town) -> None:
    for key, number in town.movable.items():
        profile, signature = town.stores.profiles.get_with_signature(key)
        assert signature is not None
        assert profile.model_id == signature.model_id == "new-1"
        takes = 1 + number % 2
        assert profile.enrollments_count == takes
        heard = town.new.embed(spoken(pitch(number)))
        assert float(signature.direction @ heard) > (0.999 if takes == 1 else 0.99)


@pytest.mark.long_form("every call is cut in tests/contract; a real process is killed at night")
@pytest.mark.azurite
def test_all_profiles_end_migrated_or_flagged_though_the_job_is_killed_twice(town: Town) -> None:
    first = town.kill_when(lambda progress: progress.migrated >= 4)
    assert first.finished_at is None
    assert_served_side_by_side(town)
    second = town.kill_when(lambda progress: progress.migrated >= first.migrated + 4)
    assert second.finished_at is None
    assert second.checked > first.checked
    assert_served_side_by_side(town)
    assert town.start().wait() == 0

    progress = town.progress()
    assert progress is not None
    assert progress.finished_at is not None
    assert (progress.checked, progress.migrated, progress.flagged, progress.postponed) == (
        len(town.movable) + len(town.stuck), len(town.movable), len(town.stuck), 0,
    )  # fmt: skip
    assert_moved(town)
    verify = verifying(town.stores, SpeakerModels(town.new))
    subscription = town.stores.subscriptions.get(town.subscription_id)
    for key in town.stuck:
        profile, signature = town.stores.profiles.get_with_signature(key)
        assert signature is not None
        assert profile.model_id == signature.model_id == town.old.model_id
        with pytest.raises(ModelDiffers, match=f"{key.profile_id} was enrolled with the model old-1.*enroll again"):
            verify(VerifyRequest(subscription, key, recording(100), V1_SHORT_AUDIO))
