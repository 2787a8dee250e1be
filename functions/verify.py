"""Verify: is this recording of the enrolled speaker, saying the enrolled phrase?"""

from __future__ import annotations

import azure.functions as func

from shared.domain.errors import ParameterMissing, PassphraseNotHeard
from shared.domain.limits import V1_VERIFICATION
from shared.http import request, v1
from shared.http.endpoint import Call, endpoint
from shared.http.multipart import audio_part
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, name="verify", route=f"{v1.PREFIX}/verify", methods=["POST"])
def verify(call: Call) -> Reply:
    """A phrase that is none of the allowed ones is a bad request in v1.0; the wrong one of them is a reject."""
    named = request.parameter(call.request, v1.VERIFICATION.id_name)
    if not named:
        raise ParameterMissing(v1.VERIFICATION.id_name)
    key = v1.key(call, v1.VERIFICATION, request.guid(named))
    audio, media_type = audio_part(request.body(call.request), request.media_type(call.request))
    with v1.speakers_named_by_parameter():
        result = call.services.verify_phrase(key, audio, media_type, V1_VERIFICATION)
    if not result.heard.recognised:
        raise PassphraseNotHeard(result.heard.phrase)
    return Reply(200, v1.verification(result))
