"""Why do two recordings match, or not? What the service would say, step by step.

    python -m tools.explain A.wav B.wav
    python -m tools.explain A.wav B.wav --profile verification/text-dependent --threshold 0.7

A is enrolled and B is verified, with the limits of the 2021-09-05 API for that kind of profile; however little is said
is enough where a kind asks for more. Nothing is stored. Exit 0: accepted; 1: rejected or refused.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from shared.config import MODEL
from shared.domain import limits
from shared.domain.calibration import Calibration
from shared.domain.decision import ACCEPT_SCORE, Decision
from shared.domain.errors import PassphraseNotHeard, TimbreError
from shared.domain.explanation import Explanation, PhraseHeard, Threshold, ThresholdFrom, explained, explanation_of
from shared.domain.limits import AudioRules
from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.profile import Signature
from shared.domain.recording import Utterance
from shared.http.details import written
from shared.inference.model_card import read_catalogue
from shared.inference.passphrase import TranscribedPassphraseRecogniser
from shared.inference.transcriber import Transcriber
from shared.services.comparison import SpeakerModels
from tools.calibration.hearing import Pipeline, open_pipeline

PROFILES: Final = {
    "verification/text-independent": (limits.V2021_SPEECH_ENROLL, limits.V2021_SHORT_SPEECH),
    "verification/text-dependent": (limits.V2021_PHRASE_ENROLL, limits.V2021_PHRASE_VERIFY),
    "identification/text-independent": (limits.V2021_SPEECH_ENROLL, limits.V2021_SHORT_SPEECH),
}
"""What a recording must be to be enrolled, and to be recognised."""

LOCALE: Final = "en-US"
SCORES: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
WIDTH: Final = 40
"""Characters of a bar for the score 1."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    needs_phrase = options.profile == "verification/text-dependent"
    threshold = Threshold(options.threshold or ACCEPT_SCORE, ThresholdFrom.REQUEST)
    if options.threshold is None:
        threshold = replace(threshold, origin=ThresholdFrom.DEFAULT)
    try:
        pipeline = open_pipeline(options.model)
        first, second = (
            _listened(name, path, pipeline, rules)
            for name, path, rules in zip("AB", (options.a, options.b), PROFILES[options.profile], strict=True)
        )
        phrase = _phrase(first, second) if needs_phrase else None
        explanation = _compared(pipeline, first, second, threshold, phrase)
    except TimbreError as refused:
        print(f"   refused: {refused}")
        return _concluded(explanation_of(refused))
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    return _concluded(explanation)


def curve(calibration: Calibration, shorter: float, longer: float, marks: dict[str, float]) -> Iterator[str]:
    """Lines of cosine, score, share of strangers and a bar, for speech of these seconds; ``marks`` are scores by their
    names."""
    named = {score: f"  <- {name}" for name, score in marks.items()}
    yield f"   {'cosine':>6}  {'score':>6}  strangers"
    for score in sorted({*SCORES, *marks.values()}):
        inside = min(max(score, 1e-6), 1.0 - 1e-6)
        rate = calibration.claimed_rate(inside)
        share = f"{100.0 * rate:.2f} %" if rate else "-"
        bar = "#" * round(WIDTH * score)
        cosine = calibration.cosine_at(inside, shorter, longer)
        yield f"   {cosine:6.3f}  {score:6.4f}  {share:>9}  {bar}{named.get(score, '')}"


def _listened(name: str, path: Path, pipeline: Pipeline, rules: AudioRules) -> Utterance:
    print(f"{name}: {path.name}")
    utterance = pipeline.listener.listen(path.read_bytes(), None, rules)
    heard = utterance.measured
    channel = "several channels mixed" if heard.channel is None else f"channel {heard.channel}"
    print(
        f"   {utterance.recording.format}, {utterance.seconds:.2f} s, {channel}\n"
        f"   speech {heard.speech_seconds:.2f} s (at least {rules.min_speech_seconds:g}), "
        f"SNR {heard.snr_db:.1f} dB (at least {rules.min_snr_db:g}), level {heard.level_dbfs:.1f} dBFS "
        f"(at least {rules.min_level_dbfs:g}), up to {heard.bandwidth_hz:.0f} Hz"
    )
    return utterance


def _phrase(first: Utterance, second: Utterance) -> PhraseHeard:
    """Of the phrase of the first in the second. Raises ``PassphraseNotHeard`` where the first has none."""
    recogniser = TranscribedPassphraseRecogniser(Transcriber(read_catalogue().transcribers[0]))
    enrolled, heard = (recogniser.recognise(one, EN_US_PASSPHRASES, LOCALE) for one in (first, second))
    print("Phrase")
    with explained(Explanation(measured=first.measured)):
        if not enrolled.recognised or enrolled.phrase is None:
            raise PassphraseNotHeard(enrolled.phrase, cut=enrolled.begun is not None)
    phrase = PhraseHeard.of(heard, enrolled.phrase)
    print(f'   A says "{enrolled.phrase}"; in B recognised: {phrase.recognised}, complete: {phrase.complete}')
    return phrase


def _compared(
    pipeline: Pipeline, first: Utterance, second: Utterance, threshold: Threshold, phrase: PhraseHeard | None
) -> Explanation:
    model, models = pipeline.model, SpeakerModels(pipeline.model)
    if phrase and not phrase.complete:
        return models.explanation(Decision(0.0, threshold.score), threshold, second, model.model_id, phrase)
    enrolled, tested = model.embed(first), model.embed(second)
    signature = Signature(enrolled, model.model_id, first.speech_seconds)
    (score,) = model.scores(tested, second.speech_seconds, [signature])
    shorter, longer = sorted((first.speech_seconds, second.speech_seconds))
    print(f"Comparison by {model.model_id}\n   cosine {float(enrolled @ tested):.4f}, score {score:.4f}")
    if model.calibration:
        print(f"Calibration, at {shorter:.2f} and {longer:.2f} s of speech")
        marks = {"this pair": score, "threshold": threshold.score}
        print("\n".join(curve(model.calibration, shorter, longer, marks)))
    return models.explanation(Decision(score, threshold.score), threshold, second, model.model_id, phrase)


def _concluded(explanation: Explanation | None) -> int:
    if explanation is None:
        return 1
    accepted = explanation.decision is not None and explanation.decision.accepted
    print("Accept" if accepted else "Reject")
    print(json.dumps({"details": written(explanation, rounded=False)}, indent=2))
    return 0 if accepted else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.explain", description=__doc__.partition("\n")[0])
    parser.add_argument("a", type=Path, metavar="A.wav", help="what is enrolled")
    parser.add_argument("b", type=Path, metavar="B.wav", help="what is verified")
    parser.add_argument("--profile", choices=PROFILES, default=next(iter(PROFILES)), help="the kind of profile")
    parser.add_argument("--threshold", type=float, help="a score; otherwise the default")
    parser.add_argument("--model", default=MODEL.default, help="id of a model in the catalogue")
    return parser


if __name__ == "__main__":
    sys.exit(main())
