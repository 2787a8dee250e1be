"""What the privacy page and a security review ask of everything that holds data or keys."""

from __future__ import annotations

import re

import pytest

from shared import config
from tests.infra.choices import CLOSED_NETWORK, DEFAULT, EVERYTHING, PRODUCTION
from tests.infra.template import Choices, Infra, Prediction, owner_of

ACCOUNTS, VAULTS = "Storage/storageAccounts", "KeyVault/vaults"
OFF = {"enabled": False}


def test_a_deleted_voice_is_gone(prediction: Prediction) -> None:
    prediction.with_id(f"{prediction.voices.id}/blobServices/default").must_have(
        {
            "deleteRetentionPolicy": OFF,
            "containerDeleteRetentionPolicy": OFF,
            "changeFeed": OFF,
            "restorePolicy": OFF,
            "isVersioningEnabled": False,
            "automaticSnapshotPolicyEnabled": None,
        }
    )


def test_nothing_copies_voice_data(infra: Infra, prediction: Prediction) -> None:
    """No backup, no object replication, no immutability, no inventory: not even behind a condition."""
    copying = r"(?i)dataprotection|recoveryservices|objectreplication|immutabilit|inventorypolicies|datafactory"
    assert [declared for declared in infra.declared_types() if re.search(copying, declared)] == []
    prediction.voices.must_have({"immutableStorageWithVersioning": None})


def test_voice_data_stays_in_its_region_unless_chosen(infra: Infra) -> None:
    assert infra.predicted(DEFAULT).voices.at("sku.name") == "Standard_LRS"
    assert infra.predicted(EVERYTHING).voices.at("sku.name") == EVERYTHING["voiceStorageRedundancy"]


def test_storage_takes_identities_only(prediction: Prediction) -> None:
    accounts = prediction.of_type(ACCOUNTS)
    assert len(accounts) == 2
    for account in accounts:
        account.must_have(
            {
                "allowSharedKeyAccess": False,
                "allowBlobPublicAccess": False,
                "allowCrossTenantReplication": False,
                "supportsHttpsTrafficOnly": True,
                "minimumTlsVersion": "TLS1_2",
            }
        )


def test_voice_data_has_an_account_of_its_own(prediction: Prediction) -> None:
    voices, host = prediction.voices.id, prediction.host.id
    assert voices != host
    assert owner_of(prediction.settings[config.TABLE_URI.name], "primaryEndpoints.table") == voices
    package = prediction.only("Web/sites").at("properties.functionAppConfig.deployment.storage.value")
    assert host in package
    assert voices not in package


@pytest.mark.parametrize(
    ("choices", "access", "action"),
    [
        (DEFAULT, "Enabled", "Allow"),
        *((closed, "Disabled", "Deny") for closed in (CLOSED_NETWORK, EVERYTHING, PRODUCTION)),
    ],
)
def test_the_network_closes_storage_and_vault(infra: Infra, choices: Choices, access: str, action: str) -> None:
    prediction = infra.predicted(choices)
    for holder in (*prediction.of_type(ACCOUNTS), prediction.only(VAULTS)):
        holder.must_have({"publicNetworkAccess": access, "networkAcls.defaultAction": action})


@pytest.mark.parametrize("choices", [CLOSED_NETWORK, PRODUCTION])
def test_private_endpoints_reach_all_that_holds_data(infra: Infra, choices: Choices) -> None:
    prediction = infra.predicted(choices)
    network = prediction.only("Network/virtualNetworks")
    reached = set()
    for endpoint in prediction.of_type("Network/privateEndpoints"):
        endpoint.must_have({"subnet.id": f"{network.id}/subnets/endpoints"})
        (connection,) = endpoint.at("properties.privateLinkServiceConnections")
        (group,) = connection["properties"]["groupIds"]
        reached.add((connection["properties"]["privateLinkServiceId"], group))
        (zone,) = prediction.with_id(f"{endpoint.id}/privateDnsZoneGroups/default").at(
            "properties.privateDnsZoneConfigs"
        )
        assert f"privatelink.{group}" in zone["properties"]["privateDnsZoneId"], endpoint.id
    voices, host, vault = prediction.voices.id, prediction.host.id, prediction.only(VAULTS).id
    assert reached == {(host, "blob"), (voices, "blob"), (voices, "table"), (vault, "vault")}
    links = prediction.of_type("Network/privateDnsZones/virtualNetworkLinks")
    assert {link.at("properties.virtualNetwork.id") for link in links} == {network.id}
    zones = {re.split(r"privatelink\.|\.", link.at("name"))[1] for link in links}
    assert zones == {"blob", "table", "vaultcore"}
    prediction.only("Web/sites").must_have({"virtualNetworkSubnetId": f"{network.id}/subnets/app"})
    app, endpoints = network.at("properties.subnets")
    assert (app["name"], endpoints["name"]) == ("app", "endpoints")
    assert app["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"


def test_the_vault_cannot_be_emptied(prediction: Prediction) -> None:
    prediction.only(VAULTS).must_have(
        {
            "enableRbacAuthorization": True,
            "enableSoftDelete": True,
            "enablePurgeProtection": True,
            "softDeleteRetentionInDays": 90,
            "accessPolicies": None,
            "enabledForTemplateDeployment": False,
        }
    )


def test_the_key_wraps_and_rotates_and_stays(infra: Infra, prediction: Prediction) -> None:
    key = prediction.only("KeyVault/vaults/keys")
    key.must_have(
        {
            "keyOps": ["wrapKey", "unwrapKey"],
            "keySize": 3072,
            "attributes": {"enabled": True, "exportable": False},
        }
    )
    actions = key.at("properties.rotationPolicy.lifetimeActions")
    assert "rotate" in [action["action"]["type"] for action in actions]
    # Without its version, so that new data keys follow a rotation.
    setting = prediction.settings[config.KEY_ENCRYPTION.name]
    assert setting == f"[format('vault:{{0}}', reference('{key.id}', '{key.at('apiVersion')}').keyUri)]"
    for choices in (EVERYTHING, PRODUCTION):
        infra.predicted(choices).only("KeyVault/vaults/keys").must_have({"kty": "RSA-HSM"})


def test_telemetry_takes_identities_only_and_hides_addresses(prediction: Prediction) -> None:
    prediction.only("Insights/components").must_have({"DisableLocalAuth": True, "DisableIpMasking": False})
    prediction.only("OperationalInsights/workspaces").must_have({"features.disableLocalAuth": True})


def test_logs_end_after_a_month(infra: Infra) -> None:
    for choices, days in ((DEFAULT, 30), (EVERYTHING, EVERYTHING["logRetentionDays"])):
        infra.predicted(choices).only("OperationalInsights/workspaces").must_have({"retentionInDays": days})


def test_no_file_reads_a_secret(infra: Infra) -> None:
    """`listKeys` and its like, in whatever is compiled: conditions, outputs that nobody reads, all of it."""
    assert not re.findall(r"(?i)\b(?:list\w+\(|getSecret\(|AccountKey=)", infra.compiled.template)
    assert "Microsoft.KeyVault/vaults/secrets" not in infra.declared_types()


def test_access_to_voices_and_key_is_logged(prediction: Prediction) -> None:
    assert prediction.logged(prediction.only(VAULTS).id) == {"AuditEvent"}
    for service in ("blobServices", "tableServices"):
        log = prediction.logged(f"{prediction.voices.id}/{service}/default")
        assert log == {"StorageRead", "StorageWrite", "StorageDelete"}
    assert prediction.logged(prediction.only("OperationalInsights/workspaces").id) == {"Audit"}
