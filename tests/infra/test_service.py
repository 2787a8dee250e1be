"""What the app, its identity, the alerts and the gateway must be for the app's own promises to hold."""

from __future__ import annotations

from typing import Any, Final
from xml.etree import ElementTree

import pytest

from shared import config
from shared.domain.limits import MAX_BODY_BYTES
from tests import azure_host
from tests.infra.choices import BUDGET_AND_ALERTS, CLOSED_NETWORK, DEFAULT, EVERYTHING, GATEWAY, PRODUCTION
from tests.infra.template import Choices, Infra, Prediction, owner_of
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
    config.CONSOLE.name: "true",
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


def test_the_identity_has_these_roles_and_no_others(prediction: Prediction) -> None:
    roles = []
    for assignment in prediction.of_type("Authorization/roleAssignments"):
        assert owner_of(assignment.at("properties.principalId"), "principalId") == prediction.identity
        assignment.must_have({"principalType": "ServicePrincipal"})
        role = assignment.at("properties.roleDefinitionId").rsplit("/", 1)[1]
        roles.append((assignment.id.split("/providers/Microsoft.Authorization/")[0], role))
    assert sorted(roles) == sorted(  # ids of built-in roles are from Azure's own list
        [
            # Storage Blob Data Owner, which the host asks for
            (prediction.host.id, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
            # Storage Blob Data Contributor
            (prediction.voices.id, "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
            # Storage Table Data Contributor
            (prediction.voices.id, "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),
            # Key Vault Crypto Service Encryption User
            (prediction.only("KeyVault/vaults/keys").id, "e147488a-f6f5-4113-8e2d-b22465e65bf6"),
            # Monitoring Metrics Publisher
            (prediction.only("Insights/components").id, "3913510d-42f4-4e42-8a64-420c390055eb"),
        ]
    )


def test_the_app_runs_as_its_identity(prediction: Prediction) -> None:
    app, identity, settings = prediction.only("Web/sites"), prediction.identity, prediction.settings
    assert app.at("identity") == {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    authentication = {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": identity}
    app.must_have({"functionAppConfig.deployment.storage.authentication": authentication})
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    for name in ("AzureWebJobsStorage__clientId", config.CLIENT_ID.name):
        assert owner_of(settings[name], "clientId") == identity
    client_id = settings[config.CLIENT_ID.name].strip("[]")
    telemetry = settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    assert telemetry == f"[format('ClientId={{0}};Authorization=AAD', {client_id})]"


def test_what_is_named_is_there_before(infra: Infra) -> None:
    """A name that main.bicep makes up itself says nothing about the order."""
    assert infra.waits_for("roles") >= {"identity", "storageHost", "storageVoice", "keyVault", "monitoring"}
    assert infra.waits_for("privateEndpoints") >= {"network", "storageHost", "storageVoice", "keyVault"}
    assert infra.waits_for("functionApp") >= {"roles", "privateEndpoints"}


def test_a_preview_knows_every_resource(prediction: Prediction) -> None:
    """An id with a value that only Azure knows is left out of a preview, with all that stands below it."""
    assert [resource.id for resource in prediction.resources if "reference(" in resource.id] == []


@pytest.mark.parametrize(
    ("choices", "memory", "most", "ready", "at_once"),
    [(DEFAULT, 2048, 40, [], 4), (EVERYTHING, 4096, 100, [{"name": "http", "instanceCount": 2}], 8)],
)
def test_the_plan_is_flex_consumption_with_the_packages_python(
    infra: Infra, choices: Choices, memory: int, most: int, ready: list[object], at_once: int
) -> None:
    prediction = infra.predicted(choices)
    plan, app = prediction.only("Web/serverfarms"), prediction.only("Web/sites")
    assert plan.at("sku") == {"name": "FC1", "tier": "FlexConsumption"}
    plan.must_have({"reserved": True})
    scale = "functionAppConfig.scaleAndConcurrency"
    app.must_have(
        {
            "functionAppConfig.runtime": {"name": "python", "version": PYTHON},
            f"{scale}.instanceMemoryMB": memory,
            f"{scale}.maximumInstanceCount": most,
            f"{scale}.alwaysReady": ready,
            f"{scale}.triggers.http.perInstanceConcurrency": at_once,
        }
    )
    assert not REFUSED_BY_FLEX & set(app.at("properties.siteConfig"))


@pytest.mark.parametrize(("choices", "strategy"), [(DEFAULT, "Recreate"), (EVERYTHING, "RollingUpdate")])
def test_an_update_is_made_as_chosen(infra: Infra, choices: Choices, strategy: str) -> None:
    """Rolling updates are a preview, which Microsoft does not recommend for production: nobody gets it unasked."""
    infra.predicted(choices).only("Web/sites").must_have({"functionAppConfig.siteUpdateStrategy.type": strategy})


@pytest.mark.parametrize(("choices", "mode"), [(DEFAULT, "ApplicationInsights"), (EVERYTHING, "OpenTelemetry")])
def test_no_line_is_left_out_of_the_log(infra: Infra, choices: Choices, mode: str) -> None:
    """An alarm is a line: neither the classic exporter nor OpenTelemetry's may sample it away."""
    assert infra.predicted(choices).settings.items() >= {
        ("AzureFunctionsJobHost__telemetryMode", mode),
        ("OTEL_TRACES_SAMPLER", "microsoft.fixed_percentage"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.0"),
    }


def test_callers_come_by_https_and_nobody_publishes_with_a_password(prediction: Prediction) -> None:
    app = prediction.only("Web/sites")
    app.must_have({"httpsOnly": True, "siteConfig.minTlsVersion": "1.2"})
    for way in ("scm", "ftp"):
        prediction.with_id(f"{app.id}/basicPublishingCredentialsPolicies/{way}").must_have({"allow": False})


def test_only_the_ranges_that_are_allowed_may_call(infra: Infra) -> None:
    for choices, ranges, otherwise in (
        (DEFAULT, None, None),
        (CLOSED_NETWORK, ["203.0.113.0/24", "2001:db8::/32"], "Deny"),
    ):
        site = infra.predicted(choices).only("Web/sites").at("properties.siteConfig")
        allowed = site["ipSecurityRestrictions"]
        assert ranges == (allowed and [each["ipAddress"] for each in allowed if each["action"] == "Allow"])
        assert site["ipSecurityRestrictionsDefaultAction"] == otherwise


def test_the_app_gets_the_settings_that_it_reads(prediction: Prediction) -> None:
    """Both ways: nothing that shared/config.py reads is left out, and nothing is set that nobody reads."""
    known = {setting.name for setting in config.SETTINGS}
    assert set(prediction.settings) == (known - LOCAL_SETTINGS) | HOST_SETTINGS


def test_the_settings_mean_what_the_app_expects(infra: Infra) -> None:
    settings, chosen = infra.predicted(DEFAULT).settings, infra.predicted(EVERYTHING).settings
    defaults = {setting.name: setting.default for setting in config.SETTINGS if setting.default is not None}
    assert defaults.items() <= settings.items()
    assert CHOSEN.items() <= chosen.items()
    for name, value in (("speakerModel", "ge2e-1"), ("previousSpeakerModel", "none")):
        assert infra.predicted({name: value}).settings[config.PREVIOUS_MODEL.name] == "none"
    strict = infra.predicted({"strictAudio": True}).settings
    assert (strict[config.STRICT_AUDIO.name], strict[config.ACTIVATION.name]) == ("true", "false")
    for each, at_once in ((settings, 4), (chosen, 8)):
        assert int(each["PYTHON_THREADPOOL_THREAD_COUNT"]) > at_once, "requests that only read storage need threads too"
    assert int(settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"]) == 8 * MAX_BODY_BYTES
    assert azure_host.HOST_SETTINGS.items() <= settings.items()


def test_production_names_the_pages_that_may_read_answers(infra: Infra) -> None:
    """As it stands no page may: whoever leaves the example in place has closed too much, not too little."""
    settings = infra.predicted(PRODUCTION).settings
    assert settings[config.ALLOWED_ORIGINS.name] == "https://app.example.com"
    assert settings[config.TRUSTED_HOPS.name] == "1", (
        "Azure's host hands on one address (docs/decisions/http-streams.md)"
    )


def test_a_person_is_told_of_what_matters(infra: Infra) -> None:
    prediction = infra.predicted(BUDGET_AND_ALERTS)
    operators = prediction.only("Insights/actionGroups")
    assert operators.at("properties.emailReceivers")[0]["emailAddress"] == BUDGET_AND_ALERTS["alertEmail"]
    rules = _rules(prediction)
    conditions = {}
    for name, rule in rules.items():
        (criterion,) = rule["criteria"]["allOf"]
        conditions[name] = (criterion["operator"], criterion["threshold"])
        assert (criterion["metricMeasureColumn"] or "") in criterion["query"]
        assert rule["enabled"] is True
        assert rule["scopes"] == [prediction.only("OperationalInsights/workspaces").id]
        assert rule["actions"]["actionGroups"] == [operators.id]
    assert conditions == {
        "tamper": ("GreaterThan", 0),
        "retention-silent": ("LessThan", 1),
        "erasure-overdue": ("GreaterThan", BUDGET_AND_ALERTS["erasureOverdueHours"]),
        "audit-unwritten": ("GreaterThan", 0),
        "clock-wrong": ("GreaterThan", 0),
        "errors": ("GreaterThan", BUDGET_AND_ALERTS["errorPercentAlert"]),
        "wrong-keys": ("GreaterThan", BUDGET_AND_ALERTS["wrongKeysAlert"]),
        "worker-restarts": ("GreaterThan", 0),
    }
    assert (rules["tamper"]["severity"], rules["tamper"]["autoMitigate"]) == (0, False)
    assert rules["retention-silent"]["windowSize"] == "PT30M"
    runs = rules["retention-silent"]["criteria"]["allOf"][0]["query"]
    assert "AppTraces" in runs, "it is also the alarm for lines that no longer arrive"
    assert "AppRequests" not in runs, "the host's record arrives when the app's lines do not"
    assert set(_rules(infra.predicted(DEFAULT))) == set(rules), "without an e-mail address they show in the portal"


def _rules(prediction: Prediction) -> dict[str, dict[str, Any]]:
    rules = prediction.of_type("Insights/scheduledQueryRules")
    return {rule.id.split("/alert-")[1].rsplit("-", 1)[0]: rule.at("properties") for rule in rules}


def test_the_gateway_leaves_keys_alone_and_hides_management(infra: Infra) -> None:
    prediction = infra.predicted(GATEWAY)
    api = prediction.with_id(prediction.only("ApiManagement/service").id + "/apis/timbre")
    api.must_have({"subscriptionRequired": False, "path": ""})
    assert api.at("properties.subscriptionKeyParameterNames.header") != KEY_HEADER
    assert prediction.only("Web/sites").id in api.at("properties.serviceUrl")
    policy = ElementTree.fromstring(prediction.with_id(f"{api.id}/policies/policy").at("properties.value"))
    condition = policy.find("./inbound/choose/when")
    assert condition is not None
    for prefix in ("manage", "admin", "runtime"):
        assert f'"{prefix}"' in condition.get("condition", "")
    assert condition.find("./return-response/set-status") is not None


def test_the_gateway_counts_addresses_before_keys(infra: Infra) -> None:
    """A key that is made up for each request is never counted twice; nor may a header name another caller's counter."""
    prediction = infra.predicted(GATEWAY)
    policy = ElementTree.fromstring(prediction.only("ApiManagement/service/apis/policies").at("properties.value"))
    address, key = policy.findall("./inbound/rate-limit-by-key")
    assert address.get("counter-key") == '@("address:" + context.Request.IpAddress)'
    assert str(key.get("counter-key")).startswith(
        f'@("key:" + context.Request.Headers.GetValueOrDefault("{KEY_HEADER}"'
    )
    granted = 60 * int(prediction.settings[config.REQUESTS_PER_SECOND.name])
    for limit in (address, key):
        assert int(limit.get("calls", "0")) > granted, "the app says 429 in the API's own words, before the gateway"
        assert limit.get("renewal-period") == "60"


def test_callers_are_told_one_address(infra: Infra) -> None:
    """What callers reach: the app, the gateway in front of it, or a gateway of the operator's own."""
    own, gateway = infra.predicted(DEFAULT), infra.predicted(GATEWAY)
    assert own.settings[config.PUBLIC_URL.name] == ""
    assert own.outputs["TIMBRE_URL"] == own.outputs["TIMBRE_MANAGEMENT_URL"]
    theirs = infra.predicted({**GATEWAY, "publicUrl": "https://voices.example.com"})
    address = f"https://{gateway.only('ApiManagement/service').at('name')}.azure-api.net"
    for prediction, url in ((gateway, address), (theirs, "https://voices.example.com")):
        assert prediction.settings[config.PUBLIC_URL.name] == prediction.outputs["TIMBRE_URL"] == url


def test_what_costs_money_is_chosen(infra: Infra) -> None:
    prediction = infra.predicted(DEFAULT)
    dear = ("Microsoft.Network/", "Microsoft.ApiManagement/", "Microsoft.Consumption/")
    assert [resource.id for resource in prediction.resources if resource.type.startswith(dear)] == []
    prediction.only("Web/serverfarms").must_have({"zoneRedundant": False})
    prediction.only("KeyVault/vaults").must_have({"sku.name": "standard"})


def test_a_budget_is_kept_where_all_of_it_is_said(infra: Infra) -> None:
    budget = infra.predicted(BUDGET_AND_ALERTS).only("Consumption/budgets")
    budget.must_have({"amount": 500, "timePeriod.startDate": "2026-11-01"})
    for notice in budget.at("properties.notifications").values():
        assert (notice["enabled"], notice["contactEmails"]) == (True, [BUDGET_AND_ALERTS["alertEmail"]])
    for missing in ("alertEmail", "monthlyBudget", "budgetStartDate"):
        rest = {name: value for name, value in BUDGET_AND_ALERTS.items() if name != missing}
        assert infra.predicted(rest).of_type("Consumption/budgets") == [], missing


def test_azd_finds_what_it_deploys_to(prediction: Prediction) -> None:
    for resource in prediction.resources:
        if resource.at("location") is not None:
            assert resource.at("tags")["azd-env-name"] == "test", resource.id
    (service,) = set(prediction.only("Web/sites").at("tags").items()) - {("azd-env-name", "test")}
    assert service[0] == "azd-service-name"
    assert f"\n  {service[1]}:\n" in (REPOSITORY / "azure.yaml").read_text(encoding="utf-8")
