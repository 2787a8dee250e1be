"""What the laboratory recommends, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.domain.calibration import HIGHEST_RATE
from tools.calibration.curves import Estimate
from tools.calibration.figures import AtThreshold, Recommendation, Site
from tools.calibration.groups import MIN_SPEAKERS, SAME_GROUP, Part, Standing


def sentences(advice: Recommendation) -> Iterator[str]:
    """The recommendation, or why there is none; then the groups that contradict it or may."""
    at, wanted = advice.plain.at, share(advice.wanted)
    if advice.plain.standing is Standing.EXCEEDED:
        yield f"No threshold is recommended. {at.threshold:g} keeps {wanted} over all, and not in every group."
    else:
        lead = "Confirmed, this is in force" if advice.confirmed else "Recommended"
        yield f"{lead}: {at.threshold:g}. {rates(at)}"
    if advice.cautious.at.threshold != at.threshold:
        groups = " There too some group surely exceeds it." if advice.cautious.standing is Standing.EXCEEDED else ""
        yield f"Cautious: {advice.cautious.at.threshold:g}. {rates(advice.cautious.at)}{groups}"
    exceeded, may_be = (advice.plain.of(standing) for standing in (Standing.EXCEEDED, Standing.OPEN))
    if exceeded:
        yield f"Surely more than {wanted} of strangers pass at {at.threshold:g}: {'; '.join(map(_named, exceeded))}."
    if may_be:
        above = sum(part.false_match is not None and part.false_match.value > advice.wanted for part in may_be)
        yield (
            f"Perhaps more in {len(may_be)} of {len(advice.plain.parts)} rows by length and group: their intervals "
            f"reach above {wanted}; in {above} of them the measured rate does."
        )
    if advice.plain.standing is not Standing.KEPT:
        yield f"From {advice.keeping_all:g} up no group of {MIN_SPEAKERS} speakers or more was measured above {wanted}."


def table(of: Sequence[Part]) -> list[str]:
    """One line a part, for the terminal."""
    width = max(len(name(part)) for part in of)
    return [
        f"{name(part):{width}}  strangers pass {estimate(part.false_match)}, "
        f"own voices refused {estimate(part.false_non_match)}: {part.standing}"
        for part in of
    ]


def name(part: Part) -> str:
    against = " among themselves" if part.strangers == SAME_GROUP else ""
    return f"{part.length}, {part.group}{against}"


def rates(at: AtThreshold) -> str:
    match, miss = at.false_match, at.false_non_match
    return (
        f"At most {share(match.high)} of strangers pass ({share(match.value)} measured, from {share(match.low)}), "
        f"{share(miss.value)} of own voices are refused ({interval(miss)})."
    )


def estimate(rate: Estimate | None) -> str:
    return "none compared" if rate is None else f"{share(rate.value)} ({interval(rate)})"


def interval(rate: Estimate) -> str:
    return f"{share(rate.low)} to {share(rate.high)}"


def share(part: float) -> str:
    return f"{100 * part:.2f} %" if part < 0.0995 else f"{100 * part:.1f} %"


def _named(part: Part) -> str:
    return f"{name(part)} {estimate(part.false_match)}"


def about_site(site: Site | None, because: str) -> str:
    """Whether a calibration of these recordings is worth installing."""
    if site is None:
        return because
    if site.in_force:
        return "Calibration of these recordings: in force already."
    if site.rate_by_model is not None and site.rate_by_model > HIGHEST_RATE:
        return (
            "Calibration of these recordings: the service would refuse it. By the model's own figures up to "
            f"{share(site.rate_by_model)} of strangers would pass at 0.5, and {share(HIGHEST_RATE)} may."
        )
    exceeded = "; ".join(_named(part) for part in site.parts if part.standing is Standing.EXCEEDED)
    if exceeded:
        return f"Calibration of these recordings: not recommended. Surely too many strangers pass at 0.5: {exceeded}."
    return f"Calibration of these recordings: at 0.5 the wanted rate is {site.standing} in the groups."
