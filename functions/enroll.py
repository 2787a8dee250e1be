"""Enroll: a passphrase into a verification profile, any speech into an identification profile."""

from __future__ import annotations

import azure.functions as func

from shared.domain.limits import (
    V1_ENROLLMENT_SPEECH_SECONDS,
    V1_IDENTIFICATION_ENROLL,
    V1_MAX_ENROLLMENT_AUDIO_SECONDS,
    V1_SHORT_AUDIO,
    V1_VERIFICATION,
)
from shared.domain.profile import ProfileKey
from shared.http import request, v1
from shared.http.endpoint import Call, endpoint
from shared.http.multipart import audio_part
from shared.http.reply import Reply
from shared.services.enroll import SpeechRules

blueprint = func.Blueprint()


@endpoint(blueprint, name="enroll", route=f"{v1.PREFIX}/{v1.COLLECTION}/{{profileId}}/enroll", methods=["POST"])
def enroll(call: Call) -> Reply:
    key = v1.profile_key(call)
    return _enroll_phrase(call, key) if key.kind.needs_phrase else _enroll_speech(call, key)


def _enroll_phrase(call: Call, key: ProfileKey) -> Reply:
    audio, media_type = audio_part(request.body(call.request), request.media_type(call.request))
    enrolled = call.services.enroll_phrase(key, audio, media_type, V1_VERIFICATION)
    return Reply(200, v1.verification_enrollment(enrolled))


def _enroll_speech(call: Call, key: ProfileKey) -> Reply:
    rules = _speech_rules(short_audio=request.boolean("shortAudio", request.parameter(call.request, "shortAudio")))
    audio, media_type = audio_part(request.body(call.request), request.media_type(call.request))
    operation = call.services.operations.run(
        key.subscription_id,
        lambda: v1.enrollment_result(call.services.enroll_speech(key, audio, media_type, rules)),
    )
    return Reply(202, headers={"Operation-Location": v1.operation_location(call, operation)})


def _speech_rules(*, short_audio: bool) -> SpeechRules:
    return SpeechRules(
        audio=V1_SHORT_AUDIO if short_audio else V1_IDENTIFICATION_ENROLL,
        needed_speech_seconds=V1_ENROLLMENT_SPEECH_SECONDS,
        max_audio_seconds=V1_MAX_ENROLLMENT_AUDIO_SECONDS,
        at_once=short_audio,
    )
