"""Seals what tells a voice: AES-256-GCM under the subscription's data key, bound to where it stands.

A sealed text is one version byte, a random nonce of 12 bytes, and the ciphertext with its tag of 16 bytes. With random
nonces, one key may seal 2**32 texts (NIST SP 800-38D, 8.3); a subscription at its limits (10,000 profiles, each
enrolled 100 times with three sealed texts a time) uses 3 million.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.errors import SealBroken
from shared.domain.profile import ProfileKey
from shared.storage.sealing.data_keys import DataKeys

logger: Final = logging.getLogger(__name__)

VERSION: Final = b"\x01"
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class Secret(StrEnum):
    """What a sealed text holds."""

    SIGNATURE = "signature"
    EMBEDDING = "embedding"
    AUDIO = "audio"
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a kind of secret
    GALLERY = "gallery"
    TEMPLATE = "template"
    TURNS = "turns"
    CHALLENGE = "challenge"
    PRINT = "print"


@dataclass(frozen=True)
class Place:
    """Where a sealed text belongs. Opened anywhere else, it is broken.

    ``item`` tells the enrollments of one profile apart; empty for what a profile has once.
    """

    key: ProfileKey
    secret: Secret
    epoch: int
    model_id: str
    item: str = ""

    def associated_data(self) -> bytes:
        """Each part with its length, so that no two places read alike."""
        parts = (
            self.key.subscription_id,
            self.key.kind.value,
            self.key.profile_id,
            self.secret.value,
            str(self.epoch),
            self.model_id,
            self.item,
        )
        encoded = [part.encode() for part in parts]
        return VERSION + b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def template_place(key: ProfileKey, epoch: int, front_end: str, enrollment_id: str) -> Place:
    """Bound to the front end that made it, not to the speaker model."""
    return Place(key, Secret.TEMPLATE, epoch, front_end, enrollment_id)


class Envelope:
    """Both methods raise ``SubscriptionUnknown`` when the data key was destroyed."""

    def __init__(self, data_keys: DataKeys, *, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._data_keys, self._random_bytes = data_keys, random_bytes

    def seal(self, place: Place, plain: bytes) -> bytes:
        nonce = self._random_bytes(NONCE_BYTES)
        cipher = AESGCM(self._data_keys.of(place.key.subscription_id))
        return VERSION + nonce + cipher.encrypt(nonce, plain, place.associated_data())

    def open(self, place: Place, sealed: bytes) -> bytes:
        """The plain text; ``SealBroken`` and an alarm in the log when anything about it is not as it was sealed."""
        cipher = AESGCM(self._data_keys.of(place.key.subscription_id))
        try:
            if len(sealed) < 1 + NONCE_BYTES + TAG_BYTES or sealed[:1] != VERSION:
                raise InvalidTag
            nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
            return cipher.decrypt(nonce, ciphertext, place.associated_data())
        except InvalidTag:
            alarm(place)
            raise SealBroken from None


def alarm(place: Place) -> None:
    """The event that an operator should be woken by: ids only."""
    logger.error(
        "seal_broken subscription=%s kind=%s profile=%s what=%s epoch=%d",
        place.key.subscription_id,
        place.key.kind.value,
        place.key.profile_id,
        place.secret.value,
        place.epoch,
    )
