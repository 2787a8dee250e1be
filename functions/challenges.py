"""Challenges: digits that one verification has to say.

Whether there is such a profile is asked before the body is looked at, as where voices are enrolled.
"""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.http.api import Call
from shared.http.challenges import read_count, read_whom, write_challenge
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "challenges", {"POST": Role.RECOGNISE})
def challenges(call: Call) -> Reply:
    profile = call.services.profiles.get(read_whom(call))
    return write_challenge(call.services.challenges.draw(profile, read_count(call)))
