"""What listens to a recording: enroll, verify, identify, turns; what comes before, and what comes of it later."""

from __future__ import annotations

from shared.domain.access import Role
from shared.domain.audit import AuditAction
from shared.domain.labels import speakers_of
from shared.domain.limits import V2021_TURNS
from shared.domain.measurement import note
from shared.domain.profile import ProfileKey, ProfileKind
from shared.http import long_recordings, v1
from shared.http.api import Call
from shared.http.challenges import read_count, read_whom, write_challenge
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.transcripts import read_labelling
from shared.http.turns import read_turns, read_wanted, write_turns


@endpoint("enroll", {"POST": Role.ENROLL})
def enroll(call: Call) -> Reply:
    """A passphrase into a text-dependent profile, any speech into the others."""
    request = call.api.read_enroll(call)
    enrolled = call.services.enroll(request)
    return call.api.write_enroll(call, enrolled)


@endpoint("challenges", {"POST": Role.RECOGNISE})
def challenges(call: Call) -> Reply:
    """Digits that one verification has to say. Whether there is such a profile is asked before the body is read."""
    profile = call.services.profiles.get(read_whom(call))
    return write_challenge(call.services.challenges.draw(profile, read_count(call)))


@endpoint("verify", {"POST": Role.RECOGNISE})
def verify(call: Call) -> Reply:
    """Is this recording of the enrolled speaker (saying the enrolled phrase)?"""
    request = call.api.read_verify(call)
    verification = call.services.verify(request)
    decided = verification.decision
    audit = call.services.audit
    audit.recognised(call.caller, AuditAction.VERIFY, request.key, decided.score, accepted=decided.accepted)
    return call.api.write_verify(call, verification)


@endpoint("identify", {"POST": Role.RECOGNISE})
def identify(call: Call) -> Reply:
    """Which of the enrolled speakers is it, if any?"""
    request = call.api.read_identify(call)
    call.caller.require_candidates(request.candidates)
    identification = call.services.identify(request)
    named = identification.identified
    owner = call.subscription.subscription_id
    profile = ProfileKey(owner, ProfileKind.IDENTIFICATION, named.profile_id) if named else None
    score = identification.best.decision.score
    call.services.audit.recognised(call.caller, AuditAction.IDENTIFY, profile, score, accepted=named is not None)
    return call.api.write_identify(call, identification)


@endpoint("identifyTurns", {"POST": Role.RECOGNISE})
def identify_turns(call: Call) -> Reply:
    """Who spoke when in a recording of several people?"""
    if long_recordings.names_recording(call):
        return _begin(call)
    wanted, audio = read_turns(call)
    call.caller.require_candidates(wanted.candidates)
    with call.services.turns_admission.admitted():
        found = call.services.identify_turns(wanted, audio, V2021_TURNS)
    named = call.services.audit.turns(call.subscription, call.caller.actor, found)
    note(outcome="accept" if named else "reject")
    return write_turns(call, found)


@endpoint("label", {"POST": Role.RECOGNISE})
def label(call: Call) -> Reply:
    """A transcript of somebody else's with the speakers of turns. Nothing of either is kept."""
    turns, transcript = read_labelling(call)
    return Reply(200, transcript.labelled(speakers_of(transcript.phrases, turns)))


@endpoint("operations", {"GET": Role.RECOGNISE})
def operations(call: Call) -> Reply:
    """What became of an identification enroll or identify of v1.0."""
    operation_id = call.operation_id()
    operation = call.services.operations.get(call.subscription.subscription_id, operation_id)
    return v1.write_operation(call, operation)


@endpoint("long_operation", {"GET": Role.RECOGNISE, "DELETE": Role.ENROLL})
def long_operation(call: Call) -> Reply:
    """What became of a long recording."""
    operation_id = call.operation_id()
    if call.request.method == "DELETE":
        call.services.long_turns.remove(call.subscription.subscription_id, operation_id)
        return Reply(204)
    return long_recordings.write_operation(call, *call.services.long_turns.get(call.subscription, operation_id))


def _begin(call: Call) -> Reply:
    wanted, (url, channel) = read_wanted(call), long_recordings.read_recording_url(call)
    call.caller.require_candidates(wanted.candidates)
    begun = call.services.long_turns.begin(call.caller.actor, wanted, url, channel)
    return long_recordings.write_begun(call, begun)
