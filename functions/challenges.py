"""Challenges: digits that one verification has to say."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.http.api import Call
from shared.http.challenges import read_challenge, write_challenge
from shared.http.endpoint import endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@endpoint(blueprint, "challenges", {"POST": Role.RECOGNISE})
def challenges(call: Call) -> Reply:
    return write_challenge(call.services.challenges.draw(*read_challenge(call)))
