"""The system that is measured: bytes of a recording in, embedding out, and what was heard once is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from shared.audio.quality import MIN_SNR_DB
from shared.domain.limits import V2021_SHORT_SPEECH, AudioRules
from tools.calibration.hearing import Heard, Pipeline
from tools.calibration.kept import KeptHearings

Ear = Callable[[bytes], Heard]


def our_ear(pipeline: Pipeline, kept: KeptHearings, rules: AudioRules = V2021_SHORT_SPEECH) -> Ear:
    """The service, with the rules of its latest generation. Noise refuses last, and what was heard is kept without."""
    any_noise = replace(rules, min_snr_db=MIN_SNR_DB)

    def hear(body: bytes) -> Heard:
        system = f"{pipeline.fingerprint} {any_noise}"
        key = hashlib.sha256(f"{system} {hashlib.sha256(_steady(body)).hexdigest()}".encode()).hexdigest()
        found = kept.get(key)
        if found is None:
            found = pipeline.hear(body, any_noise)
            kept.put(key, found)
        (heard,) = found
        too_noisy = not heard.refusal and heard.snr_db < rules.min_snr_db
        return replace(heard, embedding=None, refusal="AudioTooNoisy") if too_noisy else heard

    return hear


def _steady(body: bytes) -> bytes:
    """Without what differs each time that an Ogg stream is written: its pages' serial numbers, and their checksums."""
    if not body.startswith(b"OggS"):
        return body
    pages, start = [], 0
    while start < len(body):
        lacing = body[start + 27 : start + 27 + body[start + 26]]
        end = start + 27 + len(lacing) + sum(lacing)
        pages += [body[start : start + 14], body[start + 18 : start + 22], body[start + 26 : end]]
        start = end
    return b"".join(pages)
