"""Labels a transcript of somebody else's with the speakers of turns. Nothing of either is kept."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.domain.labels import speakers_of
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.transcripts import read_labelling

blueprint = func.Blueprint()


@endpoint(blueprint, "label", {"POST": Role.RECOGNISE})
def label(call: Call) -> Reply:
    turns, transcript = read_labelling(call)
    return Reply(200, transcript.labelled(speakers_of(transcript.phrases, turns)))
