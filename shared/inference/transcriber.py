"""What was said, in words: Moonshine (Jeffries et al. 2024, arXiv:2410.15608), an encoder and a decoder.

The decoder tells how likely each token is behind those before it. Laid along an expected text that is one pass,
whatever its length; a transcript, of which each token needs those before it, is a pass a token. So a transcript takes a
draft: as far as it is what the decoder would write, one pass writes it. ``models/moonshine-tiny-en.md`` says where the
files come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from shared.domain.recording import SAMPLE_RATE, Samples, Utterance
from shared.inference.model_card import CATALOGUE_FILE, TranscriberCard
from shared.inference.onnx_network import OnnxNetwork, read_model
from shared.inference.vocabulary import Vocabulary

Array: TypeAlias = npt.NDArray[np.float32]
Cache: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""What the decoder has made of the tokens so far, and of the encoder's states."""

FEWEST_SAMPLES: Final = SAMPLE_RATE // 10
"""The encoder hears no less."""
START: Final = 1
END: Final = 2

_TOKENS_PER_SECOND: Final = 6.5
"""More than anybody says; the authors' own bound against a decoder that repeats itself for ever."""
_FEWEST_TOKENS: Final = 8
_EVERY_FRAME: Final = np.ones((1, 1), np.int64)
"""The decoder takes every 384th value of a mask of the samples: this one for all frames, however many there are."""
_PAST: Final = "past_key_values"
_PRESENT: Final = "present"


@dataclass(frozen=True)
class Heard:
    """``states`` of the encoder: [1, frames, width], 41.6 frames a second."""

    states: Array
    most_tokens: int


class Laid(NamedTuple):
    """Tokens along what was heard.

    ``logits``: natural logarithms [len(tokens) + 1, vocabulary], each row up to a constant of its own: in row ``k`` of
    what comes behind the first ``k`` tokens, were they written; in the last of what comes behind them all.
    """

    tokens: Sequence[int]
    logits: Array
    cache: Cache


class Transcriber:
    """Of the language of its card. Safe to share between threads. Nothing is opened before the first use.

    Every method raises ``ModelFileMissing`` and ``ModelUnfit``, as ``OnnxNetwork`` does.
    """

    def __init__(self, card: TranscriberCard, folder: Path = CATALOGUE_FILE.parent) -> None:
        self._card, self._folder = card, folder
        self._encoder, self._decoder = OnnxNetwork(card.encoder, folder), OnnxNetwork(card.decoder, folder)

    @property
    def locales(self) -> Sequence[str]:
        """Those of its card; none where a file of it is missing."""
        parts = (self._card.encoder, self._card.decoder, self._card.tokens)
        return self._card.locales if all((self._folder / part.file.name).is_file() for part in parts) else ()

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(read_model(self._card.tokens, self._folder))

    def hear(self, samples: Samples) -> Heard:
        """Of samples [n] at 16 kHz, at least ``FEWEST_SAMPLES``."""
        every = np.ones((1, len(samples)), np.int64)
        inputs: dict[str, npt.NDArray[Any]] = {"input_values": samples[None], "attention_mask": every}
        (states,) = self._encoder.run(["last_hidden_state"], inputs)
        most = max(_FEWEST_TOKENS, round(len(samples) / SAMPLE_RATE * _TOKENS_PER_SECOND))
        return Heard(states, most)

    def lay(self, heard: Heard, tokens: Sequence[int], before: Laid | None = None) -> Laid:
        """The tokens along what was heard. Where they begin like those that were laid ``before``, that is not done
        again."""
        same = _common_start(tokens, before.tokens) if before else 0
        if before is None or same == 0:
            logits, cache = self._decode(heard, [START, *tokens], None)
        elif same == len(tokens):
            logits, cache = before.logits[: same + 1], _first(before.cache, same + 1)
        else:
            rest, cache = self._decode(heard, tokens[same:], _first(before.cache, same + 1))
            logits = np.concatenate((before.logits[: same + 1], rest))
        return Laid(tokens, logits, cache)

    def transcript(self, heard: Heard, draft: Sequence[int] = ()) -> list[int]:
        """The likeliest token behind those before it, one after the other to the end.

        ``draft`` saves time where it is right, and changes nothing else but by rounding.
        """
        laid = self.lay(heard, draft)
        likeliest = laid.logits.argmax(axis=1).tolist()
        right = _common_start(draft, likeliest)
        tokens = [*draft[:right], likeliest[right]]
        cache = _first(laid.cache, right + 1)
        while tokens[-1] != END and len(tokens) < heard.most_tokens:
            logits, cache = self._decode(heard, tokens[-1:], cache)
            tokens.append(int(logits[-1].argmax()))
        return tokens[:-1] if tokens[-1] == END else tokens

    def _decode(self, heard: Heard, tokens: Sequence[int], cache: Cache | None) -> tuple[Array, Cache]:
        """Logits [tokens, vocabulary] of what follows each, and the cache with them in it."""
        inputs: dict[str, npt.NDArray[Any]] = {
            "input_ids": np.array([tokens], np.int64),
            "encoder_hidden_states": heard.states,
            "encoder_attention_mask": _EVERY_FRAME,
            "use_cache_branch": np.array([cache is not None]),
            **(self._empty if cache is None else cache),
        }
        logits, *present = self._decoder.run(["logits", *self._presents], inputs)
        made = dict(zip(self._empty, present, strict=True))
        # With a cache the decoder gives empty arrays in place of what it made of the encoder's states.
        kept = {name: values for name, values in (cache or {}).items() if ".encoder." in name}
        return logits[0], {**made, **kept}

    @cached_property
    def _empty(self) -> Cache:
        """No tokens yet: [1, heads, 0, width of a head] each."""
        given = [one for one in self._decoder.open().get_inputs() if one.name.startswith(_PAST)]
        return {one.name: np.zeros((1, one.shape[1], 0, one.shape[3]), np.float32) for one in given}

    @cached_property
    def _presents(self) -> Sequence[str]:
        return [name.replace(_PAST, _PRESENT) for name in self._empty]


def around_speech(utterance: Utterance, margin_seconds: float) -> Samples:
    """From the first to the last speech with its pauses, and a margin on each side."""
    where = np.flatnonzero(utterance.speech)
    margin = round(margin_seconds * SAMPLE_RATE)
    return utterance.recording.samples[max(0, int(where[0]) - margin) : int(where[-1]) + 1 + margin]


def _first(cache: Cache, tokens: int) -> Cache:
    return {name: made if ".encoder." in name else made[:, :, :tokens] for name, made in cache.items()}


def _common_start(tokens: Sequence[int], others: Sequence[int]) -> int:
    """How many are the same, from the first on."""
    pairs = zip(tokens, others, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(tokens), len(others)))
