"""A world in which a recording says in its first bytes who speaks, what is said and for how long.

Listener, phrase recogniser, model and keeper here are small real implementations of the ports: the use cases can be
asked about exactly 30.00 seconds of speech, or a voice at exactly the threshold. Storage is the real store, in memory.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID, uuid4

import numpy as np

from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.domain.access import AccessKey, Role
from shared.domain.audit import Actor, AuditEntry, AuditFilter, Caller, via_key
from shared.domain.calibration import Calibration
from shared.domain.errors import AudioUnreadable, SpeechTooShort
from shared.domain.group import Candidates
from shared.domain.limits import AudioRules
from shared.domain.passphrase import BY_EXAMPLE, HeardPhrase, PhraseTemplate
from shared.domain.profile import Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import SAMPLE_RATE, Audio, AudioFormat, Numbers, Recording, Samples, Utterance, Vector
from shared.domain.replay import Landmarks
from shared.domain.subscription import KeySlot, Subscription, SubscriptionSettings
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.segmentation import OnnxSegmentation
from shared.services.audit import Audit
from shared.services.candidates import CandidateStores
from shared.services.challenges import Challenges, Drawn
from shared.services.comparison import SpeakerModels
from shared.services.enroll import Enroll, Enrolled, EnrollRequest, EnrollRules
from shared.services.groups import Groups
from shared.services.identify import Identification, Identify, IdentifyRequest
from shared.services.operations import Operations
from shared.services.phrases import HearPhrase
from shared.services.ports.keeping import ProfileStore
from shared.services.profiles import Profiles
from shared.services.replays import Replays
from shared.services.thresholds import RequestedThreshold
from shared.services.turns import IdentifyTurns
from shared.services.verify import Verification, Verify, VerifyRequest
from shared.storage.profiles.store import RowProfileStore
from shared.storage.sealing.key_encryption import LocalKeyEncryption
from shared.storage.stores import Storage, Stores

TDV, TIV, TII = (
    ProfileKind.TEXT_DEPENDENT_VERIFICATION, ProfileKind.TEXT_INDEPENDENT_VERIFICATION, ProfileKind.IDENTIFICATION,
)  # fmt: skip
RULES = AudioRules(min_seconds=1.0, max_seconds=300.0, min_speech_seconds=0.5, min_snr_db=0.0)
AT_ONCE = EnrollRules(RULES, needed_speech_seconds=30.0, max_audio_seconds=300.0, at_once=True)
TAKE = 100
"""Which sample says it."""

NO_RECORDING = Audio(b"no recording", "text/plain")


@dataclass(frozen=True)
class Spoken:
    """``voice`` is an angle in degrees: voices 60 degrees apart score exactly 0.5 against each other."""

    voice: float = 0.0
    phrase: int = -1
    clearly: bool = True
    speech_seconds: float = 2.0
    digits: str = ""
    take: int = 0

    @property
    def audio(self) -> Audio:
        return Audio(json.dumps(asdict(self)).encode(), "test/spoken")


class SpokenListener:
    def listen(self, body: bytes, media_type: str | None, rules: AudioRules, channel: int | None = None) -> Utterance:
        if media_type != "test/spoken":
            raise AudioUnreadable("Not a recording.")
        spoken = Spoken(**json.loads(body))
        if spoken.speech_seconds < rules.min_speech_seconds:
            raise SpeechTooShort(spoken.speech_seconds, rules.min_speech_seconds)
        samples = np.zeros(round((spoken.speech_seconds + 1) * SAMPLE_RATE), np.float32)
        samples[:4] = spoken.voice, spoken.phrase, spoken.clearly, len(spoken.digits)
        samples[TAKE] = spoken.take
        samples[4 : 4 + len(spoken.digits)] = [float(digit) for digit in spoken.digits]
        recording = Recording(samples, AudioFormat("test", "spoken", SAMPLE_RATE, 1))
        return Utterance(recording, samples > math.inf, spoken.speech_seconds, 20.0, 0.0, -20.0)


class SpokenPhrases:
    locales = ("en-US",)

    def recognise(
        self,
        utterance: Utterance,
        phrases: Sequence[str],
        locale: str,
        *,
        expected: str | None = None,
        alone: bool = False,
    ) -> HeardPhrase:
        number = int(utterance.recording.samples[1])
        clearly = bool(utterance.recording.samples[2])
        return HeardPhrase(phrases[number] if number >= 0 else None, -10.0, clearly and number >= 0)


class SpokenDigits:
    locales = ("en-US",)

    def text(self, digits: str, locale: str) -> str:
        return " ".join(digits)

    def says(self, utterance: Utterance, digits: str, locale: str) -> bool:
        count = int(utterance.recording.samples[3])
        return [str(int(sample)) for sample in utterance.recording.samples[4 : 4 + count]] == list(digits)


@dataclass(frozen=True)
class SpokenExamples:
    """Takes are the same phrase where both are clear and of the same number."""

    front_end: str = "spoken-1"

    def template(self, utterance: Utterance) -> PhraseTemplate:
        number, clearly = utterance.recording.samples[1:3]
        return PhraseTemplate(self.front_end, f"{number:g}".encode() if clearly else b"mumbled")

    def compare(self, take: PhraseTemplate, enrolled: Sequence[PhraseTemplate]) -> HeardPhrase:
        return HeardPhrase(BY_EXAMPLE, 0.0, take in enrolled and take.content != b"mumbled")


class SpokenLandmarks:
    """Twenty for each take."""

    def aligned(self, samples: Samples) -> list[Landmarks]:
        values = np.arange(20) + 20 * int(samples[TAKE])
        return [Landmarks(values.astype(np.uint32), np.arange(20, dtype=np.uint16))]


@dataclass(frozen=True)
class SpokenModel:
    model_id: str = "spoken-1"
    version: str = "2026-01-01"
    calibration: Calibration | None = None

    def embed(self, utterance: Utterance) -> Vector:
        angle = math.radians(float(utterance.recording.samples[0]))
        return np.array([math.cos(angle), math.sin(angle)], np.float32)

    def with_calibration(self, calibration: Calibration) -> SpokenModel:
        """Its scores stay cosines."""
        return replace(self, calibration=calibration)

    def scores(self, embedding: Vector, speech_seconds: float, signatures: Sequence[Signature]) -> list[float]:
        return [max(0.0, float(embedding @ signature.direction)) for signature in signatures]

    def scores_of_all(self, embedding: Vector, speech_seconds: float, directions: Vector, seconds: Numbers) -> Numbers:
        return np.maximum(0.0, np.asarray(directions @ embedding, np.float64))


class SpokenKeeper:
    def encode(self, utterance: Utterance) -> bytes:
        return f"kept {utterance.speech_seconds} seconds".encode()


@dataclass
class Clock:
    now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    off: timedelta | None = timedelta()

    def __call__(self) -> datetime:
        return self.now

    def skew(self, since: float) -> timedelta | None:
        return self.off

    def advance(self, **how_much: float) -> datetime:
        self.now += timedelta(**how_much)
        return self.now


@dataclass
class Numbered:
    """Ids in the order in which they were asked for."""

    given: int = 0

    def __call__(self) -> str:
        self.given += 1
        return str(UUID(int=self.given))


ACTOR = Actor(via_key("primary"), "a request")


def caller(subscription: Subscription) -> Caller:
    return Caller(subscription, ACTOR, AccessKey("primary", Role.MANAGE))


@dataclass
class World:
    clock: Clock = field(default_factory=Clock)
    new_id: Numbered = field(default_factory=Numbered)
    listener: SpokenListener = field(default_factory=SpokenListener)
    phrases: SpokenPhrases = field(default_factory=SpokenPhrases)
    examples: SpokenExamples = field(default_factory=SpokenExamples)
    model: SpokenModel = field(default_factory=SpokenModel)
    previous: SpokenModel | None = None
    keeper: SpokenKeeper = field(default_factory=SpokenKeeper)

    def __post_init__(self) -> None:
        self.storage = Storage.in_memory()
        self.stores = Stores.over(
            self.storage.rows, self.storage.blobs, LocalKeyEncryption(bytes(32)), self.clock, self.new_id
        )
        self.subscriptions, self.profiles = self.stores.subscriptions, self.stores.profiles
        self.trail, self.upkeep, self.groups = self.stores.trail, self.stores.upkeep, self.stores.groups
        self.galleries, self.compaction = self.stores.galleries, self.stores.compaction
        self.eraser, self.migrations = self.stores.eraser, self.stores.migrations
        self.operations = Operations(self.stores.operations, self.clock, self.new_id)
        self.voices, self.blobs = self.storage.voices, self.storage.audio
        self.mine = self.subscriptions.ensure("mine", {KeySlot.PRIMARY: "my key"})
        self.yours = self.subscriptions.ensure("yours", {KeySlot.PRIMARY: "your key"})
        self.me = caller(self.mine)
        self.audit = Audit(self.trail, self.clock, lambda: str(uuid4()))
        self.change_groups = Groups(self.groups, self.audit, self.clock, self.new_id)

    def create(self, kind: ProfileKind, subscription: Subscription | None = None, locale: str = "en-us") -> ProfileKey:
        return self.use_cases.create(caller(subscription or self.mine), kind, locale).key

    def enrolled(
        self, kind: ProfileKind = TII, *, voice: float = 0.0, subscription: Subscription | None = None
    ) -> ProfileKey:
        """Fit to be recognised; a text-dependent one is bound to phrase 2."""
        key = self.create(kind, subscription)
        for _ in range(3 if kind.needs_phrase else 1):
            self.enroll(key, Spoken(voice=voice, phrase=2))
        return key

    @property
    def hear(self) -> HearPhrase:
        return HearPhrase(self.phrases, self.examples)

    @property
    def use_cases(self) -> Profiles:
        return Profiles(self.profiles, self.audit, self.clock, self.new_id)

    @property
    def models(self) -> SpeakerModels:
        return SpeakerModels(self.model, self.previous)

    def owner(self, key: ProfileKey, settings: SubscriptionSettings | None) -> Subscription:
        """With other settings than the stored ones, where given."""
        subscription = self.subscriptions.get(key.subscription_id)
        return subscription if settings is None else replace(subscription, settings=settings)

    def enroll(
        self,
        key: ProfileKey,
        spoken: Spoken | Audio = Spoken(),
        rules: EnrollRules = AT_ONCE,
        *,
        settings: SubscriptionSettings | None = None,
        profiles: ProfileStore | None = None,
    ) -> Enrolled:
        """``profiles`` stands in for the store."""
        use_case = Enroll(
            profiles or self.profiles, self.audit, self.listener, self.hear, self.models, self.keeper, self.clock,
            self.models.current,
        )  # fmt: skip
        return use_case(EnrollRequest(caller(self.owner(key, settings)), key, _audio(spoken), rules))

    def verify(
        self,
        key: ProfileKey,
        spoken: Spoken | Audio = Spoken(),
        *,
        settings: SubscriptionSettings | None = None,
        threshold: RequestedThreshold | None = None,
        challenge_id: str | None = None,
    ) -> Verification:
        parts = (self.profiles, self.listener, self.hear, self.models, self.clock)
        use_case = Verify(*parts, self.challenges, self.replays, self.models.current)
        owner = self.owner(key, settings)
        return use_case(VerifyRequest(owner, key, _audio(spoken), RULES, threshold, challenge_id))

    @property
    def replays(self) -> Replays:
        return Replays(SpokenLandmarks(), self.stores.data_keys, self.stores.prints)

    @property
    def challenges(self) -> Challenges:
        return Challenges(self.stores.challenges, SpokenDigits(), self.clock, self.new_id, secrets.randbelow)

    def draw(self, key: ProfileKey, count: int = 6) -> Drawn:
        return self.challenges.draw(self.profiles.get(key), count)

    def identify(
        self,
        candidates: Candidates,
        spoken: Spoken | Audio = Spoken(),
        *,
        subscription: Subscription | None = None,
        threshold: RequestedThreshold | None = None,
        same_locale: bool = False,
    ) -> Identification:
        use_case = Identify(
            CandidateStores(self.profiles, self.galleries, self.groups), self.listener, self.models, self.clock
        )
        of_whom = subscription or self.subscriptions.get("mine")
        return use_case(IdentifyRequest(of_whom, candidates, _audio(spoken), RULES, threshold, same_locale))

    @property
    def identify_turns(self) -> IdentifyTurns:
        segmentation = OnnxSegmentation(OnnxNetwork(read_catalogue().segmentation))
        listener = RecordingListener(VoiceActivity(OnnxNetwork(read_catalogue().voice_activity)))
        return IdentifyTurns(
            self.profiles, self.galleries, self.groups, listener, segmentation, self.models, self.clock
        )

    def audited(self, subscription_id: str = "mine") -> list[AuditEntry]:
        """The whole trail."""
        page = self.trail.page(subscription_id, AuditFilter(), after=None, limit=1_000)
        return list(page.items)

    def stored(self) -> dict[str, str]:
        """Each row and blob with its mark: equal at two moments only if nothing was written in between."""
        rows = {row.key: row.etag for who in ("mine", "yours") for row in self.voices.query(who, "!", "~")}
        return rows | {name: repr(self.blobs.get(name)) for name in self.kept_audio()}

    def kept_audio(self) -> list[str]:
        return [name for who in ("mine", "yours") for name in self.blobs.names(f"{who}/")]


def _audio(spoken: Spoken | Audio) -> Audio:
    return spoken.audio if isinstance(spoken, Spoken) else spoken


class Interrupted(RowProfileStore):
    """The real store, in which something else happens after the first reads that an enroll starts from."""

    def __init__(self, store: RowProfileStore, happens: Callable[[], object], times: int = 1) -> None:
        self.__dict__.update(store.__dict__)
        self._happens = iter([happens] * times)

    def get_with_signature(self, key: ProfileKey) -> tuple[Profile, Signature | None]:
        found = super().get_with_signature(key)
        for happens in islice(self._happens, 1):
            happens()
        return found
