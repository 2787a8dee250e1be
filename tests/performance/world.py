"""A storage account with made-up speakers in it, and a real one among them whom every question is about."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from localhost.azurite import Azurite
from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.domain.limits import V2021_SHORT_SPEECH
from shared.domain.profile import Signature
from shared.domain.subscription import KeySlot, Subscription, SubscriptionSettings
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.storage.backend.account import StorageAccount
from shared.storage.gallery.compaction import PACK_PROFILES
from shared.storage.stores import Storage, Stores
from tests.api.later import IDENTIFICATION, V2021
from tests.contract.stores import instance
from tests.performance.client import Client, Unexpected
from tests.performance.population import MODEL, SPEAKER_MODEL, Population
from tests.service import RunningService

ANYBODY = 0.000_001
"""The subscriptions' threshold: the one who speaks is named however many there are, so that each size does the same
work, the note that a profile was used with it."""

_EVERYBODY = V2021.path(IDENTIFICATION, "/profiles:identifySingleSpeaker", "&profileIds=*&ignoreMinLength=true")


def storage_of(azurite: Azurite) -> Storage:
    """Tables and containers under the names that the service gives them."""
    return Storage.in_azure(StorageAccount(connection_string=azurite.connection_string))


@dataclass(frozen=True)
class Crowd:
    """A subscription with made-up speakers and a real one."""

    population: Population
    key: str = field(repr=False)
    speaker: str

    def identify(self, client: Client, wav: bytes) -> float:
        """Seconds, with a client that has this crowd's key. Raises ``Unexpected`` unless the speaker is named."""
        answer = client.send("POST", _EVERYBODY, wav, expected=(200,))
        if json.loads(answer.body)["identifiedProfile"]["profileId"] != self.speaker:
            raise Unexpected("The one who speaks was not named among everybody.")
        return answer.seconds


@dataclass(frozen=True)
class World:
    azurite: Azurite
    folder: Path
    storage: Storage
    stores: Stores

    @classmethod
    def on(cls, azurite: Azurite, folder: Path) -> World:
        folder.mkdir()
        storage = storage_of(azurite)
        return cls(azurite, folder, storage, instance(storage, pack_profiles=PACK_PROFILES))

    def crowd(self, name: str, speakers: int, signature: Signature, say: Callable[[int], None]) -> Crowd:
        """``speakers`` in all."""
        key, settings = secrets.token_hex(32), SubscriptionSettings(identification_threshold=ANYBODY)
        self.stores.subscriptions.create(Subscription(name, settings=settings), {KeySlot.PRIMARY: key})
        population = Population(self.storage.voices, self.stores.envelope, name)
        real = population.new_key()
        self.storage.voices.apply(name, population.speaker(signature, real))
        for there in population.fill(speakers - 1):
            say(there + 1)
        population.count(speakers)
        return Crowd(population, key, real.profile_id)

    def compact(self, crowd: Crowd) -> None:
        """Until nothing is left to do."""
        while self.stores.compaction.compact(crowd.population.subscription_id):
            pass

    def client(self, service: RunningService, crowd: Crowd) -> Client:
        return Client(service.url, crowd.key)


def signature_of(wav: bytes) -> Signature:
    """As the service would make it of one enrollment."""
    activity = read_catalogue().voice_activity
    network = OnnxNetwork(CATALOGUE_FILE.parent / activity.file.name, activity.model_id)
    utterance = RecordingListener(VoiceActivity(network)).listen(wav, "audio/wav", V2021_SHORT_SPEECH)
    return Signature(SPEAKER_MODEL.embed(utterance), MODEL, utterance.speech_seconds)
