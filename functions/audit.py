"""Audit: what was changed in the customer's subscription, by whom and when."""

from __future__ import annotations

import azure.functions as func

from shared.http import management, paging
from shared.http.api import Call
from shared.http.endpoint import extension_endpoint
from shared.http.reply import Reply

blueprint = func.Blueprint()


@extension_endpoint(blueprint, "audit", "audit", ["GET"])
def audit(call: Call) -> Reply:
    since, until = management.moment(call.request, "from"), management.moment(call.request, "to")
    after, limit = paging.position(call.request, management.ENTRY), paging.page_size(call.request)
    page = call.services.read_audit(call.subscription.subscription_id, since, until, after, limit)
    return management.audited(call.base_url, call.request, page)
