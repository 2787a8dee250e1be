"""Both ways to pocketsphinx: they hear the same, and one of them lets Python's lock go."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from shared.domain.passphrase import EN_US_PASSPHRASES
from shared.domain.recording import Samples
from shared.inference import sphinx_decoder
from shared.inference.passphrase import SphinxPassphraseRecogniser
from shared.inference.phrase_grammar import PhraseGrammar, PronouncingDictionary
from shared.inference.sphinx import model, pcm16
from shared.inference.sphinx_decoder import Decoder, Segment, Settings, new_decoder
from shared.inference.sphinx_pool import DecoderPool
from tests.integration.inference.test_passphrase import hear, utterance_of
from tests.voices import OUTSIDE, PASSPORT, flite

TAKES = (*EN_US_PASSPHRASES[:4], OUTSIDE, f"well um {PASSPORT}")
LOCKED = sys.platform == "win32"


def grammar_decoder(folder: Path) -> Decoder:
    grammar = PhraseGrammar.of(EN_US_PASSPHRASES, PronouncingDictionary(model() / "cmudict-en-us.dict"))
    (folder / "words").write_text(grammar.pronunciations, encoding="ascii")
    decoder = new_decoder(model() / "en-us", folder / "words", {})
    decoder.search_grammar(grammar.jsgf)
    return decoder


def spotter(folder: Path) -> Decoder:
    (folder / "keywords").write_text(f"{PASSPORT} /1e-20/\n", encoding="ascii")
    settings: Settings = {"kws": str(folder / "keywords"), "kws_plp": 1e-5, "ds": 2}
    return new_decoder(model() / "en-us", model() / "cmudict-en-us.dict", settings)


def pieces(decoder: Decoder, samples: Samples) -> tuple[Sequence[Segment], Sequence[Segment]]:
    """Before and after the end."""
    decoder.process(pcm16(utterance_of(np.pad(samples, (0, 8_000)))))
    before = decoder.segments()
    decoder.end()
    return before, decoder.segments()


@pytest.mark.skipif(LOCKED, reason="Windows shows no functions of the C library")
@pytest.mark.parametrize("make", [grammar_decoder, spotter])
def test_both_ways_hear_the_same_to_the_last_bit(
    make: Callable[[Path], Decoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = make(tmp_path)
    monkeypatch.setattr(sphinx_decoder, "_library", lambda: None)
    held = make(tmp_path)
    assert type(free) is not type(held)

    for text in TAKES:
        heard = pieces(free, flite(text))
        assert heard == pieces(held, flite(text))
        assert make is spotter or heard[0]


def test_many_at_once_hear_what_one_heard_with_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sphinx_decoder, "_library", lambda: None)
        one = SphinxPassphraseRecogniser()
        alone = [hear(one, flite(text)) for text in TAKES]
    many = SphinxPassphraseRecogniser(DecoderPool(at_once=4, spare=8))

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda text: hear(many, flite(text)), TAKES * 3))

    assert together == alone * 3


@pytest.mark.skipif(LOCKED, reason="Windows shows no functions of the C library")
def test_other_threads_run_while_it_listens(tmp_path: Path) -> None:
    decoder, ended, turns = grammar_decoder(tmp_path), Event(), [0]
    pcm = pcm16(utterance_of(np.tile(flite(PASSPORT), 5)))

    def run() -> None:
        while not ended.is_set():
            turns[0] += 1
            time.sleep(0.001)

    other = Thread(target=run)
    other.start()
    try:
        before = turns[0]
        decoder.process(pcm)
        during = turns[0] - before
    finally:
        ended.set()
        other.join()

    assert during > 1


def test_what_pocketsphinx_cannot_do_is_an_error_and_no_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    decoder = grammar_decoder(tmp_path)
    with pytest.raises((RuntimeError, ValueError)):
        decoder.search_grammar("#JSGF V1.0;\ngrammar nothing;\n")
    with pytest.raises((RuntimeError, ValueError)):
        new_decoder(tmp_path / "nothing", tmp_path / "nothing", {})

    decoder.process(bytes(32_000))
    decoder.end()
    assert capfd.readouterr() == ("", "")
