"""What docs/privacy.md and a security review ask of everything that holds data or keys."""

from __future__ import annotations

import re

from shared import config
from tests.infra.choices import CLOSED_NETWORK, DEFAULT, EVERYTHING
from tests.infra.promise import (
    ACCOUNTS,
    VAULTS,
    every_prediction,
    host_account,
    logged,
    owner_of,
    promise,
    settings_of,
    voice_account,
)
from tests.infra.template import Infra, Prediction


@promise
def a_deleted_voice_is_gone(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        blobs = prediction.with_id(voice_account(prediction).id + "/blobServices/default")
        for feature in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy", "changeFeed", "restorePolicy"):
            assert blobs.at("properties", feature) == {"enabled": False}, feature
        assert blobs.at("properties", "isVersioningEnabled") is False
        assert not blobs.at("properties", "automaticSnapshotPolicyEnabled")


@promise
def nothing_copies_voice_data(infra: Infra) -> None:
    """No backup, no object replication, no immutability, no inventory: not even behind a condition."""
    copying = (
        "dataprotection",
        "recoveryservices",
        "objectreplication",
        "immutabilit",
        "inventorypolicies",
        "datafactory",
    )
    for declared in infra.declared_types():
        assert not any(word in declared.lower() for word in copying), declared
    for prediction in every_prediction(infra):
        assert voice_account(prediction).at("properties", "immutableStorageWithVersioning") is None


@promise
def voice_data_stays_in_its_region_unless_chosen(infra: Infra) -> None:
    assert voice_account(infra.predicted(DEFAULT)).at("sku", "name") == "Standard_LRS"
    assert voice_account(infra.predicted(EVERYTHING)).at("sku", "name") == EVERYTHING["voiceStorageRedundancy"]


@promise
def storage_takes_identities_only(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        accounts = prediction.of_type(ACCOUNTS)
        assert len(accounts) == 2
        for account in accounts:
            assert account.at("properties", "allowSharedKeyAccess") is False
            assert account.at("properties", "allowBlobPublicAccess") is False
            assert account.at("properties", "allowCrossTenantReplication") is False
            assert account.at("properties", "supportsHttpsTrafficOnly") is True
            assert account.at("properties", "minimumTlsVersion") in ("TLS1_2", "TLS1_3")


@promise
def voice_data_has_an_account_of_its_own(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        voices, host = voice_account(prediction), host_account(prediction)
        assert voices.id != host.id
        assert owner_of(settings_of(prediction)[config.TABLE_URI.name], "primaryEndpoints.table") == voices.id
        package = prediction.only("Microsoft.Web/sites").at("properties", "functionAppConfig", "deployment", "storage")
        assert host.id in package["value"]
        assert voices.id not in package["value"]


@promise
def the_network_closes_storage_and_vault(infra: Infra) -> None:
    for choices, access, action in (
        (DEFAULT, "Enabled", "Allow"),
        (CLOSED_NETWORK, "Disabled", "Deny"),
        (EVERYTHING, "Disabled", "Deny"),
    ):
        prediction = infra.predicted(choices)
        for holder in (*prediction.of_type(ACCOUNTS), prediction.only(VAULTS)):
            assert holder.at("properties", "publicNetworkAccess") == access, holder.id
            assert holder.at("properties", "networkAcls", "defaultAction") == action, holder.id
    assert not [each for each in infra.predicted(DEFAULT).resources if each.type.startswith("Microsoft.Network/")]


@promise
def private_endpoints_reach_all_that_holds_data(infra: Infra) -> None:
    prediction = infra.predicted(CLOSED_NETWORK)
    network = prediction.only("Microsoft.Network/virtualNetworks")
    voices, host, vault = voice_account(prediction).id, host_account(prediction).id, prediction.only(VAULTS).id
    reached = set()
    for endpoint in prediction.of_type("Microsoft.Network/privateEndpoints"):
        assert endpoint.at("properties", "subnet", "id") == network.id + "/subnets/endpoints"
        (connection,) = endpoint.at("properties", "privateLinkServiceConnections")
        (group,) = connection["properties"]["groupIds"]
        reached.add((connection["properties"]["privateLinkServiceId"], group))
        names = prediction.with_id(endpoint.id + "/privateDnsZoneGroups/default")
        (zone,) = names.at("properties", "privateDnsZoneConfigs")
        assert f"privatelink.{group}" in zone["properties"]["privateDnsZoneId"], endpoint.id
    assert reached == {(host, "blob"), (voices, "blob"), (voices, "table"), (vault, "vault")}
    assert _zones_linked_to(prediction, network.id) == {"blob", "table", "vaultcore"}
    assert prediction.only("Microsoft.Web/sites").at("properties", "virtualNetworkSubnetId") == (
        network.id + "/subnets/app"
    )
    app, endpoints = network.at("properties", "subnets")
    assert (app["name"], endpoints["name"]) == ("app", "endpoints")
    assert app["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"


def _zones_linked_to(prediction: Prediction, network: str) -> set[str]:
    """The part of each zone's name that says what it is for."""
    zones = set()
    for link in prediction.of_type("Microsoft.Network/privateDnsZones/virtualNetworkLinks"):
        assert link.at("properties", "virtualNetwork", "id") == network
        zones.update(re.findall(r"privatelink\.(\w+)\.", link.at("name")))
    return zones


@promise
def the_vault_cannot_be_emptied(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        vault = prediction.only(VAULTS).at("properties")
        assert vault["enableRbacAuthorization"] is True
        assert vault["enableSoftDelete"] is True
        assert vault["enablePurgeProtection"] is True
        assert vault["softDeleteRetentionInDays"] == 90
        assert "accessPolicies" not in vault
        assert vault["enabledForTemplateDeployment"] is False


@promise
def the_key_wraps_and_rotates_and_stays(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        key = prediction.only("Microsoft.KeyVault/vaults/keys")
        assert key.at("properties", "keyOps") == ["wrapKey", "unwrapKey"]
        assert key.at("properties", "keySize") >= 2048
        assert key.at("properties", "attributes") == {"enabled": True, "exportable": False}
        actions = key.at("properties", "rotationPolicy", "lifetimeActions")
        assert "rotate" in [action["action"]["type"] for action in actions]
        # Without its version, so that new data keys follow a rotation.
        told = settings_of(prediction)[config.KEY_ENCRYPTION.name]
        assert told == f"[format('vault:{{0}}', reference('{key.id}', '{key.api_version}').keyUri)]"
    hardware = infra.predicted(EVERYTHING).only("Microsoft.KeyVault/vaults/keys")
    assert hardware.at("properties", "kty") == "RSA-HSM"


@promise
def telemetry_takes_identities_only_and_hides_addresses(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        insights = prediction.only("Microsoft.Insights/components")
        assert insights.at("properties", "DisableLocalAuth") is True
        assert insights.at("properties", "DisableIpMasking") is False
        workspace = prediction.only("Microsoft.OperationalInsights/workspaces")
        assert workspace.at("properties", "features", "disableLocalAuth") is True


@promise
def logs_end_after_a_month(infra: Infra) -> None:
    for choices, days in ((DEFAULT, 30), (EVERYTHING, EVERYTHING["logRetentionDays"])):
        workspace = infra.predicted(choices).only("Microsoft.OperationalInsights/workspaces")
        assert workspace.at("properties", "retentionInDays") == days


@promise
def no_file_reads_a_secret(infra: Infra) -> None:
    """`listKeys` and its like, in whatever is compiled: conditions, outputs that nobody reads, all of it."""
    assert not re.findall(r"(?i)\b(?:list\w+\(|getSecret\(|AccountKey=)", infra.compiled.template)
    assert "Microsoft.KeyVault/vaults/secrets" not in infra.declared_types()


@promise
def access_to_voices_and_key_is_logged(infra: Infra) -> None:
    for prediction in every_prediction(infra):
        assert logged(prediction, prediction.only(VAULTS).id) == {"AuditEvent"}
        for service in ("blobServices", "tableServices"):
            log = logged(prediction, f"{voice_account(prediction).id}/{service}/default")
            assert log == {"StorageRead", "StorageWrite", "StorageDelete"}
        assert logged(prediction, prediction.only("Microsoft.OperationalInsights/workspaces").id) == {"Audit"}
