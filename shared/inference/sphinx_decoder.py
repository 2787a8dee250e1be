"""A decoder of pocketsphinx that lets other threads of Python run while it listens.

The methods of ``pocketsphinx.Decoder`` hold Python's lock. Its compiled module also shows the functions of the C
library (on Linux and macOS; Windows hides what a module does not list), and ctypes calls those without the lock. Where
they are not to be found, the package's own class does the same work with it. pocketsphinx is not imported before the
first call. The functions are those of ``pocketsphinx.h`` of 5.1.1.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from ctypes import byref, c_char_p, c_double, c_int, c_long, c_size_t, c_void_p
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

Settings = Mapping[str, str | float | int]


class Segment(NamedTuple):
    """On the best path: ``ascore`` is the acoustic probability, ``prob`` that of the whole; ``end_frame`` belongs to
    it."""

    word: str
    ascore: float
    prob: float
    start_frame: int
    end_frame: int


class Decoder(Protocol):
    """For one thread at a time. Every method raises ``RuntimeError`` or ``ValueError`` where pocketsphinx fails."""

    def search_grammar(self, jsgf: str) -> None:
        """From now on, whatever it was made for."""

    def process(self, pcm: bytes) -> None:
        """Begin an utterance and hear all of it, 16-bit little endian at 16 kHz.

        The front end keeps its noise estimate from utterance to utterance, so it is made anew (0.1 ms): the same audio
        gets the same score whatever was heard before. The whole utterance goes in at once, so that cepstral means are
        its own from the first frame.
        """

    def end(self) -> None: ...

    def segments(self) -> Sequence[Segment]:
        """Of the best path, before ``end`` wherever it has come and then to an end; none where there is none."""


def new_decoder(acoustic_model: Path, dictionary: Path, settings: Settings) -> Decoder:
    """Takes 20 ms. ``settings`` are pocketsphinx's own; ``kws`` is a file of lines ``phrase /threshold/`` to
    search for."""
    kind = _PackageDecoder if _library() is None else _LibraryDecoder
    return kind(acoustic_model, dictionary, settings)


_SEARCH: Final = "search"


class _PackageDecoder:
    """Holds Python's lock."""

    def __init__(self, acoustic_model: Path, dictionary: Path, settings: Settings) -> None:
        from pocketsphinx import Decoder

        hmm, words = str(acoustic_model), str(dictionary)
        self._decoder: Any = Decoder(hmm=hmm, dict=words, lm=None, loglevel="FATAL", **settings)

    def search_grammar(self, jsgf: str) -> None:
        self._decoder.add_jsgf_string(_SEARCH, jsgf)
        self._decoder.activate_search(_SEARCH)

    def process(self, pcm: bytes) -> None:
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)

    def end(self) -> None:
        self._decoder.end_utt()

    def segments(self) -> Sequence[Segment]:
        hypothesis = self._decoder.hyp()
        if hypothesis is None or not hypothesis.hypstr:
            return ()
        return [
            Segment(found.word, found.ascore, found.prob, found.start_frame, found.end_frame)
            for found in self._decoder.seg()
        ]


class _Library(NamedTuple):
    """``free`` runs without Python's lock, for what takes long; ``quick`` with it: to give the lock back and get it
    again takes longer than such a call, where other threads want it."""

    free: ctypes.CDLL
    quick: ctypes.PyDLL


class _LibraryDecoder:
    """Lets Python's lock go."""

    def __init__(self, acoustic_model: Path, dictionary: Path, settings: Settings) -> None:
        library = _library()
        assert library is not None
        self._free, self._quick = library
        config = self._quick.ps_config_init(None)
        folders = {"hmm": os.fsencode(acoustic_model), "dict": os.fsencode(dictionary)}
        for name, value in {**folders, "lm": None, "loglevel": b"FATAL", **settings}.items():
            self._set(config, name.encode(), value)
        self._decoder: int | None = self._free.ps_init(config)
        self._quick.ps_config_free(config)
        if not self._decoder:
            raise RuntimeError("pocketsphinx makes no decoder.")

    def _set(self, config: int, name: bytes, value: object) -> None:
        if isinstance(value, int):
            self._quick.ps_config_set_int(config, name, value)
        elif isinstance(value, float):
            self._quick.ps_config_set_float(config, name, value)
        else:
            self._quick.ps_config_set_str(config, name, os.fsencode(value) if isinstance(value, str) else value)

    def __del__(self) -> None:
        if getattr(self, "_decoder", None):
            self._free.ps_free(self._decoder)

    def search_grammar(self, jsgf: str) -> None:
        self._succeed(self._free.ps_add_jsgf_string, _SEARCH.encode(), jsgf.encode())
        self._succeed(self._quick.ps_activate_search, _SEARCH.encode())

    def process(self, pcm: bytes) -> None:
        self._succeed(self._quick.ps_reinit_feat, None)
        self._succeed(self._quick.ps_start_utt)
        self._succeed(self._free.ps_process_raw, pcm, len(pcm) // 2, False, True)

    def end(self) -> None:
        self._succeed(self._free.ps_end_utt)

    def segments(self) -> Sequence[Segment]:
        if not self._quick.ps_get_hyp(self._decoder, None):
            return ()
        logarithms, found = self._quick.ps_get_logmath(self._decoder), list[Segment]()
        start, end, acoustic, language, backoff = (c_int() for _ in range(5))
        segment = self._quick.ps_seg_iter(self._decoder)
        while segment:
            word = self._quick.ps_seg_word(segment).decode()
            self._quick.ps_seg_frames(segment, byref(start), byref(end))
            whole = self._quick.ps_seg_prob(segment, byref(acoustic), byref(language), byref(backoff))
            ascore, prob = (self._quick.logmath_exp(logarithms, score) for score in (acoustic.value, whole))
            found.append(Segment(word, ascore, prob, start.value, end.value))
            segment = self._quick.ps_seg_next(segment)
        return found

    def _succeed(self, function: Callable[..., int], *arguments: object) -> None:
        if function(self._decoder, *arguments) < 0:
            raise RuntimeError("pocketsphinx failed.")


_NUMBERS: Final = c_void_p  # of ``int *``
_SIGNATURES: Final[Mapping[str, tuple[Any, Sequence[Any]]]] = {
    "ps_config_init": (c_void_p, [c_void_p]),
    "ps_config_set_str": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "ps_config_set_int": (c_void_p, [c_void_p, c_char_p, c_long]),
    "ps_config_set_float": (c_void_p, [c_void_p, c_char_p, c_double]),
    "ps_config_free": (c_int, [c_void_p]),
    "ps_init": (c_void_p, [c_void_p]),
    "ps_free": (c_int, [c_void_p]),
    "ps_add_jsgf_string": (c_int, [c_void_p, c_char_p, c_char_p]),
    "ps_activate_search": (c_int, [c_void_p, c_char_p]),
    "ps_reinit_feat": (c_int, [c_void_p, c_void_p]),
    "ps_start_utt": (c_int, [c_void_p]),
    "ps_process_raw": (c_int, [c_void_p, c_char_p, c_size_t, c_int, c_int]),
    "ps_end_utt": (c_int, [c_void_p]),
    "ps_get_hyp": (c_char_p, [c_void_p, _NUMBERS]),
    "ps_get_logmath": (c_void_p, [c_void_p]),
    "ps_seg_iter": (c_void_p, [c_void_p]),
    "ps_seg_next": (c_void_p, [c_void_p]),
    "ps_seg_word": (c_char_p, [c_void_p]),
    "ps_seg_frames": (None, [c_void_p, _NUMBERS, _NUMBERS]),
    "ps_seg_prob": (c_int, [c_void_p, _NUMBERS, _NUMBERS, _NUMBERS]),
    "logmath_exp": (c_double, [c_void_p, c_int]),
}


@cache
def _library() -> _Library | None:
    """The module that Python has loaded already; ``None`` where it does not show these functions."""
    from pocketsphinx import _pocketsphinx

    with suppress(OSError, AttributeError):
        library = _Library(ctypes.CDLL(_pocketsphinx.__file__), ctypes.PyDLL(_pocketsphinx.__file__))
        for handle in library:
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(handle, name)
                function.restype, function.argtypes = result, arguments
        return library
    return None
