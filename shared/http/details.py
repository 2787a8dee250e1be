"""Why it was decided so: ``details`` of an answer or a refusal, and how many digits of a score the caller sees.

Two digits slow down who climbs towards a voice by changing a recording a little at a time. They do not stop them.
"""

from __future__ import annotations

import json
from dataclasses import replace

from shared.domain.decision import in_two_digits
from shared.domain.errors import EnrollmentDiffers, SecondVoiceHeard, TimbreError
from shared.domain.explanation import Explanation, explanation_of
from shared.domain.subscription import DetailsShown
from shared.http.api import Call
from shared.http.reply import Reply


def score_for(call: Call, score: float) -> float:
    """As the caller may see it: in full, or rounded down to two digits."""
    return score if call.caller.sees_full_scores else in_two_digits(score)


def details(call: Call, explanation: Explanation | None) -> dict[str, object]:
    """``details`` to be added to an answer; nothing where they are not asked for, or switched off."""
    if explanation is None or not details_wanted(call):
        return {}
    return {"details": written(explanation, rounded=not call.caller.sees_full_scores)}


def refusal(call: Call, refused: TimbreError) -> Reply:
    """With ``details`` beside its ``error``. A score in the message is rounded as all others are."""
    explanation = explanation_of(refused)
    if isinstance(refused, SecondVoiceHeard | EnrollmentDiffers):
        refused = refused.with_score(score_for(call, refused.score))
    reply = call.api.write_error(call, refused)
    if explanation is None or not isinstance(reply.body, dict):
        return reply
    return replace(reply, body={**reply.body, **details(call, explanation)})


def kept_details(call: Call, explanation: Explanation) -> str | None:
    """For an operation, whose result others may read than asked for it: in full, and rounded."""
    if not details_wanted(call):
        return None
    return json.dumps([written(explanation, rounded=rounded) for rounded in (False, True)])


def details_kept(call: Call, kept: str | None) -> dict[str, object]:
    if kept is None or call.subscription.settings.details is DetailsShown.OFF:
        return {}
    full, rounded = json.loads(kept)
    return {"details": full if call.caller.sees_full_scores else rounded}


def details_wanted(call: Call) -> bool:
    """Whether the caller asks for them, and the subscription shows them."""
    return call.flag("details") and call.subscription.settings.details is not DetailsShown.OFF


def written(explanation: Explanation, *, rounded: bool) -> dict[str, object]:
    """``details`` as JSON has them."""
    decision, measured, phrase = explanation.decision, explanation.measured, explanation.phrase
    score = None
    if decision:
        score = in_two_digits(decision.score) if rounded else decision.score
    return {
        "decidedBy": explanation.decided_by,
        "score": score,
        "threshold": decision and decision.threshold,
        "thresholdFrom": explanation.threshold_from,
        "falseMatchRate": None if score is None else explanation.false_match_rate(score),
        "speechSeconds": measured and round(measured.speech_seconds, 2),
        "snrDb": measured and round(measured.snr_db, 1),
        "levelDbfs": measured and round(measured.level_dbfs, 1),
        "bandwidthHz": measured and round(measured.bandwidth_hz),
        "channel": measured and measured.channel,
        "model": explanation.model_id,
        "phrase": phrase and {"recognised": phrase.recognised, "complete": phrase.complete},
        "replay": explanation.replay,
        "advice": [{"code": advice.code, "text": advice.text} for advice in explanation.advice],
    }
