"""The recogniser of passphrases: real decoder, synthesised speech (flite) and, where it is there, real takes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.domain.errors import LocaleUnsupported
from shared.domain.limits import PASSPHRASE_WORST_WORD
from shared.domain.passphrase import EN_US_PASSPHRASES, HeardPhrase, normalise_phrase
from shared.domain.recording import FULL_BAND_HZ, AudioFormat, Recording, Samples, Utterance
from shared.inference.passphrase import SphinxPassphraseRecogniser
from shared.inference.sphinx_decoder import Decoder
from shared.inference.sphinx_pool import DecoderPool
from tests.voices import HOUSTON, PASSPORT, flite

ANOTHER = pytest.mark.long_form("the same once more")
TONE = np.sin(np.arange(16_000) * 0.1).astype(np.float32)
TURNED_ROUND = {
    "my name is known to you": "my name is unknown to you",
    "my voice is my password verify me": PASSPORT,
    "you can get in with your password": "you can get in without your password",
    "houston we have had no problem": "houston we have had a problem",
}
BEHIND = "okay so here it is "
OTHERS = (
    "the weather will be fine in the north tomorrow morning",
    "please call me back when you have found the keys",
    "my voice is my passport",
    "houston we have",
    "verify me my voice is my passport",
)


@pytest.fixture(scope="module")
def recogniser() -> SphinxPassphraseRecogniser:
    return SphinxPassphraseRecogniser()


def utterance_of(samples: Samples, bandwidth_hz: float = FULL_BAND_HZ) -> Utterance:
    """Speech is what lies within 30 dB of the loud parts; the measures other than that are not looked at."""
    power = np.convolve(samples.astype(np.float64) ** 2, np.ones(400) / 400)[: len(samples)]
    speech = (power > 1e-3 * np.percentile(power, 95)) & (power > 0)
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", 16_000, 1))
    return Utterance(recording, speech, float(speech.sum()) / 16_000, 30.0, 0.0, -20.0, bandwidth_hz)


def hear(recogniser: SphinxPassphraseRecogniser, samples: Samples) -> HeardPhrase:
    return recogniser.recognise(utterance_of(samples), EN_US_PASSPHRASES, "en-US")


AROUND = [
    *product(["slt"], ["well um ", "okay so here it is ", "four seven two "], ["", " thank you"]),
    ("awb", "well um ", ""),
    ("awb", "four seven two ", " thank you"),
]


@pytest.mark.parametrize(
    ("phrase", "voice", "before", "after"),
    [
        *((phrase, "slt", "", "") for phrase in EN_US_PASSPHRASES),
        *(pytest.param(phrase, "awb", "", "", marks=ANOTHER) for phrase in EN_US_PASSPHRASES),
        *((PASSPORT, *around) for around in AROUND),
    ],
)
def test_each_phrase_is_recognised_and_words_around_it_do_no_harm(
    recogniser: SphinxPassphraseRecogniser, phrase: str, voice: str, before: str, after: str
) -> None:
    heard = hear(recogniser, flite(f"{before}{phrase}{after}", voice))

    assert (heard.phrase, heard.recognised) == (phrase, True)
    assert heard.score > PASSPHRASE_WORST_WORD


@pytest.mark.parametrize(
    ("text", "voice", "nearest"),
    [
        *((text, "slt", None) for text in OTHERS),
        *((text, "slt", nearest) for text, nearest in TURNED_ROUND.items()),
        *((f"{BEHIND}{text}", "slt", None) for text in (OTHERS[1], OTHERS[2], *list(TURNED_ROUND)[:3])),
        *((f"{BEHIND}{text}", "awb", None) for text in list(TURNED_ROUND)[:2]),
    ],
)
def test_other_sentences_and_phrases_cut_or_turned_round_are_refused_also_behind_words(
    recogniser: SphinxPassphraseRecogniser, text: str, voice: str, nearest: str | None
) -> None:
    heard = hear(recogniser, flite(text, voice))

    assert not heard.recognised
    assert nearest in (None, heard.phrase)


@pytest.mark.parametrize("voice", ["slt", "awb", "rms", "kal16"])
@pytest.mark.parametrize("share", [0.5, pytest.param(0.6, marks=ANOTHER), 0.7])
def test_a_phrase_that_was_cut_is_known_by_its_beginning(
    recogniser: SphinxPassphraseRecogniser, voice: str, share: float
) -> None:
    whole = flite(PASSPORT, voice)
    heard = hear(recogniser, np.pad(whole[: int(share * len(whole))], (0, 8_000)))

    assert not heard.recognised
    assert heard.is_cut(PASSPORT)
    assert not heard.is_cut(HOUSTON)


@pytest.mark.parametrize("text", OTHERS)
def test_another_sentence_is_the_beginning_of_no_phrase_that_it_is_not(
    recogniser: SphinxPassphraseRecogniser, text: str
) -> None:
    begun = hear(recogniser, flite(text)).begun
    assert begun is None or normalise_phrase(text).startswith(begun)


def test_words_before_a_phrase_that_must_stand_alone_do(recogniser: SphinxPassphraseRecogniser) -> None:
    behind, alone = utterance_of(flite(f"well um {PASSPORT}")), utterance_of(flite(PASSPORT))

    assert not recogniser.recognise(behind, EN_US_PASSPHRASES, "en-US", alone=True).recognised
    assert recogniser.recognise(alone, EN_US_PASSPHRASES, "en-US", alone=True).recognised


def test_a_phrase_that_is_not_allowed_is_refused_behind_words(recogniser: SphinxPassphraseRecogniser) -> None:
    others = [phrase for phrase in EN_US_PASSPHRASES if phrase != PASSPORT]

    assert not recogniser.recognise(utterance_of(flite(f"well um {PASSPORT}")), others, "en-US").recognised


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.1])
def test_silence_noise_and_a_single_sample_are_refused(recogniser: SphinxPassphraseRecogniser, level: float) -> None:
    heard = hear(recogniser, (np.random.default_rng(1).standard_normal(48_000) * level).astype(np.float32))

    assert (heard.phrase, heard.recognised) == (None, False)
    assert level or heard == HeardPhrase(None, float("-inf"), recognised=False)
    assert not hear(recogniser, np.array([0.5], np.float32)).recognised


@pytest.mark.parametrize("before", ["", "well um "])
def test_the_same_audio_scores_the_same_after_other_audio(recogniser: SphinxPassphraseRecogniser, before: str) -> None:
    samples = flite(before + PASSPORT)
    first = hear(recogniser, samples)
    hear(recogniser, flite(f"four seven two {PASSPORT}") * np.float32(0.1))
    hear(recogniser, np.random.default_rng(2).standard_normal(40_000).astype(np.float32))

    assert hear(recogniser, samples) == first


def test_threads_that_share_a_recogniser_hear_the_same_by_as_many_decoders_as_may_work_at_once(
    recogniser: SphinxPassphraseRecogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = [flite(text) for text in (*EN_US_PASSPHRASES[:3], f"well um {PASSPORT}")] * 2
    alone = [hear(recogniser, take) for take in takes]
    make, made = SphinxPassphraseRecogniser._make, list[bool]()

    def counted(self: SphinxPassphraseRecogniser, allowed: tuple[str, ...], spots: bool) -> Decoder:
        made.append(spots)
        return make(self, allowed, spots)

    monkeypatch.setattr(SphinxPassphraseRecogniser, "_make", counted)
    shared = SphinxPassphraseRecogniser(DecoderPool(at_once=2))
    with ThreadPoolExecutor(max_workers=4) as threads:
        together = list(threads.map(lambda take: hear(shared, take), takes))

    assert together == alone
    assert 1 <= made.count(False) <= 2
    assert 1 <= made.count(True) <= 2


@pytest.mark.parametrize(("gain", "pause"), [(0.003, 0), (0.03, 32_000)])
def test_neither_the_level_nor_silence_around_the_phrase_matters(
    recogniser: SphinxPassphraseRecogniser, gain: float, pause: int
) -> None:
    assert hear(recogniser, np.pad(flite(PASSPORT), pause) * np.float32(gain)).recognised


def test_own_phrases_replace_the_ten(recogniser: SphinxPassphraseRecogniser) -> None:
    own = ["Open the garden gate, please!", "the library doesn't close at seven"]

    heard = recogniser.recognise(utterance_of(flite("open the garden gate please")), own, "en-US")

    assert (heard.phrase, heard.recognised) == ("open the garden gate please", True)
    assert not recogniser.recognise(utterance_of(flite(PASSPORT)), own, "en-US").recognised
    assert recogniser.recognise(utterance_of(TONE), [], "en-US") == HeardPhrase.nothing()


def test_telephone_audio_is_held_to_its_own_threshold(
    recogniser: SphinxPassphraseRecogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = flite(PASSPORT)
    score = hear(recogniser, samples).score
    monkeypatch.setattr("shared.inference.passphrase.PASSPHRASE_WORST_WORD", score + 1)
    monkeypatch.setattr("shared.inference.passphrase.PASSPHRASE_WORST_WORD_TELEPHONE", score - 1)

    assert not hear(recogniser, samples).recognised
    assert recogniser.recognise(utterance_of(samples, 3_900.0), EN_US_PASSPHRASES, "en-US").recognised


def test_words_without_a_pronunciation_are_named_and_another_locale_is_refused(
    recogniser: SphinxPassphraseRecogniser,
) -> None:
    assert recogniser.unknown_words(["Open the qwxyzzy, please", "qwxyzzy, die größe"]) == ["qwxyzzy", "grösse"]
    assert recogniser.unknown_words(EN_US_PASSPHRASES) == []
    with pytest.raises(LocaleUnsupported):
        recogniser.recognise(utterance_of(TONE), EN_US_PASSPHRASES, "de-DE")


@pytest.mark.parametrize("phrase", ["open the qwxyzzy", "", "..."])
def test_a_phrase_that_cannot_be_pronounced_is_an_error_that_does_not_repeat_it(
    recogniser: SphinxPassphraseRecogniser, phrase: str
) -> None:
    with pytest.raises(ValueError, match="without a known pronunciation") as raised:
        recogniser.recognise(utterance_of(TONE), [phrase], "en-US")

    assert "qwxyzzy" not in str(raised.value)


def test_importing_the_recogniser_does_not_import_pocketsphinx() -> None:
    script = "import sys, shared.inference.passphrase as p; p.SphinxPassphraseRecogniser(); print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert "pocketsphinx" not in done.stdout.split()


def test_nothing_is_written_to_stderr(
    recogniser: SphinxPassphraseRecogniser, capfd: pytest.CaptureFixture[str]
) -> None:
    recogniser.recognise(utterance_of(TONE), ["a phrase of its own"], "en-US")

    assert capfd.readouterr() == ("", "")


@pytest.mark.speech
@pytest.mark.parametrize("take", ["01", "02", "03", "04"])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_real_takes_are_recognised(
    recogniser: SphinxPassphraseRecogniser, speech: Path, take: str, noise: float
) -> None:
    path = speech / "ms-samples" / "ms-passport" / f"myVoiceIsMyPassportVerifyMe{take}.flac"
    samples, _ = soundfile.read(path, dtype="float32")
    samples += noise * np.sqrt(np.mean(samples**2)) * np.random.default_rng(4).standard_normal(len(samples))

    heard = hear(recogniser, samples.astype(np.float32))

    assert (heard.phrase, heard.recognised) == (PASSPORT, True)
