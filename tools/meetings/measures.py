"""What is counted of a diarization: seconds of each kind of error, and of right and wrong names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from shared.domain.turns import UNKNOWN
from tools.calibration.curves import CONFIDENCE, Estimate
from tools.meetings.simulation import Turn

Mask = npt.NDArray[np.bool_]
Quantity = Literal["error", "missed", "false_alarm", "confusion"]

FRAMES_A_SECOND: Final = 100
RESAMPLINGS: Final = 1000


@dataclass(frozen=True)
class Errors:
    """Seconds, as pyannote.metrics counts them; ``speech`` of all speakers together, overlap twice."""

    missed: float
    false_alarm: float
    confusion: float
    speech: float

    @classmethod
    def of(cls, found: Mapping[str, float]) -> Errors:
        return cls(found["missed detection"], found["false alarm"], found["confusion"], found["total"])

    @property
    def error(self) -> float:
        return self.missed + self.false_alarm + self.confusion


@dataclass(frozen=True)
class Naming:
    """Seconds of the speech of participants who have enrolled (the first four) and of those who have not.

    ``other``: nobody had the right name, and somebody a name of one who does not speak. ``unnamed``: heard as unknown.
    """

    right: float
    other: float
    unnamed: float
    missed: float
    strangers: float
    strangers_named: float

    @property
    def enrolled(self) -> float:
        return self.right + self.other + self.unnamed + self.missed


def naming(reference: Sequence[Turn], found: Sequence[Turn], strangers: Collection[str], collar: float = 0.0) -> Naming:
    """In frames of 10 ms, moment by moment for each who speaks in it. ``collar``: seconds on both sides of each border
    of the reference that are left out, whosever it is."""
    length = max((round(turn.end * FRAMES_A_SECOND) for turn in (*reference, *found)), default=0) + 1
    heard, counts = _masks(found, length), ~_near(reference, length, collar)
    spoken = {name: mask & counts for name, mask in _masks(reference, length).items()}
    counted = dict.fromkeys((one.name for one in fields(Naming)), 0)
    for speaker, own in spoken.items():
        others = {name: ~mask for name, mask in spoken.items() if name != speaker}
        wrong = np.zeros(length, np.bool_)
        for name, mask in heard.items():
            if name != speaker and not name.startswith(UNKNOWN):
                wrong |= mask & others.get(name, True)
        if speaker in strangers:
            counted["strangers"] += int(own.sum())
            counted["strangers_named"] += int((own & wrong).sum())
            continue
        right = heard.get(speaker, np.zeros(length, np.bool_))
        somebody = np.any([*heard.values(), np.zeros(length, np.bool_)], axis=0)
        counted["right"] += int((own & right).sum())
        counted["other"] += int((own & ~right & wrong).sum())
        counted["unnamed"] += int((own & ~right & ~wrong & somebody).sum())
        counted["missed"] += int((own & ~right & ~wrong & ~somebody).sum())
    return Naming(**{name: count / FRAMES_A_SECOND for name, count in counted.items()})


def share(parts: Sequence[float], wholes: Sequence[float]) -> Estimate:
    """Of all meetings together, with the interval that drawing other meetings gives."""
    part, whole = np.array(parts), np.array(wholes)
    drawn = np.random.default_rng(0).integers(len(part), size=(RESAMPLINGS, len(part)))
    low, high = np.percentile(part[drawn].sum(axis=1) / np.maximum(whole[drawn].sum(axis=1), 1e-9), CONFIDENCE)
    return Estimate(float(part.sum() / max(whole.sum(), 1e-9)), float(low), float(high))


def rate(errors: Sequence[Errors], what: Quantity = "error") -> Estimate:
    return share([getattr(one, what) for one in errors], [one.speech for one in errors])


def naming_share(names: Sequence[Naming], what: str) -> Estimate:
    """Of the enrolled speakers' time, or of the strangers' for ``strangers_named``."""
    whole = "strangers" if what == "strangers_named" else "enrolled"
    return share([getattr(one, what) for one in names], [getattr(one, whole) for one in names])


def difference(ours: Sequence[Errors], theirs: Sequence[Errors]) -> Estimate:
    """Error rate of theirs less ours, of the same meetings: above 0 ours is lower."""
    speech = [one.speech for one in ours]
    return share([other.error - one.error for one, other in zip(ours, theirs, strict=True)], speech)


def _near(turns: Sequence[Turn], length: int, collar: float) -> Mask:
    near = np.zeros(length, np.bool_)
    for border in (border for turn in turns for border in (turn.start, turn.end)):
        near[max(0, round((border - collar) * FRAMES_A_SECOND)) : round((border + collar) * FRAMES_A_SECOND)] = True
    return near


def _masks(turns: Sequence[Turn], length: int) -> dict[str, Mask]:
    masks: dict[str, Mask] = {}
    for turn in turns:
        mask = masks.setdefault(turn.speaker, np.zeros(length, np.bool_))
        mask[round(turn.start * FRAMES_A_SECOND) : round(turn.end * FRAMES_A_SECOND)] = True
    return masks
