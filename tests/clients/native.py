"""Drives the native core of Microsoft's Speech SDK, which is what C#, Java, Objective-C, Go and C++ apps run.

    python native.py <host URL> <subscription key>

Speaks the same lines as driver.cjs. The Python package has no speaker recognition of its own, but its wheel carries the
core, whose C functions are called here as Microsoft's bindings call them.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Sequence
from typing import Any, TypeAlias

from azure.cognitiveservices import speech
from azure.cognitiveservices.speech.interop import _sdk_lib as core

Answer: TypeAlias = dict[str, Any]
TYPES = {"TextIndependentIdentification": 1, "TextDependentVerification": 2, "TextIndependentVerification": 3}
REASONS = {reason.value: reason.name for reason in speech.ResultReason} | {22: "DeletedVoiceProfile"}
DETAILS = (
    "profileId",
    "enrollmentsCount",
    "remainingEnrollmentsCount",
    "enrollmentsLengthInSec",
    "remainingEnrollmentsSpeechLengthInSec",
    "createdDateTime",
)


class CoreError(Exception):
    """A call that returned a handle of an error in place of 0."""


def call(name: str, *arguments: object) -> None:
    function = getattr(core, name)
    function.restype = ctypes.c_size_t
    error = function(*arguments)
    if error:
        core.error_get_message.restype = ctypes.c_char_p
        message = core.error_get_message(ctypes.c_void_p(error))
        raise CoreError(message.decode() if message else f"{name} failed with 0x{error:x}")


def made(name: str, *arguments: object) -> ctypes.c_void_p:
    """A function whose last parameter takes the new handle."""
    handle = ctypes.c_void_p()
    call(name, *arguments, ctypes.byref(handle))
    return handle


def first_made(name: str, *arguments: object) -> ctypes.c_void_p:
    """A function whose first parameter takes the new handle."""
    handle = ctypes.c_void_p()
    call(name, ctypes.byref(handle), *arguments)
    return handle


def profile(one: Sequence[str]) -> ctypes.c_void_p:
    profile_id, kind = one
    return first_made("create_voice_profile_from_id_and_type", profile_id.encode(), TYPES[kind])


def profile_id(handle: ctypes.c_void_p) -> str:
    size = ctypes.c_uint32(64)
    text = ctypes.create_string_buffer(size.value)
    call("voice_profile_get_id", handle, text, ctypes.byref(size))
    return text.value.decode()


def result(handle: ctypes.c_void_p) -> Answer:
    reason = ctypes.c_int()
    call("result_get_reason", handle, ctypes.byref(reason))
    found = speech.PropertyCollection(made("result_get_property_bag", handle))
    details = {name: found.get_property_by_name(f"enrollment.{name}") for name in DETAILS}
    return {
        "reason": REASONS[reason.value],
        "errorDetails": found.get_property(speech.PropertyId.SpeechServiceResponse_JsonErrorDetails) or None,
        "details": {name: value for name, value in details.items() if value},
        "profileId": found.get_property_by_name("speakerrecognition.profileid") or None,
        "score": float(found.get_property_by_name("speakerrecognition.score") or "nan"),
        "phrases": [one for one in found.get_property_by_name("speakerrecognition.phrases").split("|") if one],
    }


class Calls:
    def __init__(self, host: str, key: str) -> None:
        self._config = speech.SpeechConfig(host=host, subscription=key)
        self._client = first_made("create_voice_profile_client_from_config", self._config._handle)

    def create(self, kind: str, locale: str) -> Answer:
        return {"profileId": profile_id(made("create_voice_profile", self._client, TYPES[kind], locale.encode()))}

    def list(self, kind: str) -> Answer:
        size = ctypes.c_size_t()
        text = ctypes.c_char_p()
        call("get_profiles_json", self._client, TYPES[kind], ctypes.byref(text), ctypes.byref(size))
        ids = (text.value or b"").decode().split("|")
        return {"profiles": [{"details": {"profileId": one}} for one in ids if one]}

    def get(self, one: Sequence[str]) -> Answer:
        return result(made("retrieve_enrollment_result", self._client, one[0].encode(), TYPES[one[1]]))

    def enroll(self, one: Sequence[str], file: str) -> Answer:
        audio = speech.audio.AudioConfig(filename=file)
        return result(made("enroll_voice_profile", self._client, profile(one), audio._handle))

    def phrases(self, kind: str, locale: str) -> Answer:
        return result(made("get_activation_phrases", self._client, locale.encode(), TYPES[kind]))

    def verify(self, one: Sequence[str], file: str) -> Answer:
        model = first_made("speaker_verification_model_create", profile(one))
        return result(made("speaker_recognizer_verify", self._recognizer(file), model))

    def identify(self, many: Sequence[Sequence[str]], file: str) -> Answer:
        model = first_made("speaker_identification_model_create")
        for one in many:
            call("speaker_identification_model_add_profile", model, profile(one))
        return result(made("speaker_recognizer_identify", self._recognizer(file), model))

    def reset(self, one: Sequence[str]) -> Answer:
        return result(made("reset_voice_profile", self._client, profile(one)))

    def delete(self, one: Sequence[str]) -> Answer:
        return result(made("delete_voice_profile", self._client, profile(one)))

    def _recognizer(self, file: str) -> ctypes.c_void_p:
        self._audio = speech.audio.AudioConfig(filename=file)  # must outlive the recogniser
        return first_made("recognizer_create_speaker_recognizer_from_config", self._config._handle, self._audio._handle)


def main() -> None:
    calls = Calls(*sys.argv[1:3])
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = getattr(calls, name)(*arguments)
        except CoreError as error:
            answer = {"thrown": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
