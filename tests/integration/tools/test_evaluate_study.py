"""The study on voices that are tones: each speaker has a pitch, and the ear hears the pitch. All but the ear is real.

The ear takes the place of the service so that the right answers are known and nothing takes long.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
import pytest
import soundfile

from shared.audio.listener import RecordingListener
from shared.domain.calibration import Calibration
from shared.domain.recording import SAMPLE_RATE, Samples
from tests.unit.audio.loudness import EVERYWHERE
from tools.calibration.hearing import Heard
from tools.evaluation.channels import CLEAN, conditions, crowd_of
from tools.evaluation.degradations import Condition
from tools.evaluation.page import Findings, networks_page, page
from tools.evaluation.pieces import DataSet, data_sets
from tools.evaluation.study import Study
from tools.evaluation.verification import compared

CARD = Calibration(-30.0, 44.0, 0.0, 0.0, 0.0, 0.01, 1.0, 12.0, "tones", 1, 1)
"""Score 0.5 at a cosine of 0.68."""


def ear(body: bytes) -> Heard:
    """The spectrum in 32 bands up to 3.4 kHz, of unit length."""
    samples, rate = soundfile.read(io.BytesIO(body), dtype="float32")
    spectrum = np.abs(np.fft.rfft(samples))[: int(len(samples) * 3400 / rate)]
    bands = np.array([band.sum() for band in np.array_split(spectrum, 32)])
    embedding = np.asarray(bands / np.linalg.norm(bands), np.float32)
    return Heard("full", embedding, speech_seconds=len(samples) / rate, audio_seconds=len(samples) / rate)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[DataSet]:
    """ "tones": eight speakers of nine recordings and six strangers of one; "few" has too few to be measured."""
    folder = tmp_path_factory.mktemp("tones")
    random = np.random.default_rng(0)
    with (folder / "manifest.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["path", "speaker", "source", "gender"])
        for speaker in range(15):
            source = "few-at-all" if speaker == 14 else "tones-one" if speaker < 8 else "tones-two"
            for take in range(9 if speaker < 8 else 1):
                times = np.arange(round(1.5 * SAMPLE_RATE)) / SAMPLE_RATE
                tone = 0.2 * np.sin(2 * np.pi * (400 + 200 * speaker) * times) + 0.01 * random.standard_normal(
                    len(times)
                )
                name = f"{speaker}-{take}.wav"
                soundfile.write(folder / name, tone, SAMPLE_RATE)
                writer.writerow([name, f"s{speaker}", source, "f" if speaker < 3 else "m" if speaker < 8 else ""])
    return data_sets(folder / "manifest.csv", RecordingListener(EVERYWHERE))


def test_sources_of_one_name_are_one_set_and_small_ones_are_left_out(sets: list[DataSet]) -> None:
    (tones,) = sets
    assert tones.name == "tones"
    assert (len(tones.speakers), len(tones.enrolled)) == (14, 8)


def test_pieces_hold_the_seconds_of_speech_that_they_are_named_after(sets: list[DataSet]) -> None:
    speaker = sets[0].speakers[0]
    seconds = {(test.length, round(len(test.samples) / SAMPLE_RATE, 2)) for test in speaker.tests}
    assert seconds == {("20 s", 9.0), ("full", 4.5), ("4 s", 4.0), ("2 s", 2.0), ("1 s", 1.0)}
    assert len([test for test in speaker.tests if test.length == "1 s" and test.groups == {0}]) == 3


def test_strangers_are_tested_and_never_enrolled(sets: list[DataSet]) -> None:
    made = compared(sets[0], ear, CLEAN, CLEAN, ("full",), True, "test").trials
    assert set(made.enrolled.tolist()) == set(range(8))
    assert set(made.tested.tolist()) == set(range(14))
    assert set(made.enrolments.tolist()) == {1, 3, 6}


def test_tests_that_are_not_heard_are_counted_and_leave_the_rates(sets: list[DataSet]) -> None:
    def deaf_to_length(body: bytes) -> Heard:
        heard = ear(body)
        return Heard("full", refusal="AudioTooNoisy") if heard.speech_seconds > 4.2 else heard

    found = compared(sets[0], deaf_to_length, CLEAN, CLEAN, ("full", "4 s"), True, "test")
    assert (found.refused["full"], found.asked["full"]) == (24, 30)
    assert found.refused["4 s"] == 0


def some_conditions(crowd: Sequence[Samples]) -> list[Condition]:
    """As they are, two of the telephone and one that enrols too: all 28 take a minute."""
    return [one for one in conditions(crowd) if one.name in ("clean", "8 kHz", "G.711 mu-law", "room, 0.4 s")]


@pytest.fixture(scope="module")
def findings(sets: list[DataSet]) -> Findings:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tools.evaluation.study.conditions", some_conditions)
        study = Study(sets, CARD, "Timbre", ear, {"its double": ear}, resamplings=10)
    return Findings(
        date="2026-11-22",
        model_id="tones-1",
        model_date="2026-01-01",
        manifest="tones/manifest.csv",
        systems=("Timbre", "its double"),
        sets=tuple(sets),
        clean=(study.clean(sets[0]),),
        channels=tuple(study.channels()),
        channels_of="tones",
        groups=tuple(study.groups()),
        alike=study.alike(),
        bands=tuple(study.bands()),
        named=tuple(study.identification()),
        long_lists=tuple(study.long_lists()),
    )


def test_tones_are_told_apart_and_named_first_on_every_list(findings: Findings) -> None:
    (clean,) = findings.clean
    assert not clean.held_out
    assert [(row.enrolments, row.length) for row in clean.rows] == [
        (enrolments, length) for enrolments in (1, 3) for length in ("20 s", "full", "4 s", "2 s", "1 s")
    ]
    for row in clean.rows:
        assert row.ours.equal_error.value == row.networks["Timbre"].refused == 0.0
        assert row.networks["its double"] == row.networks["Timbre"]
    named = [(each.corrected.candidates, each.length, each.corrected.rank_1.value) for each in findings.named]
    assert named == [(10, "full", 1.0), (14, "full", 1.0), (10, "4 s", 1.0), (14, "4 s", 1.0)]


def test_channels_groups_lists_and_answers_are_measured(findings: Findings, sets: list[DataSet]) -> None:
    """Three women and five men: 14 of the 28 pairs of speakers."""
    channels = [condition.name for condition in some_conditions(crowd_of(sets, sets[0]))]
    names = [row.name for row in findings.channels]
    assert names[: len(channels)] == channels
    assert [name for name in names if name.endswith("enrolled so too")] == names[len(channels) :]
    assert all(row.lowest <= row.ours.false_match.value <= row.highest for row in findings.channels)
    counts = {(group.group, group.tests): (group.speakers, group.ours.strangers) for group in findings.groups}
    everybody, women, men = (counts[group, "as they are"] for group in ("all", "women", "men"))
    assert (everybody[0], women[0], men[0]) == (14, 3, 5)
    assert 0 < women[1] < men[1] < everybody[1]
    first, last = findings.long_lists[0], findings.long_lists[-1]
    assert (first.kind, first.first, last.candidates, last.kind) == ("real", 1.0, 100_000, "synthesised")
    for answers in ("strangers", "same"):
        assert sum(getattr(band, answers) for band in findings.bands) == pytest.approx(1.0)


def test_the_pages_are_complete(findings: Findings) -> None:
    text = page(findings)
    assert "$" not in text
    assert all(f"| {row.name} |" in text for row in findings.channels)
    assert "| tones | 14 / 8 | 76 |" in text  # 28 pairs of the eight, and 48 with the six strangers
    assert "outside every fit" in text
    networks = networks_page(findings)
    assert "| test recording | Timbre | its double |" in networks
