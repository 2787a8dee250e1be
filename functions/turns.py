"""Turns: who spoke when in a recording of several people."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.domain.audit import AuditAction
from shared.domain.limits import V2021_TURNS
from shared.domain.measurement import note
from shared.domain.profile import ProfileKey, ProfileKind
from shared.domain.turns import NamedTurns
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.turns import read_turns, write_turns

blueprint = func.Blueprint()


@endpoint(blueprint, "identifyTurns", {"POST": Role.RECOGNISE})
def identify_turns(call: Call) -> Reply:
    wanted, audio = read_turns(call)
    call.caller.require_candidates(wanted.candidates)
    with call.services.turns_admission.admitted():
        found = call.services.identify_turns(wanted, audio, V2021_TURNS)
    _record(call, found)
    return write_turns(call, found)


def _record(call: Call, found: NamedTurns) -> None:
    """A record of each speaker who has a name; where nobody has one, of the best score."""
    named = [(speaker.speaker, speaker.score) for speaker in found.speakers if speaker.score is not None]
    note(outcome="accept" if named else "reject")
    owner, recognised = call.subscription.subscription_id, call.services.audit.recognised
    for profile_id, score in named:
        profile = ProfileKey(owner, ProfileKind.IDENTIFICATION, profile_id)
        recognised(call.caller, AuditAction.TURNS, profile, score, accepted=True)
    if not named:
        best = max((score for speaker in found.speakers for _, score in speaker.ranking), default=None)
        recognised(call.caller, AuditAction.TURNS, None, best, accepted=False)
