"""What docs/privacy.md and a security review ask of everything that holds data or keys."""

from __future__ import annotations

from tests.infra.bicep import Infra, without_comments
from tests.infra.promise import choice, logged, output_of, promise


@promise
def a_deleted_voice_is_gone(infra: Infra) -> None:
    blobs = infra.resource("storage-voice", "blobs")
    assert blobs.at("parent") == "account"
    for feature in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy", "changeFeed", "restorePolicy"):
        assert blobs.at("properties", feature) == {"enabled": False}, feature
    assert blobs.at("properties", "isVersioningEnabled") is False
    assert not blobs.at("properties", "automaticSnapshotPolicyEnabled")


@promise
def nothing_copies_voice_data(infra: Infra) -> None:
    """No backup, no object replication, no immutability, no inventory."""
    copying = (
        "dataprotection",
        "recoveryservices",
        "objectreplication",
        "immutabilit",
        "inventorypolicies",
        "datafactory",
    )
    for one in infra.created():
        assert not any(word in one.type.lower() for word in copying), one.type
    assert infra.resource("storage-voice", "account").at("properties", "immutableStorageWithVersioning") is None


@promise
def voice_data_stays_in_its_region_unless_chosen(infra: Infra) -> None:
    assert infra.main.parameters["voiceStorageRedundancy"]["default"] in ("Standard_LRS", "Standard_ZRS")
    assert infra.main.modules["storageVoice"].at("params", "redundancy") == "voiceStorageRedundancy"
    assert infra.resource("storage-voice", "account").at("sku", "name") == "redundancy"


@promise
def storage_takes_identities_only(infra: Infra) -> None:
    accounts = infra.of_type("Microsoft.Storage/storageAccounts")
    assert len(accounts) == 2
    for one in accounts:
        assert one.at("properties", "allowSharedKeyAccess") is False
        assert one.at("properties", "allowBlobPublicAccess") is False
        assert one.at("properties", "allowCrossTenantReplication") is False
        assert one.at("properties", "supportsHttpsTrafficOnly") is True
        assert one.at("properties", "minimumTlsVersion") in ("TLS1_2", "TLS1_3")


@promise
def voice_data_has_an_account_of_its_own(infra: Infra) -> None:
    app = infra.main.modules["functionApp"]
    assert output_of(app.at("params", "hostBlobEndpoint")) == ("storageHost", "blobEndpoint")
    assert output_of(app.at("params", "voiceBlobEndpoint")) == ("storageVoice", "blobEndpoint")
    assert output_of(app.at("params", "voiceTableEndpoint")) == ("storageVoice", "tableEndpoint")
    names = [infra.main.modules[one].at("params", "name") for one in ("storageHost", "storageVoice")]
    assert len(set(names)) == 2


@promise
def the_network_closes_storage_and_vault(infra: Infra) -> None:
    vault_and_accounts = (("storage-host", "account"), ("storage-voice", "account"), ("key-vault", "vault"))
    for file, name in vault_and_accounts:
        properties = infra.resource(file, name).at("properties")
        assert choice(properties["publicNetworkAccess"]) == ("isPrivate", "Disabled", "Enabled"), file
        assert choice(properties["networkAcls"]["defaultAction"]) == ("isPrivate", "Deny", "Allow"), file
    for module in ("storageHost", "storageVoice", "keyVault"):
        assert infra.main.modules[module].at("params", "isPrivate") == "vnetEnabled", module
    for module in ("network", "privateEndpoints"):
        assert infra.main.modules[module].is_conditional, module


@promise
def private_endpoints_reach_all_that_holds_data(infra: Infra) -> None:
    file = infra.files["modules/private-endpoints.bicep"]
    endpoints = file.variables["endpoints"]
    reached = {(one["target"], one["group"]) for one in endpoints}
    assert reached == {
        ("hostStorageId", "blob"), ("voiceStorageId", "blob"), ("voiceStorageId", "table"), ("keyVaultId", "vault"),
    }  # fmt: skip
    zones = file.variables["zoneNames"]
    for one in endpoints:
        assert f"privatelink.{one['group']}" in zones[one["zone"]], one["name"]
    app = infra.resource("function-app", "app")
    assert choice(app.at("properties", "virtualNetworkSubnetId"))[2] == "subnetId"
    delegated = infra.resource("network", "network").at("properties", "subnets")[0]
    assert delegated["name"] == "app"
    assert delegated["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"


@promise
def the_vault_cannot_be_emptied(infra: Infra) -> None:
    vault = infra.resource("key-vault", "vault").at("properties")
    assert vault["enableRbacAuthorization"] is True
    assert vault["enableSoftDelete"] is True
    assert vault["enablePurgeProtection"] is True
    assert vault["softDeleteRetentionInDays"] == 90
    assert "accessPolicies" not in vault
    assert vault["enabledForTemplateDeployment"] is False


@promise
def the_key_wraps_and_rotates_and_stays(infra: Infra) -> None:
    key = infra.resource("key-vault", "key")
    assert key.at("properties", "keyOps") == ["wrapKey", "unwrapKey"]
    assert key.at("properties", "keySize") >= 2048
    assert key.at("properties", "attributes") == {"enabled": True, "exportable": False}
    actions = key.at("properties", "rotationPolicy", "lifetimeActions")
    assert "rotate" in [one["action"]["type"] for one in actions]
    assert output_of(infra.main.modules["functionApp"].at("params", "keyUri")) == ("keyVault", "keyUri")
    uri = infra.files["modules/key-vault.bicep"].outputs["keyUri"]["value"]
    assert "keyUriWithVersion" not in str(uri)
    assert "'keyUri'" in str(uri)


@promise
def telemetry_takes_identities_only_and_hides_addresses(infra: Infra) -> None:
    insights = infra.resource("monitoring", "applicationInsights")
    assert insights.at("properties", "DisableLocalAuth") is True
    assert insights.at("properties", "DisableIpMasking") is False
    assert infra.resource("monitoring", "workspace").at("properties", "features", "disableLocalAuth") is True


@promise
def logs_end_after_a_month(infra: Infra) -> None:
    assert infra.main.parameters["logRetentionDays"]["default"] == 30
    assert infra.main.modules["monitoring"].at("params", "retentionDays") == "logRetentionDays"
    assert infra.resource("monitoring", "workspace").at("properties", "retentionInDays") == "retentionDays"


@promise
def no_file_reads_a_secret(infra: Infra) -> None:
    for file in infra.files.values():
        code = without_comments(file.text)
        for word in ("listKeys(", "listAccountSas(", "listServiceSas(", "listSecrets(", "getSecret(", "AccountKey="):
            assert word not in code, f"{file.name}: {word}"
    assert not infra.of_type("Microsoft.KeyVault/vaults/secrets")


@promise
def access_to_voices_and_key_is_logged(infra: Infra) -> None:
    assert logged(infra.resource("key-vault", "audit")) == {"AuditEvent"}
    assert infra.resource("key-vault", "audit").at("scope") == "vault"
    for name, scope in (("blobLog", "blobs"), ("tableLog", "voiceTables")):
        log = infra.resource("storage-voice", name)
        assert log.at("scope") == scope
        assert logged(log) == {"StorageRead", "StorageWrite", "StorageDelete"}
    assert infra.main.parameters["logVoiceAccess"]["default"] is True
    assert logged(infra.resource("monitoring", "workspaceAudit")) == {"Audit"}
