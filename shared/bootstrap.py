"""Builds the object graph, once per process: which adapter stands behind which port.

The modules that every recognition needs are imported with the app. What is opened is lazy: the model and the voice
activity network by the first request that needs them, the storage clients by the first that stores, so the retention
timer never loads the model, and the timers for migration and long recordings only while there is something to do. So
are modules that only some requests or deployments need: azure.storage.blob, azure.identity, azure.keyvault.
"""

from __future__ import annotations

import logging
import os
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Final

import numpy as np

from shared.audio.decoder.pool import Decoders
from shared.audio.flac import FlacKeeper
from shared.audio.landmarks import SpectralLandmarks
from shared.audio.listener import RecordingListener
from shared.audio.sources.wave import RemoteRecordings
from shared.audio.voice_activity import VoiceActivity
from shared.config import Config, ConfigInvalid, read
from shared.domain.recording import SAMPLE_RATE
from shared.domain.subscription import KeySlot
from shared.inference.digits import SpokenDigitRecogniser
from shared.inference.model_card import CatalogueInvalid, ModelUnknown, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.passphrase import TranscribedPassphraseRecogniser
from shared.inference.phrase_examples import AlignedTakes
from shared.inference.phrase_states import ENCODER, SoundStates
from shared.inference.segmentation import OnnxSegmentation
from shared.inference.speaker_model import OnnxSpeakerModel, speaker_model
from shared.inference.transcriber import Transcriber
from shared.services.audit import Audit
from shared.services.candidates import CandidateStores
from shared.services.challenges import Challenges
from shared.services.comparison import SpeakerModels
from shared.services.enroll import Enroll
from shared.services.gate import TURNS_RETRY_AFTER_SECONDS, Gate, OneAtATime
from shared.services.groups import Groups
from shared.services.identify import Identify
from shared.services.long_turns import SECONDS as TURNS_SECONDS
from shared.services.long_turns import HearLongRecordings, LongTurns
from shared.services.manage import Manage
from shared.services.migrate import SECONDS as MIGRATION_SECONDS
from shared.services.migrate import Migrate
from shared.services.notes import ProfileNotes
from shared.services.operations import Operations
from shared.services.phrases import HearPhrase
from shared.services.ports.clock_and_ids import Clock, ServiceClock
from shared.services.ports.keeping import SubscriptionStore
from shared.services.profiles import Profiles
from shared.services.rate import RateLimit
from shared.services.readiness import Readiness
from shared.services.replays import Replays
from shared.services.retain import SECONDS, CompactGalleries, Retain
from shared.services.sweep import Sweep
from shared.services.tokens import Tokens
from shared.services.turns import IdentifyTurns
from shared.services.verify import Verify
from shared.services.wrong_keys import WrongKeys
from shared.storage.layout import SUBSCRIPTIONS_PARTITION
from shared.storage.sealing.key_encryption import KEY_BYTES, KeyEncryption, LocalKeyEncryption
from shared.storage.sealing.key_vault import KeyVaultKeyEncryption
from shared.storage.stores import Storage, Stores

log: Final = logging.getLogger("timbre.start")

EAR: Final = "campplus-channels-1"
"""The model that hears two voices in an enrollment, the only one for which that was measured. Every package has it."""

LOCAL_SUBSCRIPTION = "local"
"""The development subscription's id."""


@dataclass(frozen=True)
class Services:
    """Every use case, ready to be called."""

    config: Config
    gate: Gate
    rate: RateLimit
    wrong_keys: WrongKeys
    subscriptions: SubscriptionStore
    profiles: Profiles
    enroll: Enroll
    verify: Verify
    challenges: Challenges
    identify: Identify
    identify_turns: IdentifyTurns
    turns_admission: OneAtATime
    long_turns: LongTurns
    hear_long_recordings: HearLongRecordings
    compact_galleries: CompactGalleries
    groups: Groups
    notes: ProfileNotes
    manage: Manage
    audit: Audit
    operations: Operations
    tokens: Tokens
    retain: Retain
    migrate: Migrate
    readiness: Readiness
    clock: Clock
    models: SpeakerModels


_lock = Lock()
_services: Services | None = None


def services() -> Services:
    """The process's services. Raises ``ConfigInvalid``; ``StorageUnavailable`` is tried again at the next call."""
    global _services
    if _services is None:
        with _lock:
            if _services is None:
                try:
                    _services = build(read(os.environ))
                except (ConfigInvalid, CatalogueInvalid, ModelUnknown) as problem:
                    log.error("cannot_start %s", problem)  # names of settings and models, never a secret's value
                    raise
    return _services


def build(config: Config, storage: Storage | None = None) -> Services:
    """Over the given storage, or the account that the settings name."""
    storage = storage or Storage.in_azure(config.storage)
    key_encryption = key_encryption_of(config)
    gallery_bytes = config.gallery_megabytes * 1_000_000
    clock = storage.clock
    stores = Stores.over(storage.rows, storage.blobs, key_encryption, clock, _new_id, gallery_bytes=gallery_bytes)
    if config.local_subscription_key:
        stores.subscriptions.ensure(LOCAL_SUBSCRIPTION, {KeySlot.PRIMARY: config.local_subscription_key}, clock())
    parts: dict[str, Callable[[], object]] = {
        "storage": lambda: (storage.subscriptions.get(SUBSCRIPTIONS_PARTITION, "ready"), storage.audio.get("ready")),
        "keyEncryption": lambda: key_encryption.unwrap(key_encryption.wrap(bytes(KEY_BYTES))),
    }
    return assemble(config, stores, clock, parts)


def assemble(
    config: Config,
    stores: Stores,
    clock: ServiceClock,
    parts: Mapping[str, Callable[[], object]] = MappingProxyType({}),
) -> Services:
    """The use cases on top of the given stores, whose health ``parts`` try.

    ``ModelUnknown`` when the catalogue has no model of that name.
    """
    subscriptions, profiles, trail, groups = stores.subscriptions, stores.profiles, stores.trail, stores.groups
    catalogue = read_catalogue()
    model = speaker_model(catalogue.speaker(config.model))
    previous = speaker_model(catalogue.speaker(config.previous_model)) if config.previous_model else None
    models = SpeakerModels(model, previous)
    ear = model if config.model == EAR else speaker_model(catalogue.speaker(EAR))
    calibrations = {card.model_id: card.calibration for card in catalogue.speaker_models if card.calibration}
    activity = catalogue.voice_activity
    detector = VoiceActivity(OnnxNetwork(activity))
    segmentation = OnnxSegmentation(OnnxNetwork(catalogue.segmentation))
    decoders = Decoders(config.at_once)
    listener = RecordingListener(detector, strict=config.strict_audio, decoders=decoders)
    sounds = OnnxNetwork(catalogue.phrases)
    transcribers = {card.encoder.model_id: Transcriber(card) for card in catalogue.transcribers}
    english = transcribers[ENCODER]
    phrases = TranscribedPassphraseRecogniser(english)
    hear = HearPhrase(phrases, AlignedTakes(sounds, catalogue.phrases.model_id, SoundStates(english)))
    digits = SpokenDigitRecogniser(catalogue.digits, transcribers.values())
    challenges = Challenges(stores.challenges, digits, clock, _new_id, secrets.randbelow)
    replays = Replays(SpectralLandmarks(), stores.data_keys, stores.prints)
    audit = Audit(trail, clock, _new_id)
    turns = IdentifyTurns(profiles, stores.galleries, groups, listener, segmentation, models, clock)
    return Services(
        config=config,
        gate=Gate(config.at_once, config.waiting, config.wait_seconds),
        rate=RateLimit(config.requests_per_second),
        wrong_keys=WrongKeys(),
        subscriptions=subscriptions,
        profiles=Profiles(profiles, audit, clock, _new_id),
        enroll=Enroll(profiles, audit, listener, hear, models, FlacKeeper(), clock, ear, activation=config.activation),
        verify=Verify(profiles, listener, hear, models, clock, challenges, replays, ear),
        challenges=challenges,
        identify=Identify(CandidateStores(profiles, stores.galleries, groups), listener, models, clock),
        identify_turns=turns,
        turns_admission=OneAtATime(TURNS_RETRY_AFTER_SECONDS),
        long_turns=LongTurns(stores.long_operations, turns, profiles, config.recording_hosts, clock, _new_id),
        hear_long_recordings=HearLongRecordings(
            Sweep("turns", TURNS_SECONDS, subscriptions),
            stores.long_operations,
            RemoteRecordings(detector),
            turns,
            config.recording_hosts,
            audit,
            clock,
        ),
        compact_galleries=CompactGalleries(Sweep("compaction", SECONDS, subscriptions), stores.compaction),
        groups=Groups(groups, audit, clock, _new_id),
        notes=ProfileNotes(profiles, audit, clock),
        manage=Manage(subscriptions, phrases, models, stores.upkeep, audit, clock, _new_key, calibrations),
        audit=audit,
        operations=Operations(stores.operations, clock, _new_id),
        tokens=Tokens(subscriptions, stores.data_keys, stores.spent_tokens, clock, _new_id),
        retain=Retain(
            Sweep("retention", SECONDS, subscriptions),
            stores.upkeep,
            stores.eraser,
            trail,
            clock,
            stores.leftovers.remove,
        ),
        migrate=Migrate(
            Sweep("migration", MIGRATION_SECONDS, subscriptions),
            stores.migrations,
            RecordingListener(detector, decoders=decoders),
            model,
            clock,
        ),
        readiness=Readiness({**parts, "model": lambda: _try_model(model, detector)}),
        clock=clock,
        models=models,
    )


def key_encryption_of(config: Config) -> KeyEncryption:
    setting = config.key_encryption
    if setting.startswith("vault:"):
        return KeyVaultKeyEncryption(setting.removeprefix("vault:"), config.storage)
    return LocalKeyEncryption.from_setting(setting)


def _try_model(model: OnnxSpeakerModel, detector: VoiceActivity) -> None:
    """Opens both networks, as the first request would, and puts a second of a tone through them: 20 ms."""
    tone = (np.sin(np.arange(SAMPLE_RATE) / 20.0) / 10.0).astype(np.float32)
    detector.speech_mask(tone)
    model.embed_samples(tone)


def _new_key() -> str:
    return secrets.token_hex(32)


def _new_id() -> str:
    return str(uuid.uuid4())
