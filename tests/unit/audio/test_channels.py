"""Which of a recording's channels count: synthetic voices, the real detector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audio.channels import mixed
from shared.audio.listener import RecordingListener
from shared.domain.errors import ParameterInvalid, TwoChannelsSpeak
from shared.domain.limits import AudioRules
from shared.domain.recording import Samples, Utterance
from tests.unit.audio.encoded import file, tone
from tests.voices import GREETING, QUESTION, flite

RULES = AudioRules(0.5, 60.0, min_speech_seconds=0.5, min_snr_db=-20.0, min_level_dbfs=-90.0)
LEVELS = st.floats(-70.0, -20.0)


def at(level_dbfs: float, samples: Samples) -> Samples:
    return samples * np.float32(10.0 ** (level_dbfs / 20.0) / np.sqrt(np.mean(np.square(samples))))


def customer() -> Samples:
    return at(-26.0, flite(QUESTION, "rms"))


def agent(length: int) -> Samples:
    return np.resize(at(-26.0, flite(GREETING)), length)


def noise(length: int, level_dbfs: float, seed: int = 0) -> Samples:
    return at(level_dbfs, np.random.default_rng(seed).standard_normal(length).astype(np.float32))


def hum(length: int, level_dbfs: float) -> Samples:
    time = np.arange(length) / 16_000
    harmonics = [np.sin(2 * np.pi * 50 * number * time) / number for number in range(1, 8)]
    return at(level_dbfs, np.sum(harmonics, axis=0).astype(np.float32))


def silence(length: int, level_dbfs: float) -> Samples:
    return np.zeros(length, np.float32)


def after(seconds: float, samples: Samples) -> Samples:
    return np.concatenate([np.zeros(round(seconds * 16_000), np.float32), samples])


def together(*channels: Samples) -> Samples:
    """Shape [n, channels], the shorter ones filled with silence."""
    longest = max(len(channel) for channel in channels)
    return np.stack([np.pad(channel, (0, longest - len(channel))) for channel in channels], axis=1)


def heard(listener: RecordingListener, channels: Samples, channel: int | None = None) -> Utterance:
    return listener.listen(file(channels, encoding="FLOAT"), None, RULES, channel)


def assert_same(one: Utterance, other: Utterance) -> None:
    np.testing.assert_array_equal(one.recording.samples, other.recording.samples)
    np.testing.assert_array_equal(one.speech, other.speech)
    assert (one.snr_db, one.level_dbfs, one.clipped_percent) == (other.snr_db, other.level_dbfs, other.clipped_percent)


@settings(max_examples=15, deadline=None)
@given(kind=st.sampled_from(["noise", "hum", "silence"]), level=LEVELS, first=st.booleans())
def test_a_channel_with_speech_gives_what_its_mono_file_gives(
    listener: RecordingListener, kind: str, level: float, first: bool
) -> None:
    voice = customer()
    kinds = {"noise": noise, "hum": hum, "silence": silence}
    other = kinds[kind](len(voice), level)
    pair = together(voice, other) if first else together(other, voice)

    assert_same(heard(listener, pair), heard(listener, voice))


@pytest.mark.parametrize("places", [2, 3, 8])
def test_a_mono_recording_on_several_channels_stays_what_it_is(listener: RecordingListener, places: int) -> None:
    voice = customer()

    assert_same(heard(listener, together(*[voice] * places)), heard(listener, voice))


def test_alike_and_silent_channels_are_searched_for_speech_once(listener: RecordingListener) -> None:
    counted = Counted(listener)
    voice = customer()

    RecordingListener(counted).listen(file(together(voice, voice, np.zeros_like(voice), -voice)), None, RULES)

    assert counted.times == 1


@settings(max_examples=12, deadline=None)
@given(delay=st.floats(0.0, 0.03), softer=st.floats(0.0, 7.0), level=st.floats(-75.0, -50.0))
def test_one_voice_by_two_microphones_is_mixed(
    listener: RecordingListener, delay: float, softer: float, level: float
) -> None:
    voice = customer()
    near, far = voice, after(delay, at(-26.0 - softer, voice))[: len(voice)]
    pair = together(near + noise(len(voice), level, 1), far + noise(len(voice), level, 2))

    utterance = heard(listener, pair)

    samples = utterance.recording.samples
    mean = pair.mean(axis=1)
    assert np.corrcoef(samples, mean)[0, 1] > 0.99 or np.corrcoef(samples, near)[0, 1] > 0.99  # one that cancels


@settings(max_examples=12, deadline=None)
@given(leak=st.floats(-40.0, -15.0), delay=st.floats(0.0, 0.25))
def test_crosstalk_is_no_second_voice(listener: RecordingListener, leak: float, delay: float) -> None:
    voice = customer()
    other = after(delay, at(-26.0 + leak, voice))[: len(voice)] + noise(len(voice), -72.0)

    assert_same(heard(listener, together(other, voice)), heard(listener, voice))


@settings(max_examples=12, deadline=None)
@given(
    turn=st.sampled_from(["at once", "agent first", "customer first"]),
    softer=st.floats(0.0, 15.0),
    leak=st.one_of(st.none(), st.floats(-40.0, -25.0)),
)
def test_two_voices_on_two_channels_are_refused_by_name(
    listener: RecordingListener, turn: str, softer: float, leak: float | None
) -> None:
    spoken = at(-26.0 - softer, customer())
    answered = agent(len(spoken))
    if turn == "agent first":
        spoken = after(len(answered) / 16_000, spoken)
    elif turn == "customer first":
        answered = after(len(spoken) / 16_000, answered)
    call = together(answered, spoken)
    if leak is not None:
        call = call + np.float32(10.0 ** (leak / 20.0)) * call[:, ::-1]
    call = call + noise(call.size, -75.0).reshape(call.shape)

    with pytest.raises(TwoChannelsSpeak) as refusal:
        heard(listener, call)

    assert set(refusal.value.speech_seconds) == {1, 2}
    assert str(refusal.value).endswith("choose one with ?channel=1 or ?channel=2.")
    for number, seconds in refusal.value.speech_seconds.items():
        chosen = heard(listener, call, number)
        assert chosen.speech_seconds == pytest.approx(seconds)
        assert_same(chosen, heard(listener, call[:, number - 1]))


def test_a_cough_on_the_other_channel_is_no_voice(listener: RecordingListener) -> None:
    voice = customer()
    cough = np.zeros_like(voice)
    cough[20_000:24_000] = flite(GREETING)[4_000:8_000]

    assert_same(heard(listener, together(cough, voice)), heard(listener, voice))


def test_three_parties_are_all_named(listener: RecordingListener) -> None:
    third = at(-26.0, flite(QUESTION, "awb"))
    call = together(after(6.0, third), customer(), np.zeros(100, np.float32), agent(80_000))

    with pytest.raises(TwoChannelsSpeak, match=r"^channel 1 has .* s of speech, channel 2 has .* s, channel 4 has"):
        heard(listener, call)


@pytest.mark.parametrize("channel", [3, 8, 999_999_999])
def test_a_channel_that_is_not_there_is_refused_with_the_count(listener: RecordingListener, channel: int) -> None:
    with pytest.raises(ParameterInvalid, match=rf'the recording has 2 channels\. Received "{channel}"'):
        heard(listener, together(customer(), customer()), channel)


def test_mono_has_channel_one_alone(listener: RecordingListener) -> None:
    assert_same(heard(listener, customer(), 1), heard(listener, customer()))
    with pytest.raises(ParameterInvalid, match=r"the recording has 1 channel\."):
        heard(listener, customer(), 2)


def test_only_the_chosen_channels_clipping_counts(listener: RecordingListener) -> None:
    overdriven = np.clip(20.0 * agent(len(customer())), -1.0, 1.0)
    call = together(customer(), overdriven)

    assert heard(listener, call, 1).clipped_percent == 0.0
    assert (
        listener.listen(
            file(call), None, AudioRules(0.5, 60.0, 0.5, -20.0, max_clipped_percent=100.0), 2
        ).clipped_percent
        > 5.0
    )


def test_channels_are_averaged() -> None:
    left, right = tone(2.0, frequency=300), tone(2.0, frequency=500)

    assert np.allclose(mixed(np.stack([left, right])), (left + right) / 2, atol=1e-6)


def test_an_inverted_channel_does_not_cancel_the_other() -> None:
    voice = tone(2.0)

    assert np.array_equal(mixed(np.stack([voice, -voice])), voice)


class Counted:
    """The real detector, and how often it was asked."""

    def __init__(self, listener: RecordingListener) -> None:
        self._detector = listener._detector
        self.times = 0

    def speech_mask(self, samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        self.times += 1
        return self._detector.speech_mask(samples)
