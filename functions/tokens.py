"""Tokens for one purpose: what a browser or kiosk holds in the place of a key."""

from __future__ import annotations

import azure.functions as func

from shared.domain.access import Role
from shared.domain.token import fingerprint
from shared.http.api import Call
from shared.http.endpoint import endpoint
from shared.http.reply import Reply
from shared.http.tokens import issuing_key, read_new_token, write_token

blueprint = func.Blueprint()


@endpoint(blueprint, "tokens", {"POST": Role.RECOGNISE})
def tokens(call: Call) -> Reply:
    new, issuer = read_new_token(call), fingerprint(issuing_key(call))
    return write_token(*call.services.tokens.issue(call.caller, issuer, new.scope, new.minutes, once=new.once))
