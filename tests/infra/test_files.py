"""What stands beside the Bicep files fits them: parameters, the sample of settings, azd's file, the README."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from shared import config
from shared.config import SETTINGS
from tests.infra.template import INFRA, Infra
from tests.service import REPOSITORY

AZD: Final = {"environmentName": "${AZURE_ENV_NAME}", "location": "${AZURE_LOCATION}"}
"""What azd asks for; it has no default."""

AZD_OUTPUTS: Final = re.compile(r"[A-Z][A-Z_]*")

LOCAL_HOST_SETTINGS: Final = {"AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME", "PYTHON_THREADPOOL_THREAD_COUNT"}
LOCAL_MANAGEMENT_KEY: Final = "TIMBRE_LOCAL_MANAGEMENT_KEY"


def test_the_parameter_file_is_complete(infra: Infra) -> None:
    """azd passes what stands there: a default that differed from the template's would win over it."""
    values = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    parameters = infra.template["parameters"]
    assert set(values) == set(parameters)
    for name, value in values.items():
        default = parameters[name].get("defaultValue")
        if name in AZD:
            assert (value["value"], default) == (AZD[name], None)
        else:
            match = re.fullmatch(r"\$\{([A-Z_]+)=(.*)\}", value["value"])
            assert match is not None, name
            assert match[2] == (str(default).lower() if isinstance(default, bool) else str(default)), name


def test_the_outputs_of_main_become_environment_variables(infra: Infra) -> None:
    assert all(AZD_OUTPUTS.fullmatch(name) for name in infra.template["outputs"])


def test_the_sample_of_local_settings_sets_what_the_app_reads_and_nothing_else() -> None:
    values: dict[str, Any] = json.loads((REPOSITORY / "local.settings.sample.json").read_text())["Values"]
    known = {one.name for one in SETTINGS}
    assert set(values) <= known | LOCAL_HOST_SETTINGS | {LOCAL_MANAGEMENT_KEY}
    required = {config.STORAGE.name, config.KEY_ENCRYPTION.name, config.LOCAL_KEY.name}
    assert required <= set(values)


def test_azd_packages_before_it_deploys() -> None:
    text = (REPOSITORY / "azure.yaml").read_text(encoding="utf-8")
    hook = text[text.index("prepackage:") :]
    assert hook.count("dev.py package") == 2  # posix and windows
    assert "remoteBuild: false" in text
    assert "dist: build/package" in text


def test_the_readme_lists_every_choice(infra: Infra) -> None:
    text = (INFRA / "README.md").read_text(encoding="utf-8")
    shown = text[text.index("<!-- parameters -->") : text.index("<!-- /parameters -->")]
    assert shown.strip().splitlines()[1:] == list(_choices(infra))


def _choices(infra: Infra) -> Iterator[str]:
    """The table of README.md: what azd's environment can set."""
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    values = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    for name, value in values.items():
        if name not in AZD:
            variable, default = value["value"].strip("${}").split("=")
            meaning = infra.template["parameters"][name]["metadata"]["description"]
            yield f"| `{variable}` | {f'`{default}`' if default else ''} | {meaning} |"
