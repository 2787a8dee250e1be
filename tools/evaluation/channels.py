"""The channels of the accuracy page, and the comparisons through all of them that a calibration is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.domain.recording import Samples
from tools.calibration.hearing import FULL
from tools.calibration.trials import Trials, joined
from tools.evaluation import degradations as by
from tools.evaluation.degradations import CROWD, Condition
from tools.evaluation.ears import Ear
from tools.evaluation.pieces import LONG, DataSet
from tools.evaluation.verification import Compared, compared

CLEAN: Final = Condition("clean", by.clean)
SNRS: Final = (25, 20, 15, 10, 5)
LENGTHS: Final = (LONG, FULL, "4 s", "2 s", "1 s")
CHANGED_LENGTHS: Final = ("4 s", "2 s", "1 s")
"""Through a channel, the first test of each."""
LONG_TOO: Final = ("G.711 mu-law", "white noise, 10 dB", "room, 0.8 s")
"""Channels that are also tested with 20 s, which take as long as three others."""
BOTH_WAYS: Final = ("8 kHz", "telephone band", "GSM full rate", "Opus, 12 kbit/s", "white noise, 10 dB", "room, 0.4 s")
"""Channels by which the enrolments come too: strangers by the same line are more alike than by two."""
SO_TOO: Final = ", enrolled so too"
FITTED_STRANGERS: Final = 20_000
"""Comparisons of strangers of one channel in a fit, out of about 300,000."""


def conditions(crowd: Sequence[Samples]) -> list[Condition]:
    """``crowd`` are the voices that babble is made of, none of whom is tested: at least ``CROWD``, or no babble."""
    voices = list(crowd)
    plain = [
        CLEAN,
        Condition("8 kHz", by.eight_kilohertz),
        Condition("8 kHz, bass falling away below 200 Hz", by.handset),
        Condition("telephone band", by.telephone),
        Condition("G.711 mu-law", by.mu_law),
        Condition("G.711 A-law", by.a_law),
        Condition("GSM full rate", by.gsm),
        *(Condition(f"Opus, {kilobits} kbit/s", by.opus_at(kilobits)) for kilobits in by.OPUS_LEVELS),
        Condition("MP3, 30 kbit/s", by.mp3),
        Condition("turned down to -40 dBFS", by.quiet),
        Condition("small microphone", by.chain(by.by_small_microphone)),
        *(Condition(f"white noise, {snr} dB", by.white_noise(snr)) for snr in SNRS),
        Condition("room, 0.4 s", by.reverberation(0.4)),
        Condition("room, 0.8 s", by.reverberation(0.8)),
        Condition("room 0.4 s, GSM", by.chain(by.in_room(0.4), last=by.gsm)),
        Condition(
            "small microphone, white noise 15 dB, mu-law",
            by.chain(by.by_small_microphone, by.with_white_noise(15), last=by.mu_law),
        ),
    ]
    if len(voices) < CROWD:
        return plain
    return [
        *plain,
        *(Condition(f"babble, {snr} dB", by.babble(voices, snr)) for snr in SNRS),
        Condition(
            "room 0.4 s, babble 15 dB, Opus 12 kbit/s",
            by.chain(by.in_room(0.4), by.with_babble(voices, 15), last=by.opus_at(12)),
        ),
    ]


def crowd_of(sets: Sequence[DataSet], measured: DataSet) -> list[Samples]:
    """Voices outside the measured set of whom there is one recording."""
    return [one.takes[0].samples for data in sets if data is not measured for one in data.speakers if one.is_stranger]


def through(data: DataSet, ear: Ear, channels: Sequence[Condition]) -> dict[str, Compared]:
    """By name of the channel: enrolled as they are and tested through each, then both through it.

    The first channel must be the one without change.
    """
    clean = compared(data, ear, channels[0], channels[0], LENGTHS, False, channels[0].name)
    found = {channels[0].name: clean}
    for one in channels[1:]:
        lengths = (LONG, *CHANGED_LENGTHS) if one.name in LONG_TOO else CHANGED_LENGTHS
        found[one.name] = compared(data, ear, one, clean.voices, lengths, True, one.name, len(found))
    for one in channels:
        if one.name in BOTH_WAYS:
            name = f"{one.name}{SO_TOO}"
            found[name] = compared(data, ear, one, one, CHANGED_LENGTHS, True, name, len(found))
    return found


def augmented(measured: dict[str, Compared]) -> Trials:
    """All channels together, for a fit."""
    return joined([one.trials.thinned(FITTED_STRANGERS) for one in measured.values()])
