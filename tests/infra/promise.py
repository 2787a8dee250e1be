"""A promise about the infrastructure: a function over it that raises ``AssertionError`` when it is not kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from shared import config
from tests.infra.choices import SETS
from tests.infra.template import Infra, Prediction, Resource

PROMISES: Final[dict[str, Callable[[Infra], None]]] = {}
"""By name. ``test_promises.py`` tries each on the real files, and on copies with the promised property flipped."""

ACCOUNTS: Final = "Microsoft.Storage/storageAccounts"
VAULTS: Final = "Microsoft.KeyVault/vaults"
LOGS: Final = "Microsoft.Insights/diagnosticSettings"


def promise(function: Callable[[Infra], None]) -> Callable[[Infra], None]:
    PROMISES[function.__name__] = function
    return function


def every_prediction(infra: Infra) -> Iterator[Prediction]:
    """With every set of choices; the defaults come first."""
    for choices in SETS.values():
        yield infra.predicted(choices)


def settings_of(prediction: Prediction) -> dict[str, Any]:
    settings = prediction.only("Microsoft.Web/sites/config")
    assert settings.id == prediction.only("Microsoft.Web/sites").id + "/config/appsettings"
    properties: dict[str, Any] = settings.at("properties")
    return properties


def owner_of(expression: str, value: str) -> str:
    """The id of the resource that ``[reference('<id>', '<version>').value]`` asks for a value."""
    match = re.fullmatch(r"\[reference\('([^']+)', '[\d-]+'\)\.([\w.]+)\]", expression)
    assert match is not None, expression
    assert match[2] == value, expression
    return match[1]


def voice_account(prediction: Prediction) -> Resource:
    """The account that the app is told to keep voices in."""
    return prediction.with_id(owner_of(settings_of(prediction)[config.BLOB_URI.name], "primaryEndpoints.blob"))


def host_account(prediction: Prediction) -> Resource:
    setting = settings_of(prediction)["AzureWebJobsStorage__blobServiceUri"]
    return prediction.with_id(owner_of(setting, "primaryEndpoints.blob"))


def logged(prediction: Prediction, resource_id: str) -> set[str]:
    """The categories of a resource's log that reach the workspace."""
    log = prediction.with_id(f"{resource_id}/providers/{LOGS}/to-workspace")
    assert log.at("properties", "workspaceId") == prediction.only("Microsoft.OperationalInsights/workspaces").id
    return {category["category"] for category in log.at("properties", "logs") if category["enabled"] is True}
