"""How often a stranger is named, and an enrolled speaker is not, as candidates grow from 10 to 100,000.

    python -m tests.performance.open_set_curve

Strangers and genuine speakers are real (``../shared/speech``). Nobody has 100,000 real speakers at hand, so the rest of
the candidates are synthesised: signatures drawn from a normal distribution fitted on half of the real speakers,
without negative values, of unit length. Whether they are like real ones where it matters is measured in the same run:
cosines of strangers with the real speakers of that half, and with the synthesised ones, at the upper quantiles.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.audio.listen import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.domain.decision import ACCEPT_SCORE, open_set
from shared.domain.errors import RecordingRefused
from shared.domain.limits import V2_SHORT_SPEECH
from shared.domain.recording import SAMPLE_RATE, Vector
from shared.inference.embedder import OnnxSpeakerModel, leveled, speaker_model
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from shared.inference.session import OnnxNetwork

SPEECH = Path(__file__).resolve().parents[3] / "shared" / "speech"
SIZES = (10, 100, 1_000, 10_000, 100_000)
POOL = 100_000
TEST_SECONDS = 4.0
SEED = 11
DRAWS = 40
"""Random lists of each size for each test."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """A recording: embeddings of all its speech and of its first four seconds."""

    whole: Vector = field(repr=False)
    seconds: float
    test: Vector = field(repr=False)
    test_seconds: float


@dataclass(frozen=True)
class Rates:
    candidates: int
    uncorrected: float
    corrected: float
    missed: float
    ranked_first: float


def heard(model: OnnxSpeakerModel) -> Mapping[str, Sequence[Heard]]:
    activity = read_catalogue().voice_activity
    listener = RecordingListener(VoiceActivity(OnnxNetwork(CATALOGUE_FILE.parent / activity.file.name, "vad")))
    found: dict[str, list[Heard]] = {}
    for row in csv.DictReader((SPEECH / "manifest.csv").open(encoding="utf-8")):
        if row["source"].startswith("ms-"):
            continue
        try:
            spoken = listener.listen((SPEECH / row["path"]).read_bytes(), None, V2_SHORT_SPEECH).spoken
        except RecordingRefused:
            continue
        test = spoken[: round(TEST_SECONDS * SAMPLE_RATE)]
        one = Heard(
            model.embed_samples(leveled(spoken)),
            len(spoken) / SAMPLE_RATE,
            model.embed_samples(leveled(test)),
            len(test) / SAMPLE_RATE,
        )
        found.setdefault(row["speaker"], []).append(one)
    return found


def synthesised(signatures: Vector, number: int, random: np.random.Generator) -> Vector:
    """Unit length, [number, dimension]: of the mean and covariance of the given ones, of which there are few."""
    mean = signatures.mean(axis=0)
    _, scale, axes = np.linalg.svd(signatures - mean, full_matrices=False)
    spread = scale / np.sqrt(len(signatures) - 1)
    drawn = mean + (random.normal(size=(number, len(spread))) * spread) @ axes
    drawn = np.maximum(0.0, drawn)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def signature(recordings: Sequence[Heard]) -> tuple[Vector, float]:
    total = np.sum([one.whole * one.seconds for one in recordings], axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32), sum(one.seconds for one in recordings)


def rates(
    model: OnnxSpeakerModel,
    tests: Sequence[tuple[Heard, tuple[Vector, float]]],
    pool: Vector,
    seconds: Numbers,
    random: np.random.Generator,
) -> list[Rates]:
    """``tests`` are recordings with the signature of the same speaker, made of other recordings."""
    scores = np.stack([model.scores_of_all(one.test, one.test_seconds, pool, seconds) for one, _ in tests])
    own = np.array(
        [
            model.scores_of_all(one.test, one.test_seconds, vector[None], np.array([length]))[0]
            for one, (vector, length) in tests
        ]
    )
    found = []
    for size in SIZES:
        draws = 1 if size == POOL else DRAWS
        best = np.stack([scores[:, random.choice(POOL, size, replace=False)].max(axis=1) for _ in range(draws)]).ravel()
        mine = np.tile(own, draws)
        corrected = np.array([open_set(float(one), size) for one in best])
        answered = np.array([open_set(float(one), size) for one in mine])
        named = (mine > best) & (answered >= ACCEPT_SCORE)
        found.append(
            Rates(
                size,
                float(np.mean(best >= ACCEPT_SCORE)),
                float(np.mean(corrected >= ACCEPT_SCORE)),
                float(np.mean(~named)),
                float(np.mean(mine > best)),
            )
        )
    return found


def main() -> None:
    model = speaker_model(read_catalogue().speaker("ge2e-1"))
    random = np.random.default_rng(SEED)
    speakers = heard(model)
    names = sorted(name for name, some in speakers.items() if len(some) >= 2)
    random.shuffle(names)
    strangers = names[1::2]
    fitted = [name for name in sorted(speakers) if name not in strangers]
    real = [signature(speakers[name]) for name in fitted]
    vectors = np.stack([vector for vector, _ in real])
    pool = synthesised(vectors, POOL, random)
    seconds = random.choice([length for _, length in real], POOL)
    tests = [
        (one, signature([other for other in speakers[name] if other is not one]))
        for name in strangers
        for one in speakers[name]
        if one.test_seconds >= TEST_SECONDS - 1
    ]
    print(f"{len(fitted)} speakers fitted, {len(strangers)} strangers with {len(tests)} tests")
    cosines = [np.stack([one.test for one, _ in tests]) @ of.T for of in (vectors, pool[:20_000])]
    for quantile in (50, 90, 99, 99.9):
        print(f"cosine, {quantile} %: real {np.percentile(cosines[0], quantile):.3f}", end=" ")
        print(f"synthesised {np.percentile(cosines[1], quantile):.3f}")
    for one in rates(model, tests, pool, seconds, random):
        print(one, flush=True)


if __name__ == "__main__":
    main()
