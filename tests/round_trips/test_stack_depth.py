"""From a handler to the speaker model a request goes through few functions: a reader can hold the way in mind."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from unittest.mock import patch

import numpy as np
import pytest
import soundfile

from shared.domain.recording import Utterance, Vector
from shared.http import endpoint
from shared.inference.speaker_model import OnnxSpeakerModel
from tests.in_process import Answer
from tests.round_trips.app import app
from tests.round_trips.customers import (
    IDENTIFICATION,
    TEXT_DEPENDENT,
    TEXT_INDEPENDENT,
    VERSION,
    Customer,
    customer,
    sample,
)
from tests.voices import wav_bytes

ROOT = Path(__file__).parents[2]
MOST = 6
"""Functions of this repository on one stack, the handler and ``embed`` among them."""

BASE = "/speaker-recognition"


@pytest.fixture(scope="module")
def caller() -> Customer:
    return customer(app())


def verify(kind: str) -> Callable[[Customer], Answer]:
    def request(caller: Customer) -> Answer:
        target = f"{BASE}/{kind}/profiles/{caller.speaker(kind)}:verify?{VERSION}&ignoreMinLength=true"
        return caller.call("POST", target, sample("passphrase-4"))

    return request


def enroll(kind: str) -> Callable[[Customer], Answer]:
    def request(caller: Customer) -> Answer:
        target = f"{BASE}/{kind}/profiles/{caller.created(kind)[0]}/enrollments?{VERSION}"
        return caller.call("POST", target, sample("passphrase-1") if kind == TEXT_DEPENDENT else long_recording())

    return request


def long_recording() -> bytes:
    """Of more than six seconds of speech, whose stretches are compared with each other."""
    takes = [sample(f"passphrase-{number}") for number in (1, 2, 3, 4)]
    return wav_bytes(np.concatenate([soundfile.read(io.BytesIO(take), dtype="float32")[0] for take in takes]))


def identify(candidates: str) -> Callable[[Customer], Answer]:
    def request(caller: Customer) -> Answer:
        speaker = caller.speaker(IDENTIFICATION)
        return caller.identified(candidates or speaker)

    return request


def v1_identify(caller: Customer) -> Answer:
    speaker = caller.speaker(IDENTIFICATION)
    target = f"/spid/v1.0/identify?shortAudio=true&identificationProfileIds={speaker}"
    return caller.call("POST", target, sample("passphrase-4"))


REQUESTS = {
    "verify a phrase": verify(TEXT_DEPENDENT),
    "verify speech": verify(TEXT_INDEPENDENT),
    "identify in a list": identify(""),
    "identify among everyone": identify("*"),
    "identify in a list, v1.0": v1_identify,
    "enroll a phrase": enroll(TEXT_DEPENDENT),
    "enroll speech": enroll(IDENTIFICATION),
}


def functions_since_the_handler() -> Iterator[str]:
    """Names of this repository's functions on the caller's stack, the innermost first, the handler last."""
    frame = sys._getframe(1).f_back
    while frame and frame.f_code.co_filename != endpoint.__file__:
        if Path(frame.f_code.co_filename).is_relative_to(ROOT / "shared") or in_functions(frame):
            yield frame.f_code.co_name
        frame = frame.f_back


def in_functions(frame: FrameType) -> bool:
    return Path(frame.f_code.co_filename).is_relative_to(ROOT / "functions")


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_few_functions_lie_between_a_handler_and_the_speaker_model(
    caller: Customer, request_: Callable[[Customer], Answer]
) -> None:
    stacks: list[list[str]] = []
    embed = OnnxSpeakerModel.embed

    def noting(model: OnnxSpeakerModel, utterance: Utterance) -> Vector:
        stacks.append(["embed", *functions_since_the_handler()])
        return embed(model, utterance)

    with patch.object(OnnxSpeakerModel, "embed", noting):
        assert request_(caller).status in (200, 201, 202)
    in_handlers = [stack for stack in stacks if len(stack) > 1]
    assert in_handlers
    for stack in in_handlers:
        assert len(stack) <= MOST, stack
        assert "<lambda>" not in stack, stack
