"""What the app, its identity, the alerts and the gateway must be for the app's own promises to hold."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree

from shared import config
from shared.domain.limits import MAX_BODY_BYTES
from tests.infra.bicep import Infra
from tests.infra.promise import choice, output_of, promise, settings_of
from tests.service import REPOSITORY
from tools.package import PYTHON

LOCAL_SETTINGS: Final = {config.STORAGE.name, config.LOCAL_KEY.name}
"""Development only: a connection string is an account key, and a subscription made at start is nobody's."""

KEY_HEADER: Final = "Ocp-Apim-Subscription-Key"

PARAMETERS: Final = {
    "TIMBRE_MODEL": "speakerModel",
    "TIMBRE_STRICT_AUDIO": "strictAudio",
    "TIMBRE_ACTIVATION": "activation",
    "TIMBRE_GALLERY_MEGABYTES": "galleryMegabytes",
    "TIMBRE_REQUESTS_PER_SECOND": "requestsPerSecond",
    "TIMBRE_WAIT_SECONDS": "waitSeconds",
}
"""Settings with a default, and the parameters of main.bicep that have the same one."""

HOST_SETTINGS: Final = {
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__blobServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
    "AzureFunctionsJobHost__telemetryMode",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
}
"""What the Functions host and worker read."""

ROLES: Final = {
    ("hostStorage", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),  # Storage Blob Data Owner, which the host asks for
    ("voiceStorage", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),  # Storage Blob Data Contributor
    ("voiceStorage", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),  # Storage Table Data Contributor
    ("key", "e147488a-f6f5-4113-8e2d-b22465e65bf6"),  # Key Vault Crypto Service Encryption User
    ("applicationInsights", "3913510d-42f4-4e42-8a64-420c390055eb"),  # Monitoring Metrics Publisher
}
"""Ids of built-in roles, from Azure's own list."""

REFUSED_BY_FLEX: Final = {
    "alwaysOn", "ftpsState", "linuxFxVersion", "windowsFxVersion", "netFrameworkVersion", "pythonVersion",
    "use32BitWorkerProcess", "preWarmedInstanceCount", "minimumElasticInstanceCount", "functionAppScaleLimit",
    "functionsRuntimeScaleMonitoringEnabled", "appSettings",
}  # fmt: skip
"""Resource Manager answers these with error 51021 (azure-functions-host issue 10643, and the AVM module's list)."""


@promise
def the_identity_has_these_roles_and_no_others(infra: Infra) -> None:
    roles = infra.files["modules/roles.bicep"]
    given = set()
    for one in roles.resources.values():
        if not one.existing:
            assert one.type == "Microsoft.Authorization/roleAssignments"
            assert one.at("properties", "principalId") == "principalId"
            assert one.at("properties", "principalType") == "ServicePrincipal"
            role = one.at("properties", "roleDefinitionId", "function", "parameters", "resource_name_1")
            given.add((one.at("scope"), roles.variables[role]))
    assert given == ROLES
    assert len(infra.of_type("Microsoft.Authorization/roleAssignments")) == len(ROLES)
    assert roles.resources["key"].type == "Microsoft.KeyVault/vaults/keys"
    params = infra.main.modules["roles"].at("params")
    assert output_of(params["principalId"]) == ("identity", "principalId")
    assert output_of(params["voiceStorageName"]) == ("storageVoice", "name")
    assert output_of(params["hostStorageName"]) == ("storageHost", "name")


@promise
def the_app_runs_as_its_identity(infra: Infra) -> None:
    app = infra.resource("function-app", "app")
    assert app.at("identity") == {"type": "UserAssigned", "userAssignedIdentities": {"'${identityId}'": {}}}
    authentication = app.at("properties", "functionAppConfig", "deployment", "storage", "authentication")
    assert authentication == {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": "identityId"}
    settings = settings_of(infra)
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    for name in ("AzureWebJobsStorage__clientId", config.CLIENT_ID.name):
        assert settings[name] == "identityClientId"
    assert settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] == "ClientId=${identityClientId};Authorization=AAD"
    assert "roles" in infra.main.modules["functionApp"].at("dependsOn")


@promise
def the_plan_is_flex_consumption_with_the_packages_python(infra: Infra) -> None:
    assert infra.resource("function-app", "plan").at("sku") == {"name": "FC1", "tier": "FlexConsumption"}
    assert infra.resource("function-app", "plan").at("properties", "reserved") is True
    app = infra.resource("function-app", "app").at("properties")
    assert app["functionAppConfig"]["runtime"] == {"name": "python", "version": PYTHON}
    scale = app["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["instanceMemoryMB"] == "instanceMemoryMB"
    assert scale["maximumInstanceCount"] == "maximumInstanceCount"
    ready = [{"name": "http", "instanceCount": "alwaysReadyInstances"}]
    assert choice(scale["alwaysReady"])[1:] == ([], ready)
    assert scale["triggers"]["http"]["perInstanceConcurrency"] == "httpConcurrency"
    assert not REFUSED_BY_FLEX & set(app["siteConfig"])


@promise
def an_update_lets_requests_finish(infra: Infra) -> None:
    """``siteUpdateStrategy`` is known from API version 2024-11-01 on; Azure's own default cuts requests off."""
    app = infra.resource("function-app", "app")
    assert app.at("properties", "functionAppConfig", "siteUpdateStrategy") == {"type": "updateStrategy"}
    assert app.api_version >= "2024-11-01"
    assert infra.main.parameters["updateStrategy"]["default"] == "RollingUpdate"
    assert infra.main.modules["functionApp"].at("params", "updateStrategy") == "updateStrategy"


@promise
def no_line_is_left_out_of_the_log(infra: Infra) -> None:
    """An alarm is one line: neither the classic exporter nor OpenTelemetry's may sample it away."""
    settings = settings_of(infra)
    mode = choice(settings["AzureFunctionsJobHost__telemetryMode"])
    assert mode == ("openTelemetry", "OpenTelemetry", "ApplicationInsights")
    assert (settings["OTEL_TRACES_SAMPLER"], settings["OTEL_TRACES_SAMPLER_ARG"]) == (
        "microsoft.fixed_percentage",
        "1.0",
    )
    assert infra.main.parameters["openTelemetry"]["default"] is False
    assert infra.main.modules["functionApp"].at("params", "openTelemetry") == "openTelemetry"


@promise
def callers_come_by_https_and_nobody_publishes_with_a_password(infra: Infra) -> None:
    app = infra.resource("function-app", "app")
    assert app.at("properties", "httpsOnly") is True
    assert app.at("properties", "siteConfig", "minTlsVersion") in ("1.2", "1.3")
    policies = infra.of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {one.at("name"): one.at("properties", "allow") for one in policies} == {"scm": False, "ftp": False}


@promise
def the_app_gets_the_settings_that_it_reads(infra: Infra) -> None:
    """Both ways: nothing that shared/config.py reads is left out, and nothing is set that nobody reads."""
    known = {setting.name for setting in config.SETTINGS}
    assert known >= LOCAL_SETTINGS
    assert set(settings_of(infra)) == (known - LOCAL_SETTINGS) | HOST_SETTINGS


@promise
def the_settings_mean_what_the_app_expects(infra: Infra) -> None:
    settings = settings_of(infra)
    assert settings[config.KEY_ENCRYPTION.name] == "vault:${keyUri}"
    assert settings[config.MODEL.name] == "speakerModel"
    assert settings[config.TABLE_URI.name] == "voiceTableEndpoint"
    assert settings[config.BLOB_URI.name] == "voiceBlobEndpoint"
    assert {one.name for one in config.SETTINGS if one.default is not None} == set(PARAMETERS)
    for one in config.SETTINGS:
        if one.default is not None:
            default = infra.main.parameters[PARAMETERS[one.name]]["default"]
            assert str(default).lower() == one.default, one.name
            assert PARAMETERS[one.name] in str(settings[one.name]), one.name
        if one.default in ("true", "false"):
            assert "to_lower" in str(settings[one.name]), one.name  # Resource Manager writes True and False
    assert "'httpConcurrency'" in str(settings["PYTHON_THREADPOOL_THREAD_COUNT"])
    limit = int(settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"])
    assert MAX_BODY_BYTES < limit < 2 * MAX_BODY_BYTES


@promise
def a_person_is_told_of_what_matters(infra: Infra) -> None:
    rules = {one["name"]: one for one in infra.files["modules/alerts.bicep"].variables["rules"]}
    assert set(rules) == {"tamper", "retention-silent", "erasure-overdue", "audit-unwritten", "errors"}
    assert (rules["tamper"]["operator"], rules["tamper"]["threshold"]) == ("GreaterThan", 0)
    assert rules["tamper"]["severity"] == 0
    assert rules["tamper"]["heals"] is False
    silent = rules["retention-silent"]
    assert (silent["operator"], silent["threshold"], silent["window"]) == ("LessThan", 1, "PT30M")
    runs = infra.read("queries/retention-runs.kql")
    assert "AppTraces" in runs, "it is also the alarm for lines that no longer arrive"
    assert "AppRequests" not in runs, "the host's record arrives when the app's lines do not"
    assert rules["erasure-overdue"]["threshold"] == "erasureOverdueHours"
    assert rules["errors"]["threshold"] == "errorPercent"
    for one in rules.values():
        file = one["query"]["function"]["parameters"]["file_path"].removeprefix("../")
        assert one["column"] in infra.read(file), one["name"]
    rule = infra.resource("alerts", "queryRules").at("properties")
    assert rule["enabled"] is True
    assert rule["scopes"] == ["workspaceId"]
    assert "operators" in str(rule["actions"]["actionGroups"])
    assert infra.resource("alerts", "operators").at("properties", "emailReceivers")[0]["emailAddress"] == "email"


@promise
def the_gateway_leaves_keys_alone_and_hides_management(infra: Infra) -> None:
    api = infra.resource("api-management", "api").at("properties")
    assert api["subscriptionRequired"] is False
    assert api["subscriptionKeyParameterNames"]["header"] != KEY_HEADER
    assert api["path"] == ""
    policy = ElementTree.fromstring(infra.read("api-management-policy.xml"))
    condition = policy.find("./inbound/choose/when")
    assert condition is not None
    for prefix in ("manage", "admin", "runtime"):
        assert f'"{prefix}"' in condition.get("condition", "")
    assert condition.find("./return-response/set-status") is not None
    limit = policy.find("./inbound/rate-limit-by-key")
    assert limit is not None
    assert f'"{KEY_HEADER}"' in limit.get("counter-key", "")
    granted = 60 * infra.main.parameters["requestsPerSecond"]["default"]
    assert int(limit.get("calls", "0")) > granted, "the app says 429 in the API's own words, before the gateway does"
    assert limit.get("renewal-period") == "60"
    main = infra.main
    assert choice(main.modules["functionApp"].at("params", "publicUrl"))[1:] == ("ownUrl", "publicUrl")
    assert choice(main.variables["ownUrl"]) == ("withApiManagement", "apiManagementUrl", "")
    assert main.variables["apiManagementUrl"] == "https://${apiManagementName}.azure-api.net"
    assert main.modules["apiManagement"].at("params", "name") == "apiManagementName"
    assert output_of(main.modules["apiManagement"].at("params", "backendUrl")) == ("functionApp", "url")


@promise
def what_costs_money_is_chosen(infra: Infra) -> None:
    defaults = {name: one.get("default") for name, one in infra.main.parameters.items()}
    assert defaults["vnetEnabled"] is False
    assert defaults["apiManagementSku"] == "None"
    assert defaults["alwaysReadyInstances"] == 0
    assert defaults["zoneRedundant"] is False
    assert defaults["maximumInstanceCount"] == 40
    for module in ("apiManagement", "budget"):
        assert infra.main.modules[module].is_conditional, module


@promise
def azd_finds_what_it_deploys_to(infra: Infra) -> None:
    assert infra.main.variables["tags"] == {"'azd-env-name'": "environmentName"}
    tags = infra.resource("function-app", "app").at("tags", "function", "parameters", "arg_2")
    service = tags["'azd-service-name'"]
    assert f"\n  {service}:\n" in (REPOSITORY / "azure.yaml").read_text(encoding="utf-8")
