"""``python -m tools.calibrate MANIFEST.csv --out DIR``: which threshold for your own recordings?

Runs labelled recordings through exactly the service's pipeline, compares everybody with everybody, and writes
``report.html``, ``report.json`` and, with enough speakers, ``calibration.json``. What was heard is kept in
DIR/heard, so an interrupted run goes on. That folder holds voice embeddings: delete it when the recordings are deleted.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from shared.config import MODEL
from shared.domain import limits
from shared.domain.calibration import Calibration
from shared.domain.decision import ACCEPT_SCORE
from shared.domain.limits import AudioRules
from shared.inference.model_card import ModelUnknown, SpeakerCard
from shared.inference.onnx_network import ModelFileMissing
from tools.calibration import figures
from tools.calibration.comparing import Comparisons, Material, compare, material
from tools.calibration.evidence import Evidence, Verdict
from tools.calibration.figures import InForce, Recommendation, Report, Site
from tools.calibration.fit import fitted, line_of
from tools.calibration.groups import Standing, kinds, parts
from tools.calibration.hearing import FULL, Heard, Pipeline, open_pipeline
from tools.calibration.kept import KeptHearings
from tools.calibration.manifest import Manifest, ManifestInvalid, read_manifest
from tools.calibration.progress import progress
from tools.calibration.site import MIN_SPEAKERS, calibration, halves, held_out
from tools.calibration.upload import UploadRefused, settings_in_force, upload
from tools.calibration.words import about_site, sentences, table

RULES: Final = {name: value for name, value in vars(limits).items() if isinstance(value, AudioRules)}
CUTS: Final = (4, 2)
"""Seconds of speech that every recording is cut to besides: nobody chooses how long callers speak."""
CANNOT: Final = 2


class NothingToCompare(Exception):
    """The message says what is lacking."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.remove_calibration:
        return _remove(options)
    if options.manifest is None or options.out is None:
        parser.error("the list of recordings and --out are needed")
    try:
        manifest = read_manifest(options.manifest).where(options.where)
        report = laboratory(manifest, options.out, options)
        _write(report, options.out)
        print(_summary(report, options.out))
        if options.upload:
            _upload(report, options)
    except (ManifestInvalid, NothingToCompare, UploadRefused, ModelUnknown, ModelFileMissing) as problem:
        print(problem, file=sys.stderr)
        return CANNOT
    return 0


def laboratory(manifest: Manifest, out: Path, options: argparse.Namespace) -> Report:
    """Everything between the manifest and the report. Raises ``NothingToCompare``."""
    pipeline = open_pipeline(options.model)
    now, card = _in_force(pipeline.card, options)
    heard = _hear(manifest, pipeline, options.rules, KeptHearings(out / "heard"))
    made = material(manifest.rows, heard, options.enrollments, pipeline.model.model_id)
    _require_signatures(made, options.enrollments)
    every = compare(made, card)
    full = every.of(FULL)
    if not full.scored.both_kinds:
        raise NothingToCompare(
            "There is nothing to compare: no speaker has a recording that is not in his own signature or of the same "
            "session, or there is only one speaker."
        )
    drawn = figures.main_curves(full)
    wanted = options.false_match_rate
    known = figures.evidence(full, wanted)
    advice = figures.recommendation(drawn, kinds(every, made, manifest), wanted, now.threshold, known)
    scores = {advice.plain.at.threshold, advice.cautious.at.threshold, now.threshold}
    fitted_here, because = _site(every, made, manifest, wanted)
    site = _judged(fitted_here, every, made, manifest, card, pipeline.card.calibration, wanted) if fitted_here else None
    return Report(
        manifest=manifest.file.name,
        date=datetime.now(UTC).date().isoformat(),
        model_id=pipeline.model.model_id,
        rules=options.rules,
        enrollments=options.enrollments,
        in_force=now,
        recordings=len(manifest.rows),
        speakers=len(made.speakers),
        signatures=len(made.enrolled),
        unenrolled=made.unenrolled,
        refusals=figures.refusals(manifest, heard),
        evidence=known,
        verdict=known.sentence,
        notes=tuple(figures.notes(full, made, manifest)),
        overall=figures.overall(drawn),
        recommended=advice,
        thresholds=tuple(figures.at_threshold(drawn, score) for score in sorted(scores | {*figures.CANDIDATES})),
        highest_strangers=figures.worst_pairs(full, made, manifest, same=False),
        lowest_same=figures.worst_pairs(full, made, manifest, same=True),
        site=site,
        no_calibration_because=because,
        curves=drawn,
    )


def _in_force(card: SpeakerCard, options: argparse.Namespace) -> tuple[InForce, SpeakerCard]:
    """Of the subscription where a service is named, otherwise the model's calibration and the default threshold."""
    owner, threshold = "the model's own", ACCEPT_SCORE
    if url := options.service or options.upload:
        stored = settings_in_force(url, options.key)
        threshold = stored.threshold
        if stored.calibration is not None and stored.calibration.model_id == card.model_id:
            owner, card = "the subscription's own", replace(card, calibration=stored.calibration.calibration)
    used = card.calibration
    about = f"{owner}, fitted on {used.fitted_on} ({used.fitted_speakers:,} speakers)" if used else "none"
    return InForce(about, options.in_force or threshold), card


def _judged(
    fitted_here: Calibration,
    every: Comparisons,
    made: Material,
    manifest: Manifest,
    card: SpeakerCard,
    shipped: Calibration | None,
    wanted: float,
) -> Site:
    rescored = replace(every, logit=line_of(fitted_here).logit(every.trials))
    found = parts(kinds(rescored, made, manifest), 0.0, wanted)
    installed = card.calibration is not None and replace(card.calibration, measured=()) == replace(
        fitted_here, measured=()
    )
    return Site(fitted_here, found, installed, fitted_here.rate_by(shipped, ACCEPT_SCORE) if shipped else None)


def _hear(manifest: Manifest, pipeline: Pipeline, rules: str, kept: KeptHearings) -> list[list[Heard]]:
    heard = []
    for row in progress(manifest.rows, "recordings"):
        body = row.path.read_bytes()
        parts = (pipeline.fingerprint, rules, str(RULES[rules]), str(CUTS), hashlib.sha256(body).hexdigest())
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        found = kept.get(key)
        if found is None:
            found = pipeline.hear(body, RULES[rules], CUTS)
            kept.put(key, found)
        heard.append(found)
    return heard


def _require_signatures(made: Material, enrollments: int) -> None:
    if not made.enrolled:
        raise NothingToCompare(
            f"No speaker has {enrollments} usable recordings of one session to enrol with: "
            "give fewer with --enrollments."
        )


def _site(every: Comparisons, made: Material, manifest: Manifest, wanted: float) -> tuple[Calibration | None, str]:
    """A calibration of the site's own, or why there is none."""
    people = sorted({one.speaker for one in made.enrolled})
    if len(people) < MIN_SPEAKERS:
        return None, f"Not fitted: {len(people)} speakers could be enrolled, at least {MIN_SPEAKERS} are wanted."
    trials = every.trials
    lengths = list(dict.fromkeys(trials.length.tolist()))
    counts = [int(count) for count in np.unique(trials.enrolments)]
    try:
        rates = held_out(trials, halves(trials, people, wanted), counts, lengths)
        line = fitted(trials, wanted)
    except (np.linalg.LinAlgError, ValueError, IndexError):
        return None, "Not fitted: the recordings' lengths do not differ enough, or too few strangers were compared."
    return calibration(line, wanted, f"{manifest.file.name}, {len(manifest.rows)} recordings", trials, rates), ""


def _write(report: Report, out: Path) -> None:
    from tools.calibration.page import page  # matplotlib takes a second, and nobody should wait for a wrong manifest

    out.mkdir(parents=True, exist_ok=True)
    shown = {name: value for name, value in vars(report).items() if name != "curves"}
    text = json.dumps(shown, default=_plain, indent=2)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    (out / "report.html").write_text(page(report), encoding="utf-8")
    if report.site is not None:
        text = json.dumps(dataclasses.asdict(report.site.calibration), indent=2)
        (out / "calibration.json").write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Evidence):
        return {**dataclasses.asdict(value), "verdict": value.verdict, "smallest_rate": value.smallest_rate}
    if isinstance(value, Recommendation):
        return {**dataclasses.asdict(value), "standing": value.plain.standing}
    return dataclasses.asdict(value)


def _summary(report: Report, out: Path) -> str:
    advice, rate = report.recommended, report.overall.equal_error
    return "\n".join(
        (
            report.verdict,
            f"In force: score {report.in_force.threshold:g}; calibration: {report.in_force.calibration}.",
            f"Equal error rate {rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%}).",
            *sentences(advice),
            *(f"  {row}" for row in table(advice.plain.parts)),
            about_site(report.site, report.no_calibration_because),
            f"Report: {out / 'report.html'}",
        )
    )


def _upload(report: Report, options: argparse.Namespace) -> None:
    """Raises ``UploadRefused``, also where the data cannot carry the threshold or a group contradicts it."""
    settings, standing = settings_of(report, cautious=options.cautious, calibrated=options.calibration)
    if report.evidence.verdict is Verdict.TOO_LITTLE and not options.even_so:
        raise UploadRefused("Not uploaded: the data is too little for the wanted rate. Record more, or give --even-so.")
    if standing is Standing.EXCEEDED and not options.even_so:
        raise UploadRefused(
            "Not uploaded: more strangers than wanted pass in a group. See the report, or give --even-so."
        )
    upload(options.upload, options.key, settings)
    print(f"Uploaded as the subscription's: {', '.join(settings)}.")


def _remove(options: argparse.Namespace) -> int:
    try:
        upload(options.upload or options.service or "", options.key, {"calibration": None})
    except UploadRefused as problem:
        print(problem, file=sys.stderr)
        return CANNOT
    print("The subscription has no calibration of its own any more: the model's is in force. Its thresholds stay.")
    return 0


def settings_of(report: Report, *, cautious: bool, calibrated: bool) -> tuple[dict[str, object], Standing]:
    """The body of ``PATCH /settings`` and how it stands in the groups: a threshold, or a calibration made for 0.5.

    Identification keeps its threshold: it corrects for the length of lists, which was not measured here.
    Raises ``UploadRefused`` when there is no calibration.
    """
    if not calibrated:
        advice = report.recommended.cautious if cautious else report.recommended.plain
        return {"thresholds": {"verification": advice.at.threshold}}, advice.standing
    if report.site is None:
        raise UploadRefused(f"Not uploaded: there is no calibration. {report.no_calibration_because}")
    calibration = {"modelId": report.model_id, "values": dataclasses.asdict(report.site.calibration)}
    return {"calibration": calibration, "thresholds": {"verification": ACCEPT_SCORE}}, report.site.standing


def _below(most: float) -> Callable[[str], float]:
    """A number between 0 and this, both excluded."""

    def number(text: str) -> float:
        if not 0.0 < float(text) < most:
            raise argparse.ArgumentTypeError(f"a number between 0 and {most:g}, both excluded")
        return float(text)

    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.calibrate", description=__doc__)
    add = parser.add_argument
    add("manifest", type=Path, nargs="?", help="CSV with the columns path, speaker, perhaps session, role, groups")
    add("--out", type=Path, help="folder for the report")
    add("--false-match-rate", type=_below(0.5), default=0.01, help="wanted share of strangers accepted (0.01)")
    add(
        "--enrollments",
        type=int,
        choices=range(1, 101),
        metavar="N",
        default=3,
        help="recordings in a signature (3, as for a passphrase)",
    )
    add("--in-force", type=_below(1.0), help="the threshold in force (the subscription's, else 0.5)")
    add("--service", metavar="URL", help="take the subscription's calibration and threshold as those in force")
    add("--rules", choices=sorted(RULES), default="V2021_SHORT_SPEECH", help="the audio rules to hold recordings to")
    add("--model", default=MODEL.default, help="a speaker model of models/catalogue.json")
    add("--where", action="append", default=[], metavar="COLUMN=VALUE", help="only these rows; may be repeated")
    add("--upload", metavar="URL", help="make the recommended threshold the subscription's for verification")
    add("--key", default=os.environ.get("TIMBRE_KEY", ""), help="the subscription's key (or TIMBRE_KEY)")
    add("--cautious", action="store_true", help="upload the cautious threshold")
    add("--calibration", action="store_true", help="upload the site's calibration instead, with a threshold of 0.5")
    add("--even-so", action="store_true", help="upload although the data is too little or a group contradicts it")
    add("--remove-calibration", action="store_true", help="take the subscription's calibration away; with --upload URL")
    return parser


if __name__ == "__main__":
    sys.exit(main())
