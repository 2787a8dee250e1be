"""What of a voice's spectrum has come through. Two voices are only compared within what is known of both."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Channel(IntEnum):
    """From the widest to the narrowest, so that the greater of two is the one by which both voices are known. The
    values stand in packs."""

    WIDE = 0
    """Everything that the models hear, to 8 kHz."""

    NARROW = 1
    """To 4 kHz, with the bass: 8,000 samples a second of a microphone, internet telephony."""

    TELEPHONE = 2
    """300 to 3,400 Hz: a telephone line, or what imitates one."""


NARROWER: Final = (Channel.NARROW, Channel.TELEPHONE)
"""Those by which a recording of the wide band can be made to sound."""
