"""Recordings with several channels over HTTP, in every generation: a call whose parties have a channel each."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import soundfile

from tests.api.client import UNKNOWN, Answer, Client, Profiles, ask_to_identify, identified, operation, verify
from tests.api.later import IDENTIFICATION, KINDS, TEXT_INDEPENDENT, V2021, Generation, Speakers
from tests.voices import GREETING, PASSPORT, QUESTION, STORY, Samples, flite, takes, wav_bytes


def stereo(*channels: Samples) -> bytes:
    length = max(len(channel) for channel in channels)
    file = io.BytesIO()
    samples = np.stack([np.pad(channel, (0, length - len(channel))) for channel in channels], axis=1)
    soundfile.write(file, samples, 16_000, format="WAV", subtype="PCM_16")
    return file.getvalue()


def call_of(text: str) -> bytes:
    """The agent on the left, then the customer, rms, on the right."""
    agent = flite(GREETING)
    return stereo(agent, np.concatenate([np.zeros(len(agent), np.float32), flite(text, "rms")]))


def form(recording: bytes) -> tuple[bytes, str]:
    head = b'--X\r\nContent-Disposition: form-data; name="a"; filename="call.wav"\r\n\r\n'
    return head + recording + b"\r\n--X--\r\n", "multipart/form-data; boundary=X"


@pytest.mark.parametrize("wrapped", [lambda body: (body, "audio/wav"), form], ids=["bare", "multipart"])
def test_the_customers_leg_of_a_call_is_enrolled_and_verified(
    by_voice: Speakers, wrapped: Callable[[bytes], tuple[bytes, str]]
) -> None:
    profile_id = by_voice.new()

    def send(text: str, verb: str, query: str) -> Answer:
        body, media_type = wrapped(call_of(text))
        return by_voice.call("POST", f"/profiles/{profile_id}{verb}", body, query, media_type)

    verify = f"{by_voice.generation.colon}verify"
    status, code, message = send(STORY, "/enrollments", "&ignoreMinLength=true").error
    assert (status, code) == (400, "InvalidRequest")
    assert message.startswith("TwoChannelsSpeak: channel 1 has ")
    assert send(STORY, "/enrollments", "&ignoreMinLength=true&channel=2").status == 201
    accepted = send(QUESTION, verify, "&ignoreMinLength=true&channel=2").json
    alone = by_voice.verify(profile_id, wav_bytes(flite(QUESTION, "rms"))).json
    assert (accepted["recognitionResult"], alone["recognitionResult"]) == ("Accept", "Accept")
    rejected = send(QUESTION, verify, "&ignoreMinLength=true&Channel=1").json
    assert rejected["recognitionResult"] == "Reject"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", ["0", "-1", "1.5", "two", "", "9" * 5_000, "1e400"])
def test_what_is_no_channel_is_refused_before_anything_is_read(
    api: Client, generation: Generation, kind: str, channel: str
) -> None:
    speakers = Speakers(api, generation, kind)
    query = f"&ignoreMinLength=true&channel={channel}"
    recognise = speakers.identify if kind == IDENTIFICATION else speakers.verify
    for answer in (speakers.enroll(UNKNOWN, b"", query), recognise(UNKNOWN, b"", query)):
        status, code, message = answer.error
        assert (status, code) == (400, "InvalidArgument")
        assert message.startswith("Invalid channel parameter value. It should be a whole number")


@pytest.mark.parametrize(
    ("recording", "count"),
    [(call_of, "2 channels"), (lambda text: wav_bytes(flite(text)), "1 channel")],
    ids=["stereo", "mono"],
)
def test_a_channel_that_the_recording_has_not_is_refused_with_the_count(
    api: Client, recording: Callable[[str], bytes], count: str
) -> None:
    by_voice = Speakers(api, V2021, TEXT_INDEPENDENT)
    answer = by_voice.enroll(by_voice.new(), recording(QUESTION), "&channel=3")
    counted = f'Channels are counted from 1, and the recording has {count}. Received "3".'
    assert answer.error == (400, "InvalidArgument", f"Invalid channel parameter value. {counted}")


def test_a_caller_is_identified_on_the_channel_that_is_named(api: Client, voices: Mapping[str, str]) -> None:
    to_identify = Speakers(api, V2021, IDENTIFICATION)
    listed = f"{voices['rms']},{voices['awb']}"
    status, code, message = to_identify.identify(listed, call_of(QUESTION)).error
    found = to_identify.identify(listed, call_of(QUESTION), "&ignoreMinLength=true&channel=2").json
    assert (status, code, message[:17]) == (400, "InvalidRequest", "TwoChannelsSpeak:")
    assert found["identifiedProfile"]["profileId"] == voices["rms"]


def test_v1_says_the_same_in_its_own_words(api: Client, identification: Profiles) -> None:
    customer = identification.create()
    path = f"/identificationProfiles/{customer}/enroll?shortAudio=true"
    status, code, message = api.post(path, call_of(STORY)).error
    assert (status, code, message[:17]) == (400, "BadRequest", "TwoChannelsSpeak:")
    status, code, message = api.post(f"{path}&channel=0", call_of(STORY)).error
    assert (status, code) == (400, "BadRequest")
    assert message.endswith('counted from 1. Received "0".')
    assert operation(api, api.post(f"{path}&channel=2", call_of(STORY)))["status"] == "succeeded"

    status, code, message = ask_to_identify(api, customer, call_of(QUESTION), "&shortAudio=true&channel=7").error
    assert (status, code) == (400, "BadRequest")
    assert "the recording has 2 channels" in message
    assert identified(api, [customer], call_of(QUESTION), "&shortAudio=true&channel=2") == customer


def test_a_passphrase_on_one_channel_of_a_call(api: Client, verification: Profiles) -> None:
    profile_id = verification.enrolled(*takes(PASSPORT, "rms"))
    assert verify(api, profile_id, call_of(PASSPORT)).error[2].startswith("TwoChannelsSpeak:")
    assert verify(api, profile_id, call_of(PASSPORT), "&channel=2").json["result"] == "Accept"
    hissing = np.random.default_rng(1).normal(0.0, 0.003, len(flite(PASSPORT, "rms"))).astype(np.float32)
    assert verify(api, profile_id, stereo(flite(PASSPORT, "rms"), hissing)).json["result"] == "Accept"
