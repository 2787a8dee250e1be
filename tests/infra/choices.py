"""The choices that the promises are tried with."""

from __future__ import annotations

import json
from typing import Final

from tests.infra.template import INFRA, Choices


def _production() -> Choices:
    """``infra/production.env``, as azd hands it on through main.parameters.json."""
    lines = (INFRA / "production.env").read_text(encoding="utf-8").splitlines()
    chosen = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    parameters = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    names = {value["value"].strip("${}").split("=")[0]: name for name, value in parameters.items()}
    return {names[variable]: _typed(value) for variable, value in chosen.items()}


def _typed(value: str) -> bool | int | str:
    return int(value) if value.isdigit() else {"true": True, "false": False}.get(value, value)


DEFAULT: Final[Choices] = {}

CLOSED_NETWORK: Final[Choices] = {"vnetEnabled": True, "allowedAddressRanges": "203.0.113.0/24, 2001:db8::/32"}

GATEWAY: Final[Choices] = {"apiManagementSku": "BasicV2", "alertEmail": "operator@example.com"}

BUDGET_AND_ALERTS: Final[Choices] = {
    "alertEmail": "operator@example.com",
    "errorPercentAlert": 7,
    "wrongKeysAlert": 1000,
    "erasureOverdueHours": 12,
    "monthlyBudget": 500,
    "budgetStartDate": "2026-11-01",
}

EVERYTHING: Final[Choices] = {
    **CLOSED_NETWORK,
    **GATEWAY,
    **BUDGET_AND_ALERTS,
    "resourceGroupName": "voices",
    "instanceMemoryMB": 4096,
    "maximumInstanceCount": 100,
    "alwaysReadyInstances": 2,
    "httpConcurrency": 8,
    "allowedHosts": "voices.example.com",
    "allowedOrigins": "https://app.example.com",
    "trustedHops": 2,
    "recordingHosts": "meetings.example.com",
    "console": True,
    "updateStrategy": "RollingUpdate",
    "zoneRedundant": True,
    "speakerModel": "another-1",
    "previousSpeakerModel": "ge2e-1",
    "strictAudio": True,
    "activation": True,
    "galleryMegabytes": 1024,
    "requestsPerSecond": 50,
    "workAtOnce": "3",
    "workWaiting": "5",
    "waitSeconds": "2.5",
    "voiceStorageRedundancy": "Standard_GZRS",
    "lockVoiceStorage": True,
    "keyVaultSku": "premium",
    "recoverKeyVault": True,
    "logRetentionDays": 90,
    "openTelemetry": True,
}

PRODUCTION: Final = _production()

SETS: Final[dict[str, Choices]] = {
    "default": DEFAULT,
    "closed network": CLOSED_NETWORK,
    "gateway": GATEWAY,
    "budget and alerts": BUDGET_AND_ALERTS,
    "everything": EVERYTHING,
    "production": PRODUCTION,
}
