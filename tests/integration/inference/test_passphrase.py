"""The recogniser of passphrases: real networks, synthesised speech (flite) and, where it is there, real takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from shared.domain.errors import LocaleUnsupported
from shared.domain.limits import PASSPHRASE_WORST_WORD
from shared.domain.passphrase import EN_US_PASSPHRASES, HeardPhrase, normalise_phrase
from shared.domain.recording import FULL_BAND_HZ, AudioFormat, Recording, Samples, Utterance
from shared.inference.expected_text import ExpectedText
from shared.inference.model_card import read_catalogue
from shared.inference.passphrase import TranscribedPassphraseRecogniser
from shared.inference.transcriber import Heard, Transcriber
from tests.voices import HOUSTON, PASSPORT, flite

ANOTHER = pytest.mark.long_form("the same once more")
TONE = np.sin(np.arange(16_000) * 0.1).astype(np.float32)
TURNED_ROUND = {
    "my name is known to you": "my name is unknown to you",
    "my voice is my password verify me": PASSPORT,
    "you can get in with your password": "you can get in without your password",
    "houston we have had no problem": "houston we have had a problem",
}
BE_YOURSELF = EN_US_PASSPHRASES[-1]
"""Of the voice slt the recogniser hears "you yourself"."""
BEHIND = "okay so here it is "
OTHERS = (
    "the weather will be fine in the north tomorrow morning",
    "please call me back when you have found the keys",
    "my voice is my passport",
    "houston we have",
    "verify me my voice is my passport",
)


@pytest.fixture(scope="module")
def recogniser() -> TranscribedPassphraseRecogniser:
    return TranscribedPassphraseRecogniser(Transcriber(read_catalogue().transcribers[0]))


def utterance_of(samples: Samples, bandwidth_hz: float = FULL_BAND_HZ) -> Utterance:
    """Speech is what lies within 30 dB of the loud parts; the measures other than that are not looked at."""
    power = np.convolve(samples.astype(np.float64) ** 2, np.ones(400) / 400)[: len(samples)]
    speech = (power > 1e-3 * np.percentile(power, 95)) & (power > 0)
    recording = Recording(samples, AudioFormat("WAV", "PCM_16", 16_000, 1))
    return Utterance(recording, speech, float(speech.sum()) / 16_000, 30.0, 0.0, -20.0, bandwidth_hz)


def hear(recogniser: TranscribedPassphraseRecogniser, samples: Samples) -> HeardPhrase:
    return recogniser.recognise(utterance_of(samples), EN_US_PASSPHRASES, "en-US")


AROUND = [
    *product(["slt"], ["well um ", "okay so here it is ", "four seven two "], ["", " thank you"]),
    ("awb", "well um ", ""),
    ("awb", "four seven two ", " thank you"),
]


@pytest.mark.parametrize(
    ("phrase", "voice", "before", "after"),
    [
        *((phrase, "slt", "", "") for phrase in EN_US_PASSPHRASES if phrase != BE_YOURSELF),
        (BE_YOURSELF, "awb", "", ""),
        *(pytest.param(phrase, "awb", "", "", marks=ANOTHER) for phrase in EN_US_PASSPHRASES if phrase != BE_YOURSELF),
        *((PASSPORT, *around) for around in AROUND),
    ],
)
def test_each_phrase_is_recognised_and_words_around_it_do_no_harm(
    recogniser: TranscribedPassphraseRecogniser, phrase: str, voice: str, before: str, after: str
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
    recogniser: TranscribedPassphraseRecogniser, text: str, voice: str, nearest: str | None
) -> None:
    heard = hear(recogniser, flite(text, voice))

    assert not heard.recognised
    assert nearest in (None, heard.phrase)


@pytest.mark.parametrize("voice", ["slt", "awb", "rms", "kal16"])
@pytest.mark.parametrize("share", [0.5, pytest.param(0.6, marks=ANOTHER), 0.7])
def test_a_phrase_that_was_cut_is_known_by_its_beginning(
    recogniser: TranscribedPassphraseRecogniser, voice: str, share: float
) -> None:
    whole = flite(PASSPORT, voice)
    heard = hear(recogniser, np.pad(whole[: int(share * len(whole))], (0, 8_000)))

    assert not heard.recognised
    assert heard.is_cut(PASSPORT)
    assert not heard.is_cut(HOUSTON)


@pytest.mark.parametrize("text", OTHERS)
def test_another_sentence_is_the_beginning_of_no_phrase_that_it_is_not(
    recogniser: TranscribedPassphraseRecogniser, text: str
) -> None:
    begun = hear(recogniser, flite(text)).begun
    assert begun is None or normalise_phrase(text).startswith(begun)


def test_words_before_a_phrase_that_must_stand_alone_do(recogniser: TranscribedPassphraseRecogniser) -> None:
    behind, alone = utterance_of(flite(f"well um {PASSPORT}")), utterance_of(flite(PASSPORT))

    assert not recogniser.recognise(behind, EN_US_PASSPHRASES, "en-US", alone=True).recognised
    assert recogniser.recognise(alone, EN_US_PASSPHRASES, "en-US", alone=True).recognised


def test_a_phrase_that_is_not_allowed_is_refused_behind_words(recogniser: TranscribedPassphraseRecogniser) -> None:
    others = [phrase for phrase in EN_US_PASSPHRASES if phrase != PASSPORT]

    assert not recogniser.recognise(utterance_of(flite(f"well um {PASSPORT}")), others, "en-US").recognised


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.1])
def test_silence_noise_and_a_single_sample_are_refused(
    recogniser: TranscribedPassphraseRecogniser, level: float
) -> None:
    heard = hear(recogniser, (np.random.default_rng(1).standard_normal(48_000) * level).astype(np.float32))

    assert (heard.phrase, heard.recognised) == (None, False)
    assert level or heard == HeardPhrase(None, float("-inf"), recognised=False)
    assert not hear(recogniser, np.array([0.5], np.float32)).recognised


@pytest.mark.parametrize("before", ["", "well um "])
def test_the_same_audio_scores_the_same_after_other_audio(
    recogniser: TranscribedPassphraseRecogniser, before: str
) -> None:
    samples = flite(before + PASSPORT)
    first = hear(recogniser, samples)
    hear(recogniser, flite(f"four seven two {PASSPORT}") * np.float32(0.1))
    hear(recogniser, np.random.default_rng(2).standard_normal(40_000).astype(np.float32))

    assert hear(recogniser, samples) == first


def test_threads_that_share_a_recogniser_hear_the_same(recogniser: TranscribedPassphraseRecogniser) -> None:
    takes = [flite(text) for text in (*EN_US_PASSPHRASES[:3], f"well um {PASSPORT}")] * 2
    alone = [hear(recogniser, take) for take in takes]
    with ThreadPoolExecutor(max_workers=4) as threads:
        together = list(threads.map(lambda take: hear(recogniser, take), takes))

    assert together == alone


@pytest.mark.parametrize("text", [PASSPORT, f"well um {PASSPORT}", HOUSTON])
def test_what_is_expected_is_recognised_at_once_and_another_phrase_as_what_it_is(
    recogniser: TranscribedPassphraseRecogniser, text: str
) -> None:
    heard = recogniser.recognise(utterance_of(flite(text)), EN_US_PASSPHRASES, "en-US", expected=PASSPORT)

    assert (heard.phrase, heard.recognised) == (HOUSTON if text == HOUSTON else PASSPORT, True)


def test_of_a_long_list_a_refusal_lays_two_phrases_along_and_what_is_expected(
    recogniser: TranscribedPassphraseRecogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    phrases = [f"my voice is my {word} verify me" for word in ("passport", "password", "path", "past", "passage")]
    many = [*phrases, *(f"{one} and {other} are here" for one in "abcdefg" for other in "hijklmn")]
    laid = list[str]()
    log_odds = ExpectedText.log_odds

    def counted(self: ExpectedText, heard: Heard, text: str, *rest: Any) -> tuple[float, ...]:
        laid.append(text)
        return log_odds(self, heard, text, *rest)

    monkeypatch.setattr(ExpectedText, "log_odds", counted)
    heard = recogniser.recognise(utterance_of(flite(OTHERS[0])), many, "en-US", expected=many[-1])

    assert not heard.recognised
    assert laid[0] == many[-1]
    assert len(laid) <= 3


@pytest.mark.parametrize(("gain", "pause"), [(0.003, 0), (0.03, 32_000)])
def test_neither_the_level_nor_silence_around_the_phrase_matters(
    recogniser: TranscribedPassphraseRecogniser, gain: float, pause: int
) -> None:
    assert hear(recogniser, np.pad(flite(PASSPORT), pause) * np.float32(gain)).recognised


def test_own_phrases_replace_the_ten(recogniser: TranscribedPassphraseRecogniser) -> None:
    own = ["Open the garden gate, please!", "the library doesn't close at seven"]

    heard = recogniser.recognise(utterance_of(flite("open the garden gate please")), own, "en-US")

    assert (heard.phrase, heard.recognised) == ("open the garden gate please", True)
    assert not recogniser.recognise(utterance_of(flite(PASSPORT)), own, "en-US").recognised
    assert recogniser.recognise(utterance_of(TONE), [], "en-US") == HeardPhrase.nothing()


def test_words_of_other_letters_are_named_and_another_locale_is_refused(
    recogniser: TranscribedPassphraseRecogniser,
) -> None:
    assert recogniser.unknown_words(["Meet me at 7, please", "die Größe, please"]) == ["7", "grösse"]
    assert recogniser.unknown_words([*EN_US_PASSPHRASES, "I'll organise the qwxyzzy's neighbours"]) == []
    with pytest.raises(LocaleUnsupported):
        recogniser.recognise(utterance_of(TONE), EN_US_PASSPHRASES, "de-DE")


@pytest.mark.parametrize("phrase", ["open gate 7654", "", "..."])
def test_a_phrase_that_cannot_be_pronounced_is_an_error_that_does_not_repeat_it(
    recogniser: TranscribedPassphraseRecogniser, phrase: str
) -> None:
    with pytest.raises(ValueError, match="without a known pronunciation") as raised:
        recogniser.recognise(utterance_of(TONE), [phrase], "en-US")

    assert "7654" not in str(raised.value)


def test_nothing_is_written_to_stderr(
    recogniser: TranscribedPassphraseRecogniser, capfd: pytest.CaptureFixture[str]
) -> None:
    recogniser.recognise(utterance_of(TONE), ["a phrase of its own"], "en-US")

    assert capfd.readouterr() == ("", "")


@pytest.mark.speech
@pytest.mark.parametrize("take", ["01", "02", "03", "04"])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_real_takes_are_recognised(
    recogniser: TranscribedPassphraseRecogniser, speech: Path, take: str, noise: float
) -> None:
    path = speech / "ms-samples" / "ms-passport" / f"myVoiceIsMyPassportVerifyMe{take}.flac"
    samples, _ = soundfile.read(path, dtype="float32")
    samples += noise * np.sqrt(np.mean(samples**2)) * np.random.default_rng(4).standard_normal(len(samples))

    heard = hear(recogniser, samples.astype(np.float32))

    assert (heard.phrase, heard.recognised) == (PASSPORT, True)
