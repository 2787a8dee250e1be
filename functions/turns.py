"""Turns: who spoke when in a recording of several people."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.domain.limits import V2021_TURNS
from shared.domain.measurement import note
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.long_recordings import names_recording, read_recording_url, write_begun
from shared.http.reply import Reply
from shared.http.turns import read_turns, read_wanted, write_turns

blueprint = func.Blueprint()


@endpoint(blueprint, "identifyTurns", {"POST": Role.RECOGNISE})
def identify_turns(call: Call) -> Reply:
    if names_recording(call):
        return _begin(call)
    wanted, audio = read_turns(call)
    call.caller.require_candidates(wanted.candidates)
    with call.services.turns_admission.admitted():
        found = call.services.identify_turns(wanted, audio, V2021_TURNS)
    named = call.services.audit.turns(call.subscription, call.caller.actor, found)
    note(outcome="accept" if named else "reject")
    return write_turns(call, found)


def _begin(call: Call) -> Reply:
    wanted, (url, channel) = read_wanted(call), read_recording_url(call)
    call.caller.require_candidates(wanted.candidates)
    return write_begun(call, call.services.long_turns.begin(call.caller.actor, wanted, url, channel))
