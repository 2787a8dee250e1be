"""Identify: which of these enrolled speakers is it, if any?"""

from __future__ import annotations

import azure.functions as func

from shared.domain.limits import V1_IDENTIFICATION, V1_SHORT_AUDIO
from shared.http import request, v1
from shared.http.endpoint import Call, endpoint
from shared.http.multipart import audio_part
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, name="identify", route=f"{v1.PREFIX}/identify", methods=["POST"])
def identify(call: Call) -> Reply:
    name = "identificationProfileIds"
    profile_ids = request.guid_list(name, request.parameter(call.request, name))
    short_audio = request.boolean("shortAudio", request.parameter(call.request, "shortAudio"))
    audio, media_type = audio_part(request.body(call.request), request.media_type(call.request))
    rules = V1_SHORT_AUDIO if short_audio else V1_IDENTIFICATION
    with v1.speakers_named_by_parameter():
        operation = call.services.operations.run(
            call.subscription.subscription_id,
            lambda: v1.identification_result(
                call.services.identify(call.subscription, profile_ids, audio, media_type, rules)
            ),
        )
    return Reply(202, headers={"Operation-Location": v1.operation_location(call, operation)})
