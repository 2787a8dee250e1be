"""Which of a recording's channels count: synthetic voices, the real detector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audio.channels import mixed
from shared.audio.listener import RecordingListener
from shared.audio.runs import Mask
from shared.domain.errors import ParameterInvalid, TwoChannelsSpeak
from shared.domain.limits import AudioRules
from shared.domain.recording import Samples, Utterance
from tests.unit.audio.encoded import file, tone
from tests.voices import GREETING, QUESTION, flite

RULES = AudioRules(0.5, 60.0, 0.5, -20.0, max_clipped_percent=100.0, min_level_dbfs=-90.0)


def at(level_dbfs: float, samples: Samples) -> Samples:
    return samples * np.float32(10.0 ** (level_dbfs / 20.0) / np.sqrt(np.mean(np.square(samples))))


CUSTOMER = at(-26.0, flite(QUESTION, "rms"))
LENGTH = len(CUSTOMER)
AGENT = np.resize(at(-26.0, flite(GREETING)), LENGTH)
TIME = np.arange(LENGTH) / 16_000
HUM = np.sum([np.sin(2 * np.pi * 50 * number * TIME) / number for number in range(1, 8)], axis=0).astype(np.float32)


def noise(level_dbfs: float, seed: int = 0) -> Samples:
    return at(level_dbfs, np.random.default_rng(seed).standard_normal(LENGTH).astype(np.float32))


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


@settings(max_examples=6, deadline=None)
@given(kind=st.sampled_from(["noise", "hum", "silence"]), level=st.floats(-70.0, -20.0), first=st.booleans())
def test_a_channel_with_speech_gives_what_its_mono_file_gives(
    listener: RecordingListener, kind: str, level: float, first: bool
) -> None:
    other = {"noise": noise(level), "hum": at(level, HUM), "silence": np.zeros(LENGTH, np.float32)}[kind]
    pair = together(CUSTOMER, other) if first else together(other, CUSTOMER)

    assert_same(heard(listener, pair), heard(listener, CUSTOMER))


def test_alike_and_silent_channels_are_searched_for_speech_once_and_stay_what_they_are(
    listener: RecordingListener,
) -> None:
    class Counted:
        times = 0

        def speech_mask(self, samples: Samples) -> Mask:
            self.times += 1
            return listener._detector.speech_mask(samples)

    counted = Counted()
    heard(RecordingListener(counted), together(CUSTOMER, CUSTOMER, np.zeros_like(CUSTOMER), -CUSTOMER))
    assert counted.times == 1
    assert_same(heard(listener, together(*[CUSTOMER] * 8)), heard(listener, CUSTOMER))


@settings(max_examples=6, deadline=None)
@given(delay=st.floats(0.0, 0.03), softer=st.floats(0.0, 7.0), level=st.floats(-75.0, -50.0))
def test_one_voice_by_two_microphones_is_mixed(
    listener: RecordingListener, delay: float, softer: float, level: float
) -> None:
    far = after(delay, at(-26.0 - softer, CUSTOMER))[:LENGTH]
    pair = together(CUSTOMER + noise(level, 1), far + noise(level, 2))

    samples = heard(listener, pair).recording.samples

    candidates = (pair.mean(axis=1), CUSTOMER)  # the second where the mean cancels
    assert max(np.corrcoef(samples, candidate)[0, 1] for candidate in candidates) > 0.99


@settings(max_examples=6, deadline=None)
@given(leak=st.floats(-40.0, -15.0), delay=st.floats(0.0, 0.25))
def test_crosstalk_is_no_second_voice(listener: RecordingListener, leak: float, delay: float) -> None:
    other = after(delay, at(-26.0 + leak, CUSTOMER))[:LENGTH] + noise(-72.0)

    assert_same(heard(listener, together(other, CUSTOMER)), heard(listener, CUSTOMER))


@settings(max_examples=6, deadline=None)
@given(
    turn=st.sampled_from(["at once", "agent first", "customer first"]),
    softer=st.floats(0.0, 15.0),
    leak=st.one_of(st.none(), st.floats(-40.0, -25.0)),
)
def test_two_voices_on_two_channels_are_refused_by_name(
    listener: RecordingListener, turn: str, softer: float, leak: float | None
) -> None:
    spoken = after(LENGTH / 16_000 if turn == "agent first" else 0.0, at(-26.0 - softer, CUSTOMER))
    answered = after(LENGTH / 16_000 if turn == "customer first" else 0.0, AGENT)
    call = together(answered, spoken)
    if leak is not None:
        call = call + np.float32(10.0 ** (leak / 20.0)) * call[:, ::-1]
    call = call + np.resize(noise(-75.0), call.shape)

    with pytest.raises(TwoChannelsSpeak, match=r"choose one with \?channel=1 or \?channel=2\.$") as refusal:
        heard(listener, call)

    assert set(refusal.value.speech_seconds) == {1, 2}
    for number, seconds in refusal.value.speech_seconds.items():
        chosen = heard(listener, call, number)
        assert chosen.speech_seconds == pytest.approx(seconds)
        assert_same(chosen, heard(listener, call[:, number - 1]))


def test_a_cough_on_the_other_channel_is_no_voice(listener: RecordingListener) -> None:
    cough = np.zeros_like(CUSTOMER)
    cough[20_000:24_000] = flite(GREETING)[4_000:8_000]

    assert_same(heard(listener, together(cough, CUSTOMER)), heard(listener, CUSTOMER))


def test_three_parties_are_all_named(listener: RecordingListener) -> None:
    third = at(-26.0, flite(QUESTION, "awb"))
    call = together(after(6.0, third), CUSTOMER, np.zeros(100, np.float32), AGENT[:80_000])

    with pytest.raises(TwoChannelsSpeak, match=r"^channel 1 has .* s of speech, channel 2 has .* s, channel 4 has"):
        heard(listener, call)


@pytest.mark.parametrize(("channels", "channel"), [(2, 3), (2, 999_999_999), (1, 2), (1, 0)])
def test_a_channel_that_is_not_there_is_refused_with_the_count(
    listener: RecordingListener, channels: int, channel: int
) -> None:
    counted = f"{channels} channel{'s' if channels > 1 else ''}"
    with pytest.raises(ParameterInvalid, match=rf'the recording has {counted}\. Received "{channel}"'):
        heard(listener, together(*[CUSTOMER] * channels), channel)
    assert_same(heard(listener, together(*[CUSTOMER] * channels), 1), heard(listener, CUSTOMER))


def test_only_the_chosen_channels_clipping_counts(listener: RecordingListener) -> None:
    call = together(CUSTOMER, np.clip(20.0 * AGENT, -1.0, 1.0))

    assert heard(listener, call, 1).clipped_percent == 0.0
    assert heard(listener, call, 2).clipped_percent > 5.0


def test_channels_are_averaged_but_not_where_one_cancels_the_other() -> None:
    left, right = tone(2.0, frequency=300), tone(2.0, frequency=500)

    assert np.allclose(mixed(np.stack([left, right])), (left + right) / 2, atol=1e-6)
    assert np.array_equal(mixed(np.stack([left, -left])), left)


def test_channels_with_voices_of_their_own_are_handed_over_one_by_one(listener: RecordingListener) -> None:
    def handed(*channels: Samples, channel: int | None = None) -> list[tuple[int | None, Samples]]:
        return listener.channels(file(together(*channels), encoding="FLOAT"), None, RULES, channel)

    (first, agent), (second, customer) = handed(AGENT, CUSTOMER)
    assert (first, second) == (1, 2)
    for found, sent in ((agent, AGENT), (customer, CUSTOMER)):
        np.testing.assert_array_equal(found, heard(listener, sent).recording.samples)
    for alone in (handed(CUSTOMER, CUSTOMER), handed(AGENT, CUSTOMER, channel=2)):
        ((number, samples),) = alone
        assert number is None
        np.testing.assert_array_equal(samples, customer)
