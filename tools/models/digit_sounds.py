"""``python -m tools.models.digit_sounds READINGS.csv --out models/digit-sounds-en-us.npz``: weigh the sounds of digits.

The manifest is a CSV with the columns ``path``, ``digits`` (``618240``) and ``voice``. Each reading is heard as it is,
by G.711, by GSM and in a room, and the drawn digits are laid along it as in a verification. Every word is taken where
it lies, once more with its ends moved, and three times at another pace with its ends moved. Of all these comes a
softmax regression with a ridge. A language's card in the catalogue names its ``sounds`` before the file is there.

Prints how many words of voices that were left out are told, a third of the voices at a time, and writes the weights of
all. ``docs/internals/passphrases.md`` says which readings the shipped weights came of.
"""

from __future__ import annotations

import argparse
import csv
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from shared.domain.errors import RecordingRefused
from shared.domain.limits import V2_SHORT_SPEECH
from shared.domain.recording import SAMPLE_RATE, Utterance
from shared.inference.digit_sounds import DIGITS, DigitSounds, WordFrames, moments, spoken_frames, without_silence
from shared.inference.digits import SphinxDigitRecogniser
from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.inference.sphinx import FRAME_SAMPLES, around_speech
from shared.services.ports.hearing import Listener
from tools.calibration.hearing import open_pipeline
from tools.calibration.progress import progress
from tools.evaluation import degradations as by

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]

LINES: Final = (by.clean, by.mu_law, by.gsm, by.chain(by.in_room(0.4), by.with_white_noise(20.0)))
PACES: Final = (0.78, 1.22)
_PACED: Final = 3
"""Times that each reading is taken at a pace drawn between those."""
_MOVED_FRAMES: Final = 6
"""10 ms each: how far an end is moved at most, and how long a word stays."""
_RIDGE: Final = 0.01
_STEPS: Final = 200
"""On the words of the shipped weights, the loss is then within 1e-6 of its least."""
_FOLDS: Final = 3


class Word(NamedTuple):
    said: Array
    digit: int
    voice: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.models.digit_sounds", description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--locale", default="en-US")
    asked = parser.parse_args()
    catalogue = read_catalogue()
    network = OnnxNetwork(catalogue.phrases)
    recogniser = SphinxDigitRecogniser(catalogue.digits, network)
    sounds = DigitSounds(network, asked.out)
    listener = open_pipeline("campplus-channels-1").listener
    words: list[Word] = []
    with asked.manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in progress(rows, "readings"):
        random = np.random.default_rng(zlib.crc32(row["path"].encode()))
        for utterance in heard(listener, asked.manifest.parent / row["path"], random):
            lie = recogniser.lay(utterance, row["digits"], asked.locale)
            places = [WordFrames(word.start_frame, word.end_frame) for word in lie]
            for taking in taken(sounds, utterance, places, random):
                words += [Word(*pair, row["voice"]) for pair in zip(taking, map(int, row["digits"]), strict=True)]
    said, digits = np.stack([word.said for word in words]), np.array([word.digit for word in words])
    voices = [word.voice for word in words]
    if len(set(voices)) > 1:
        print(f"{told(said, digits, voices):,} of {len(words):,} words are told by weights of other voices.")
    np.savez(asked.out, allow_pickle=False, weights=fit(said, digits).astype(np.float16))
    return 0


def heard(listener: Listener, path: Path, random: np.random.Generator) -> Iterator[Utterance]:
    """The reading over each line, as the service hears it; none where the service refuses it."""
    samples, rate = soundfile.read(path, dtype="float32")
    for change in LINES:
        body = change(np.asarray(soxr.resample(samples, rate, SAMPLE_RATE), np.float32), random)
        try:
            yield listener.listen(body, None, V2_SHORT_SPEECH)
        except RecordingRefused as refused:
            print(f"{path.name}: {refused}", file=sys.stderr)


def taken(
    sounds: DigitSounds, utterance: Utterance, places: Sequence[WordFrames], random: np.random.Generator
) -> Iterator[list[Array]]:
    """The words as they lie, with ends moved, and at other paces: of each taking what is weighed, a row a word.

    None where the digits cannot be laid along the recording.
    """
    if not places:
        return
    spoken = spoken_frames(utterance.speech[around_speech(utterance)])
    words = [without_silence(place, spoken) for place in places]
    frames = sounds.frames(utterance)
    yield [moments(frames, word) for word in words]
    yield [moments(frames, _moved(word, random)) for word in words]
    for pace in random.uniform(*PACES, _PACED):
        other, there = at_pace(utterance, words, pace)
        frames = sounds.frames(other)
        yield [moments(frames, _moved(word, random)) for word in there]


def at_pace(utterance: Utterance, words: Sequence[WordFrames], pace: float) -> tuple[Utterance, list[WordFrames]]:
    """Played at another pace and so another pitch, and where the words then lie."""
    samples = utterance.recording.samples
    at = np.arange(int(len(samples) / pace)) * pace
    played = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    other = replace(
        utterance, recording=replace(utterance.recording, samples=played), speech=utterance.speech[at.astype(np.intp)]
    )
    before, behind = around_speech(utterance).start / FRAME_SAMPLES, around_speech(other).start / FRAME_SAMPLES
    return other, [WordFrames(*(round((frame + before) / pace - behind) for frame in word)) for word in words]


def told(said: Array, digits: npt.NDArray[np.intp], voices: Sequence[str]) -> int:
    """How many words are the likeliest digit by weights of the voices in other thirds, of two voices or more."""
    third = np.unique(voices, return_inverse=True)[1] % _FOLDS
    right = 0
    for number in np.unique(third):
        out = third == number
        weights = fit(said[~out], digits[~out])
        right += int(np.sum((said[out] @ weights[:-1] + weights[-1]).argmax(axis=1) == digits[out]))
    return right


def fit(said: Array, digits: npt.NDArray[np.intp]) -> Numbers:
    """Weights of a softmax regression with a ridge on standardised columns: [columns + 1, digits], the constants last.

    Each step goes to the least of a quadratic bound of the loss (Boehning 1992), with Nesterov's momentum.
    """
    mean, spread = said.mean(axis=0, dtype=np.float64), said.std(axis=0, dtype=np.float64) + 1e-6
    rows = np.column_stack(((said - mean) / spread, np.ones(len(said))))
    own = np.eye(DIGITS)[digits]
    bound = np.linalg.inv(rows.T @ rows / len(rows) / 2.0 + _RIDGE * np.eye(rows.shape[1]))
    weights = ahead = np.zeros((rows.shape[1], DIGITS))
    for step in range(_STEPS):
        scores = rows @ ahead
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        slope = rows.T @ (odds / odds.sum(axis=1, keepdims=True) - own) / len(rows) + _RIDGE * ahead
        before, weights = weights, ahead - bound @ slope
        ahead = weights + step / (step + 3.0) * (weights - before)
    scaled = weights[:-1] / spread[:, None]
    return np.vstack((scaled, weights[-1] - mean @ scaled))


def _moved(word: WordFrames, random: np.random.Generator) -> WordFrames:
    start, end = (int(frame + random.integers(-_MOVED_FRAMES, _MOVED_FRAMES + 1)) for frame in word)
    return WordFrames(start, max(end, start + _MOVED_FRAMES))


if __name__ == "__main__":
    sys.exit(main())
