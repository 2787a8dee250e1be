"""checkov reads every file, and finds nothing but what is meant to be so.

checkov 3.3.30 pins pycep 0.5.1 and weighs 290 MB, so it is not part of the development environment. To run this test:

    python3 -m venv build/checkov && build/checkov/bin/pip install checkov==3.3.30
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.infra.bicep import INFRA
from tests.service import REPOSITORY

_APP = "Flex Consumption refuses or ignores this property; the settings resource is taken for a web app's configuration"
_OPEN = "the API is there for callers; keys guard it, and allowedAddressRanges can narrow it"
_NETWORK = "closed with vnetEnabled; without it identities alone open the account, and checkov cannot follow the choice"

MEANT: Final = {
    "CKV_AZURE_13": _APP,  # App Service authentication: the subscription keys are checked by the app
    "CKV_AZURE_17": "callers bring keys, as the retired API's did, not client certificates",
    "CKV_AZURE_18": _APP,  # HTTP/2
    "CKV_AZURE_35": _NETWORK,
    "CKV_AZURE_63": _APP,  # HTTP logging
    "CKV_AZURE_65": _APP,  # detailed error messages
    "CKV_AZURE_66": _APP,  # failed request tracing
    "CKV_AZURE_67": _APP,  # HTTP/2
    "CKV_AZURE_78": _APP,  # ftpsState; publishing by password is off
    "CKV_AZURE_80": _APP,  # .NET version
    "CKV_AZURE_88": _APP,  # Azure Files
    "CKV_AZURE_107": _OPEN,  # API Management in a virtual network
    "CKV_AZURE_109": _NETWORK,
    "CKV_AZURE_112": "a hardware-backed key is keyVaultSku = premium; checkov cannot follow the choice",
    "CKV_AZURE_174": _OPEN,  # API Management without public access
    "CKV_AZURE_206": "copies of biometric data in a second region are chosen, not given (voiceStorageRedundancy)",
    "CKV_AZURE_212": "Flex Consumption scales by itself; alwaysReadyInstances keeps some warm",
    "CKV_AZURE_213": _APP,  # health check
    "CKV_AZURE_222": _OPEN,
    "CKV_AZURE_225": "zones cost instances and are not in every region: zoneRedundant",
}


def _checkov() -> str:
    own = REPOSITORY / "build/checkov/bin/checkov"
    found = str(own) if own.exists() else shutil.which("checkov")
    if found is None:
        pytest.skip("needs checkov 3.3.30 on the path or in build/checkov (this file says how)")
    return found


def test_checkov_finds_only_what_is_meant(tmp_path: Path) -> None:
    # --skip-download: without it checkov asks a server for its guidelines, and retries for half a minute.
    command = [_checkov(), "-d", str(INFRA), "--framework", "bicep", "--skip-download", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    report = json.loads(done.stdout)
    assert report["results"]["parsing_errors"] == []
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 30, "checkov has seen the files"
    failed = {check["check_id"] for check in report["results"]["failed_checks"]}
    assert failed <= set(MEANT), failed - set(MEANT)
    assert set(MEANT) <= failed, f"no longer found: {set(MEANT) - failed}"
