"""What of a voice's spectrum has come through, and how two voices are compared that came by different channels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Channel(IntEnum):
    """From the widest to the narrowest. The values stand in packs."""

    WIDE = 0
    """Everything that the models hear, to 8 kHz."""

    NARROW = 1
    """To 4 kHz, with the bass: 8,000 samples a second of a microphone, internet telephony."""

    TELEPHONE = 2
    """300 to 3,400 Hz: a telephone line, or what imitates one."""


NARROWER: Final = (Channel.NARROW, Channel.TELEPHONE)
"""Those by which a recording of the wide band can be made to sound."""


@dataclass(frozen=True)
class Way:
    """How the recording is made to sound, which of the signature's sums it meets, and the channel by which strangers
    are as much alike."""

    heard: Channel
    known: Channel
    strangers: Channel


AS_THEY_CAME: Final = (Way(Channel.WIDE, Channel.WIDE, Channel.WIDE),)


def ways(heard: Channel, known: Channel) -> tuple[Way, ...]:
    """Of a recording with a signature that is known as ``WIDE`` or ``NARROW``; the best of their scores counts.

    Between a line's 300 Hz and a microphone's full bass there is every handset and every codec, and no measurement
    tells where a recording stands. So one that lacks the upper half is compared as each of the channels that it may
    have come by. Measured against choosing one of them by the bass: docs/decisions/narrow-channels.md.
    """
    wide, narrow, telephone = Channel
    if heard is wide and known is wide:
        return AS_THEY_CAME
    if heard is wide:
        return Way(narrow, wide, narrow), Way(telephone, wide, telephone)
    if known is wide:
        return Way(wide, narrow, narrow), Way(wide, telephone, telephone), Way(telephone, telephone, telephone)
    return (Way(wide, wide, heard),)
