"""Every other path: JSON for what is not there, and a second chance for paths with too many slashes.

The functions host tries routes in the order of the functions' names, not of how well they fit
(github.com/Azure/azure-functions-host, issue 9876), so this function's name is behind all others.
"""

from __future__ import annotations

import azure.functions as func

from shared.http.endpoint import dispatch, open_endpoint

blueprint = func.Blueprint()

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

open_endpoint(blueprint, "zz_elsewhere", "{*path:regex(^(?!(admin|runtime)(/|$)))}", METHODS)(dispatch)
