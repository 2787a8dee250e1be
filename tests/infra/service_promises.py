"""What the app, its identity, the alerts and the gateway must be for the app's own promises to hold."""

from __future__ import annotations

from typing import Any, Final
from xml.etree import ElementTree

from shared import config
from shared.domain.limits import MAX_BODY_BYTES
from tests import azure_host
from tests.infra.choices import BUDGET_AND_ALERTS, CLOSED_NETWORK, DEFAULT, EVERYTHING, GATEWAY
from tests.infra.promise import VAULTS, every_prediction, host_account, owner_of, promise, settings_of, voice_account
from tests.infra.template import Choices, Infra, Prediction
from tests.service import REPOSITORY
from tools.package import PYTHON

LOCAL_SETTINGS: Final = {config.STORAGE.name, config.LOCAL_KEY.name, config.OWN_HOST.name}
"""Not for infra to set: an account key, the subscription that a start makes, and Azure's own name of the app."""

KEY_HEADER: Final = "Ocp-Apim-Subscription-Key"

CHOSEN: Final = {
    config.MODEL.name: "another-1",
    config.PREVIOUS_MODEL.name: "ge2e-1",
    config.ALLOWED_HOSTS.name: "voices.example.com",
    config.STRICT_AUDIO.name: "true",
    config.ACTIVATION.name: "true",
    config.GALLERY_MEGABYTES.name: "1024",
    config.REQUESTS_PER_SECOND.name: "50",
    config.AT_ONCE.name: "3",
    config.WAITING.name: "5",
    config.WAIT_SECONDS.name: "2.5",
}
"""What the app has to be told when everything is chosen."""

HOST_SETTINGS: Final = {
    "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId", "AzureWebJobsStorage__blobServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AzureFunctionsJobHost__telemetryMode", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG",
    *azure_host.HOST_SETTINGS,
}  # fmt: skip
"""What the Functions host and worker read."""

REFUSED_BY_FLEX: Final = {
    "alwaysOn", "ftpsState", "linuxFxVersion", "windowsFxVersion", "netFrameworkVersion", "pythonVersion",
    "use32BitWorkerProcess", "preWarmedInstanceCount", "minimumElasticInstanceCount", "functionAppScaleLimit",
    "functionsRuntimeScaleMonitoringEnabled", "appSettings",
}  # fmt: skip
"""Resource Manager answers these with error 51021 (azure-functions-host issue 10643, and the AVM module's list)."""


def _roles(prediction: Prediction) -> set[tuple[str, str]]:
    """Scope and role of all that may be done; ids of built-in roles are from Azure's own list."""
    voices, host = voice_account(prediction).id, host_account(prediction).id
    return {
        (host, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),  # Storage Blob Data Owner, which the host asks for
        (voices, "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),  # Storage Blob Data Contributor
        (voices, "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),  # Storage Table Data Contributor
        (
            prediction.only("Microsoft.KeyVault/vaults/keys").id,
            "e147488a-f6f5-4113-8e2d-b22465e65bf6",  # Key Vault Crypto Service Encryption User
        ),
        (
            prediction.only("Microsoft.Insights/components").id,
            "3913510d-42f4-4e42-8a64-420c390055eb",  # Monitoring Metrics Publisher
        ),
    }


@promise
def the_identity_has_these_roles_and_no_others(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        assignments = prediction.of_type("Microsoft.Authorization/roleAssignments")
        given = []
        for assignment in assignments:
            principal = owner_of(assignment.at("properties", "principalId"), "principalId")
            assert principal == prediction.only("Microsoft.ManagedIdentity/userAssignedIdentities").id
            assert assignment.at("properties", "principalType") == "ServicePrincipal"
            scope = assignment.id.split("/providers/Microsoft.Authorization/")[0]
            given.append((scope, assignment.at("properties", "roleDefinitionId").rsplit("/", 1)[1]))
        assert sorted(given) == sorted(_roles(prediction))


@promise
def the_app_runs_as_its_identity(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        identity = prediction.only("Microsoft.ManagedIdentity/userAssignedIdentities").id
        app = prediction.only("Microsoft.Web/sites")
        assert app.at("identity") == {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
        assert app.at("properties", "functionAppConfig", "deployment", "storage", "authentication") == {
            "type": "UserAssignedIdentity",
            "userAssignedIdentityResourceId": identity,
        }
        settings = settings_of(prediction)
        assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
        for name in ("AzureWebJobsStorage__clientId", config.CLIENT_ID.name):
            assert owner_of(settings[name], "clientId") == identity
        client_id = settings[config.CLIENT_ID.name].strip("[]")
        telemetry = settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
        assert telemetry == f"[format('ClientId={{0}};Authorization=AAD', {client_id})]"


@promise
def what_is_named_is_there_before(infra: Infra) -> None:
    """A name that main.bicep makes up itself says nothing about the order."""
    assert infra.waits_for("roles") >= {"identity", "storageHost", "storageVoice", "keyVault", "monitoring"}
    assert infra.waits_for("privateEndpoints") >= {"network", "storageHost", "storageVoice", "keyVault"}
    assert infra.waits_for("functionApp") >= {"roles", "privateEndpoints"}


@promise
def a_preview_knows_every_resource(infra: Infra) -> None:
    """An id with a value that only Azure knows is left out of a preview, with all that stands below it."""
    for prediction in every_prediction(infra):
        for resource in prediction.resources:
            assert "reference(" not in resource.id


@promise
def the_plan_is_flex_consumption_with_the_packages_python(infra: Infra) -> None:
    for choices, memory, most, ready, at_once in (
        (DEFAULT, 2048, 40, [], 4),
        (EVERYTHING, 4096, 100, [{"name": "http", "instanceCount": 2}], 8),
    ):
        prediction = infra.predicted(choices)
        plan = prediction.only("Microsoft.Web/serverfarms")
        assert plan.at("sku") == {"name": "FC1", "tier": "FlexConsumption"}
        assert plan.at("properties", "reserved") is True
        app = prediction.only("Microsoft.Web/sites").at("properties")
        assert app["functionAppConfig"]["runtime"] == {"name": "python", "version": PYTHON}
        scale = app["functionAppConfig"]["scaleAndConcurrency"]
        assert (scale["instanceMemoryMB"], scale["maximumInstanceCount"]) == (memory, most)
        assert scale["alwaysReady"] == ready
        assert scale["triggers"]["http"]["perInstanceConcurrency"] == at_once
        assert not REFUSED_BY_FLEX & set(app["siteConfig"])


@promise
def an_update_is_made_as_chosen(infra: Infra) -> None:
    """Rolling updates are a preview, which Microsoft does not recommend for production: nobody gets it unasked."""
    for choices, strategy in ((DEFAULT, "Recreate"), (EVERYTHING, "RollingUpdate")):
        app = infra.predicted(choices).only("Microsoft.Web/sites")
        assert app.at("properties", "functionAppConfig", "siteUpdateStrategy") == {"type": strategy}


@promise
def no_line_is_left_out_of_the_log(infra: Infra) -> None:
    """An alarm is one line: neither the classic exporter nor OpenTelemetry's may sample it away."""
    for choices, mode in ((DEFAULT, "ApplicationInsights"), (EVERYTHING, "OpenTelemetry")):
        settings = settings_of(infra.predicted(choices))
        assert settings["AzureFunctionsJobHost__telemetryMode"] == mode
        sampler = (settings["OTEL_TRACES_SAMPLER"], settings["OTEL_TRACES_SAMPLER_ARG"])
        assert sampler == ("microsoft.fixed_percentage", "1.0")


@promise
def callers_come_by_https_and_nobody_publishes_with_a_password(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        app = prediction.only("Microsoft.Web/sites")
        assert app.at("properties", "httpsOnly") is True
        assert app.at("properties", "siteConfig", "minTlsVersion") in ("1.2", "1.3")
        for way in ("scm", "ftp"):
            policy = prediction.with_id(f"{app.id}/basicPublishingCredentialsPolicies/{way}")
            assert policy.at("properties", "allow") is False


@promise
def only_the_ranges_that_are_allowed_may_call(infra: Infra) -> None:
    for choices, ranges, otherwise in ((DEFAULT, None, None), (CLOSED_NETWORK, ["203.0.113.0/24"], "Deny")):
        site = infra.predicted(choices).only("Microsoft.Web/sites").at("properties", "siteConfig")
        allowed = site["ipSecurityRestrictions"]
        assert ranges == (allowed and [each["ipAddress"] for each in allowed if each["action"] == "Allow"])
        assert site["ipSecurityRestrictionsDefaultAction"] == otherwise


@promise
def the_app_gets_the_settings_that_it_reads(infra: Infra) -> None:
    """Both ways: nothing that shared/config.py reads is left out, and nothing is set that nobody reads."""
    known = {setting.name for setting in config.SETTINGS}
    assert known >= LOCAL_SETTINGS
    for prediction in every_prediction(infra):
        assert set(settings_of(prediction)) == (known - LOCAL_SETTINGS) | HOST_SETTINGS


@promise
def the_settings_mean_what_the_app_expects(infra: Infra) -> None:
    settings = settings_of(infra.predicted(DEFAULT))
    for setting in config.SETTINGS:
        if setting.default is not None:
            assert settings[setting.name] == setting.default, setting.name
    chosen = settings_of(infra.predicted(EVERYTHING))
    assert CHOSEN.items() <= chosen.items()
    for name, value in (("speakerModel", "ge2e-1"), ("previousSpeakerModel", "none")):
        assert settings_of(infra.predicted({name: value}))[config.PREVIOUS_MODEL.name] == "none"
    apart = settings_of(infra.predicted({"strictAudio": True}))
    assert (apart[config.STRICT_AUDIO.name], apart[config.ACTIVATION.name]) == ("true", "false")
    for choices, at_once in ((DEFAULT, 4), (EVERYTHING, 8)):
        threads = settings_of(infra.predicted(choices))["PYTHON_THREADPOOL_THREAD_COUNT"]
        assert int(threads) > at_once, "requests that only read storage need threads too"
    assert int(settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"]) == 8 * MAX_BODY_BYTES
    assert {name: settings[name] for name in azure_host.HOST_SETTINGS} == azure_host.HOST_SETTINGS


@promise
def a_person_is_told_of_what_matters(infra: Infra) -> None:
    prediction = infra.predicted(BUDGET_AND_ALERTS)
    rules = _rules(prediction)
    assert set(rules) == {"tamper", "retention-silent", "erasure-overdue", "audit-unwritten", "errors"}
    assert _condition(rules["tamper"]) == ("GreaterThan", 0)
    assert (rules["tamper"]["severity"], rules["tamper"]["autoMitigate"]) == (0, False)
    silent = rules["retention-silent"]
    assert (*_condition(silent), silent["windowSize"]) == ("LessThan", 1, "PT30M")
    runs = _criterion(silent)["query"]
    assert "AppTraces" in runs, "it is also the alarm for lines that no longer arrive"
    assert "AppRequests" not in runs, "the host's record arrives when the app's lines do not"
    assert _condition(rules["erasure-overdue"]) == ("GreaterThan", BUDGET_AND_ALERTS["erasureOverdueHours"])
    assert _condition(rules["errors"]) == ("GreaterThan", BUDGET_AND_ALERTS["errorPercentAlert"])
    operators = prediction.only("Microsoft.Insights/actionGroups")
    assert operators.at("properties", "emailReceivers")[0]["emailAddress"] == BUDGET_AND_ALERTS["alertEmail"]
    for rule in rules.values():
        assert (_criterion(rule)["metricMeasureColumn"] or "") in _criterion(rule)["query"]
        assert rule["enabled"] is True
        assert rule["scopes"] == [prediction.only("Microsoft.OperationalInsights/workspaces").id]
        assert rule["actions"]["actionGroups"] == [operators.id]
    assert set(_rules(infra.predicted(DEFAULT))) == set(rules), "without an e-mail address they show in the portal"


def _rules(prediction: Prediction) -> dict[str, dict[str, Any]]:
    rules = prediction.of_type("Microsoft.Insights/scheduledQueryRules")
    return {rule.id.split("/alert-")[1].rsplit("-", 1)[0]: rule.at("properties") for rule in rules}


def _criterion(rule: dict[str, Any]) -> dict[str, Any]:
    (criterion,) = rule["criteria"]["allOf"]
    assert isinstance(criterion, dict)
    return criterion


def _condition(rule: dict[str, Any]) -> tuple[str, int]:
    return _criterion(rule)["operator"], _criterion(rule)["threshold"]


@promise
def the_gateway_leaves_keys_alone_and_hides_management(infra: Infra) -> None:
    prediction = infra.predicted(GATEWAY)
    gateway = prediction.only("Microsoft.ApiManagement/service")
    api = prediction.with_id(gateway.id + "/apis/timbre")
    assert api.at("properties", "subscriptionRequired") is False
    assert api.at("properties", "subscriptionKeyParameterNames", "header") != KEY_HEADER
    assert api.at("properties", "path") == ""
    assert prediction.only("Microsoft.Web/sites").id in api.at("properties", "serviceUrl")
    policy = ElementTree.fromstring(prediction.with_id(api.id + "/policies/policy").at("properties", "value"))
    condition = policy.find("./inbound/choose/when")
    assert condition is not None
    for prefix in ("manage", "admin", "runtime"):
        assert f'"{prefix}"' in condition.get("condition", "")
    assert condition.find("./return-response/set-status") is not None
    limit = policy.find("./inbound/rate-limit-by-key")
    assert limit is not None
    assert f'"{KEY_HEADER}"' in limit.get("counter-key", "")
    granted = 60 * int(settings_of(prediction)[config.REQUESTS_PER_SECOND.name])
    assert int(limit.get("calls", "0")) > granted, "the app says 429 in the API's own words, before the gateway does"
    assert limit.get("renewal-period") == "60"


@promise
def callers_are_told_one_address(infra: Infra) -> None:
    """What callers reach: the app, the gateway in front of it, or a gateway of the operator's own."""
    own = infra.predicted(DEFAULT)
    assert settings_of(own)[config.PUBLIC_URL.name] == ""
    assert own.outputs["TIMBRE_URL"] == own.outputs["TIMBRE_MANAGEMENT_URL"]
    with_gateway = infra.predicted(GATEWAY)
    address = f"https://{with_gateway.only('Microsoft.ApiManagement/service').at('name')}.azure-api.net"
    assert settings_of(with_gateway)[config.PUBLIC_URL.name] == with_gateway.outputs["TIMBRE_URL"] == address
    chosen: Choices = {**GATEWAY, "publicUrl": "https://voices.example.com"}
    theirs = infra.predicted(chosen)
    assert settings_of(theirs)[config.PUBLIC_URL.name] == theirs.outputs["TIMBRE_URL"] == chosen["publicUrl"]


@promise
def what_costs_money_is_chosen(infra: Infra) -> None:
    prediction = infra.predicted(DEFAULT)
    for resource in prediction.resources:
        assert not resource.type.startswith(
            ("Microsoft.Network/", "Microsoft.ApiManagement/", "Microsoft.Consumption/")
        )
    scale = prediction.only("Microsoft.Web/sites").at("properties", "functionAppConfig", "scaleAndConcurrency")
    assert (scale["alwaysReady"], scale["maximumInstanceCount"]) == ([], 40)
    assert prediction.only("Microsoft.Web/serverfarms").at("properties", "zoneRedundant") is False
    assert prediction.only(VAULTS).at("properties", "sku", "name") == "standard"


@promise
def a_budget_is_kept_where_all_of_it_is_said(infra: Infra) -> None:
    budget = infra.predicted(BUDGET_AND_ALERTS).only("Microsoft.Consumption/budgets").at("properties")
    assert (budget["amount"], budget["timePeriod"]["startDate"]) == (500, "2026-11-01")
    for notice in budget["notifications"].values():
        assert (notice["enabled"], notice["contactEmails"]) == (True, [BUDGET_AND_ALERTS["alertEmail"]])
    for missing in ("alertEmail", "monthlyBudget", "budgetStartDate"):
        rest = {name: value for name, value in BUDGET_AND_ALERTS.items() if name != missing}
        assert not infra.predicted(rest).of_type("Microsoft.Consumption/budgets"), missing


@promise
def azd_finds_what_it_deploys_to(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        environment = {"azd-env-name": "test"}
        assert prediction.only("Microsoft.Resources/resourceGroups").at("tags") == environment
        tags = prediction.only("Microsoft.Web/sites").at("tags")
        assert tags == {**environment, "azd-service-name": tags["azd-service-name"]}
        service = f"\n  {tags['azd-service-name']}:\n"
        assert service in (REPOSITORY / "azure.yaml").read_text(encoding="utf-8")


@promise
def what_has_a_place_has_the_environments_tag(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        for resource in prediction.resources:
            if resource.at("location") is not None:
                assert resource.at("tags", "azd-env-name") == "test", resource.id
