"""The transcriber: real networks, synthesised speech (flite)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared.inference.model_card import read_catalogue
from shared.inference.onnx_network import ModelFileMissing
from shared.inference.transcriber import END, Heard, Transcriber
from tests.voices import PASSPORT, flite

SAID = "My voice is my passport verify me."
READ = ("my voice is my passport verify me", "my voice is my passport verifying me")
"""What the network makes of that voice, which runs the last words together."""


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber(read_catalogue().transcribers[0])


@pytest.fixture(scope="module")
def heard(transcriber: Transcriber) -> Heard:
    return transcriber.hear(flite(PASSPORT))


def words(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ")


def test_speech_is_written_down_with_any_draft(transcriber: Transcriber, heard: Heard) -> None:
    for draft in ("", SAID, "My voice is your password", "Houston, we have had a problem."):
        tokens = transcriber.transcript(heard, transcriber.vocabulary.tokens(draft) if draft else ())
        assert words(transcriber.vocabulary.text(tokens)) in READ


def test_what_was_said_is_likelier_than_a_word_changed_or_left_out(transcriber: Transcriber, heard: Heard) -> None:
    def worst(text: str) -> float:
        tokens = transcriber.vocabulary.tokens(text)
        rows = transcriber.lay(heard, tokens).logits
        assert rows.shape == (len(tokens) + 1, len(transcriber.vocabulary))
        return float(min(row[token] - row.max() for row, token in zip(rows, [*tokens, END], strict=True)))

    assert worst(SAID) > -7.0
    for other in ("My voice is your passport verify me.", "My voice is passport verify me.", "My voice is my"):
        assert worst(other) < worst(SAID) - 3.0


@pytest.mark.parametrize(
    "before", ["My voice is my", SAID, "My voice is my password", "Houston, we have had a problem."]
)
def test_what_was_laid_before_is_gone_on_from(transcriber: Transcriber, heard: Heard, before: str) -> None:
    """But for the rounding of the networks, which goes by all that is in a pass."""
    tokens = transcriber.vocabulary.tokens(SAID)
    anew = transcriber.lay(heard, tokens)
    laid = transcriber.lay(heard, tokens, transcriber.lay(heard, transcriber.vocabulary.tokens(before)))
    assert (laid.tokens, laid.logits.shape) == (tokens, anew.logits.shape)
    assert np.abs(laid.logits - anew.logits).mean() < 0.5
    further = transcriber.vocabulary.tokens(SAID.removesuffix(".") + ", now.")
    assert transcriber.lay(heard, further, laid).logits.argmax(axis=1).tolist()[:6] == tokens[:6]


def test_more_than_nine_seconds_are_heard(transcriber: Transcriber) -> None:
    twice = np.concatenate((flite(PASSPORT), np.zeros(120_000, np.float32), flite(PASSPORT)))
    heard = transcriber.hear(twice)
    assert heard.states.shape[1] > 384
    assert "passport" in words(transcriber.vocabulary.text(transcriber.transcript(heard)))


def test_a_transcript_ends(transcriber: Transcriber) -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.1, 16_000).astype(np.float32)
    heard = transcriber.hear(noise)
    assert len(transcriber.transcript(heard)) <= heard.most_tokens == 8


def test_missing_files_are_named(tmp_path: Path) -> None:
    transcriber = Transcriber(read_catalogue().transcribers[0], tmp_path)
    with pytest.raises(ModelFileMissing, match=r"moonshine-tiny-en-tokens\.bin"):
        transcriber.vocabulary.tokens("one")
    with pytest.raises(ModelFileMissing, match=r"moonshine-tiny-en-encoder\.ort"):
        transcriber.hear(np.zeros(16_000, np.float32))
