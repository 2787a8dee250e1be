"""Made-up speakers, written straight into a subscription's rows: enrolling 100,000 would take hours."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from localhost.azurite import Azurite
from shared import config
from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.domain.limits import V2021_SHORT_SPEECH
from shared.domain.profile import EnrollmentStatus, Profile, ProfileKey, ProfileKind, Signature
from shared.domain.subscription import KeySlot, Subscription, SubscriptionSettings
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.speaker_model import speaker_model
from shared.storage.backend.account import StorageAccount
from shared.storage.backend.ports import MAX_CHANGES, Change, Insert
from shared.storage.gallery.compaction import FEWEST
from shared.storage.layout import TALLY, profile_row
from shared.storage.profiles.change_log import logged
from shared.storage.profiles.records import SealedVoice, profile_values, signature_bytes
from shared.storage.sealing.envelope import Place, Secret
from shared.storage.stores import Storage, Stores
from tests.contract.stores import NOW, instance, new_id

ANYBODY = 0.000_001
"""The subscriptions' threshold: the speaker is named however many there are, so that each size does the same work, the
note that a profile was used with it."""
WRITERS = 3
"""Threads: the SDK's share of a transaction is this process's, the emulator's another's."""
SEED = 7
CARD = read_catalogue().speaker(config.MODEL.default or "")


@dataclass(frozen=True)
class Population:
    """A subscription with a real speaker among made-up ones."""

    storage: Storage
    stores: Stores
    subscription_id: str
    key: str = field(repr=False)
    speaker: str

    @classmethod
    def on(cls, azurite: Azurite, name: str, speakers: int, real: Signature) -> Population:
        """``speakers`` in all; of one number the same voices every time."""
        storage = Storage.in_azure(StorageAccount(connection_string=azurite.connection_string))
        stores, key = instance(storage, pack_from=FEWEST), secrets.token_hex(32)
        settings = SubscriptionSettings(identification_threshold=ANYBODY)
        stores.subscriptions.create(Subscription(name, settings=settings), {KeySlot.PRIMARY: key})
        population = cls(storage, stores, name, key, new_id())
        starts = range(0, speakers - 1, MAX_CHANGES)
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda start: population._write(start, min(MAX_CHANGES, speakers - 1 - start)), starts))
        storage.voices.apply(name, [population._row(real, population.speaker), Insert(TALLY, {"profiles": speakers})])
        return population

    def change_one(self) -> None:
        """One more speaker, as another instance would write it."""
        profile_id = new_id()
        row = self._row(_made_up(np.random.default_rng()), profile_id)
        self.storage.voices.apply(self.subscription_id, [row, *logged(self.storage.voices, self._key_of(profile_id))])

    def compact(self) -> None:
        """Until nothing is left to pack, in packs of the size that the service makes."""
        while self.stores.compaction.compact(self.subscription_id):
            pass

    def _write(self, start: int, number: int) -> None:
        random = np.random.default_rng([SEED, start])
        changes = [self._row(_made_up(random), new_id()) for _ in range(number)]
        self.storage.voices.apply(self.subscription_id, changes)

    def _row(self, signature: Signature, profile_id: str) -> Change:
        """A profile that is enrolled with one recording."""
        key, model_id = self._key_of(profile_id), CARD.model_id
        place = Place(key, Secret.SIGNATURE, 0, model_id)
        sealed = SealedVoice(self.stores.envelope.seal(place, signature_bytes(signature)))
        profile = Profile(key, "en-US", NOW, NOW, EnrollmentStatus.ENROLLED, NOW, 1, 9.0, 8.0, model_id=model_id)
        return Insert(profile_row(key), profile_values(profile, 1, sealed))

    def _key_of(self, profile_id: str) -> ProfileKey:
        return ProfileKey(self.subscription_id, ProfileKind.IDENTIFICATION, profile_id)


def signature_of(wav: bytes) -> Signature:
    """As the service would make it of one enrollment."""
    activity = read_catalogue().voice_activity
    network = OnnxNetwork(activity)
    utterance = RecordingListener(VoiceActivity(network)).listen(wav, "audio/wav", V2021_SHORT_SPEECH)
    return Signature(speaker_model(CARD).embed(utterance), CARD.model_id, utterance.speech_seconds)


def _made_up(random: np.random.Generator) -> Signature:
    vector = random.normal(size=CARD.dimension)
    unit = np.asarray(vector / np.linalg.norm(vector), np.float32)
    return Signature(unit, CARD.model_id, float(random.uniform(5, 60)))
