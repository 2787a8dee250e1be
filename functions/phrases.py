"""Phrases: what may be said to a verification profile."""

from __future__ import annotations

import azure.functions as func

from shared.domain.errors import LocaleMissing
from shared.domain.passphrase import PASSPHRASES_BY_LOCALE
from shared.domain.profile import ProfileKind
from shared.http import request, v1
from shared.http.endpoint import Call, endpoint
from shared.http.reply import Reply
from shared.services.profiles import canonical_locale

blueprint = func.Blueprint()


@endpoint(blueprint, name="phrases", route=f"{v1.PREFIX}/verificationPhrases", methods=["GET"])
def phrases(call: Call) -> Reply:
    received = request.parameter(call.request, "locale")
    if not received:
        raise LocaleMissing
    locale = canonical_locale(received, ProfileKind.TEXT_DEPENDENT_VERIFICATION)
    return Reply(200, [{"phrase": phrase} for phrase in PASSPHRASES_BY_LOCALE[locale]])
