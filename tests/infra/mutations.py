"""How each promise is broken: (file, text that is there, text that breaks the promise)."""

from __future__ import annotations

from typing import Final

VOICE = "modules/storage-voice.bicep"
HOST = "modules/storage-host.bicep"
VAULT = "modules/key-vault.bicep"
ROLES = "modules/roles.bicep"
APP = "modules/function-app.bicep"
LOGS = "modules/monitoring.bicep"
ALERTS = "modules/alerts.bicep"
GATEWAY = "modules/api-management.bicep"
BUDGET = "modules/budget.bicep"
ENDPOINTS = "modules/private-endpoints.bicep"
NETWORK = "modules/network.bicep"
MAIN = "main.bicep"
TABLE_ROLE = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
OFF, ON = ": {\n      enabled: false", ": {\n      enabled: true"
MODEL = "    TIMBRE_MODEL: speakerModel\n"
BACKUP: Final = """resource backup 'Microsoft.DataProtection/backupVaults@2023-05-01' = {
  name: 'backup'
  location: location
}

@description('Blob endpoint.')
"""

MUTATIONS: Final = {
    "a_deleted_voice_is_gone": [
        (VOICE, "    deleteRetentionPolicy" + OFF, "    deleteRetentionPolicy" + ON),
        (VOICE, "containerDeleteRetentionPolicy" + OFF, "containerDeleteRetentionPolicy" + ON),
        (VOICE, "isVersioningEnabled: false", "isVersioningEnabled: true"),
        (VOICE, "changeFeed" + OFF, "changeFeed" + ON),
        (VOICE, "restorePolicy" + OFF, "restorePolicy" + ON),
        (VOICE, "    isVersioningEnabled: false\n", ""),
        (VOICE, "isVersioningEnabled: false", "isVersioningEnabled: false\n    automaticSnapshotPolicyEnabled: true"),
    ],
    "nothing_copies_voice_data": [(VOICE, "@description('Blob endpoint.')\n", BACKUP)],
    "voice_data_stays_in_its_region_unless_chosen": [
        (MAIN, "Redundancy string = 'Standard_LRS'", "Redundancy string = 'Standard_GRS'"),
        (VOICE, "name: redundancy", "name: 'Standard_GRS'"),
    ],
    "storage_takes_identities_only": [
        (VOICE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
        (HOST, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
        (VOICE, "    allowSharedKeyAccess: false\n", ""),
        (VOICE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
        (VOICE, "allowCrossTenantReplication: false", "allowCrossTenantReplication: true"),
        (VOICE, "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false"),
        (HOST, "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'"),
    ],
    "voice_data_has_an_account_of_its_own": [
        (MAIN, "voiceBlobEndpoint: storageVoice.outputs", "voiceBlobEndpoint: storageHost.outputs"),
        (MAIN, "storageVoice.outputs.tableEndpoint", "storageVoice.outputs.blobEndpoint"),
        (MAIN, "hostBlobEndpoint: storageHost.outputs", "hostBlobEndpoint: storageVoice.outputs"),
        (MAIN, "voiceStorageName = 'stvoice${resourceToken}'", "voiceStorageName = 'sthost${resourceToken}'"),
    ],
    "the_network_closes_storage_and_vault": [
        (VOICE, "isPrivate ? 'Disabled' : 'Enabled'", "isPrivate ? 'Enabled' : 'Enabled'"),
        (VAULT, "isPrivate ? 'Deny' : 'Allow'", "isPrivate ? 'Allow' : 'Allow'"),
        (MAIN, "    isPrivate: vnetEnabled\n    workspaceId", "    isPrivate: false\n    workspaceId"),
        (MAIN, "'modules/private-endpoints.bicep' = if (vnetEnabled) {", "'modules/private-endpoints.bicep' = {"),
    ],
    "private_endpoints_reach_all_that_holds_data": [
        (ENDPOINTS, "target: voiceStorageName\n    group: 'table'", "target: voiceStorageName\n    group: 'blob'"),
        (ENDPOINTS, "group: 'vault'\n    zone: 2", "group: 'vault'\n    zone: 1"),
        (NETWORK, "Microsoft.App/environments", "Microsoft.Web/serverFarms"),
        (APP, "empty(subnetId) ? null : subnetId", "empty(subnetId) ? null : null"),
    ],
    "the_vault_cannot_be_emptied": [
        (VAULT, "enablePurgeProtection: true", "enablePurgeProtection: false"),
        (VAULT, "enableRbacAuthorization: true", "enableRbacAuthorization: false"),
        (VAULT, "enableSoftDelete: true", "enableSoftDelete: false"),
        (VAULT, "softDeleteRetentionInDays: 90", "softDeleteRetentionInDays: 7"),
        (VAULT, "enabledForTemplateDeployment: false", "enabledForTemplateDeployment: true"),
        (VAULT, "    enableSoftDelete: true\n", "    enableSoftDelete: true\n    accessPolicies: []\n"),
    ],
    "the_key_wraps_and_rotates_and_stays": [
        (VAULT, "      'unwrapKey'\n", "      'unwrapKey'\n      'decrypt'\n"),
        (VAULT, "exportable: false", "exportable: true"),
        (VAULT, "keySize: 3072", "keySize: 1024"),
        (VAULT, "type: 'rotate'", "type: 'notify'"),
        (VAULT, "key.properties.keyUri\n", "key.properties.keyUriWithVersion\n"),
        (APP, "'vault:${keyUri}'", "keyUri"),
        (VAULT, "'RSA-HSM' : 'RSA'", "'RSA' : 'RSA'"),
    ],
    "the_identity_has_these_roles_and_no_others": [
        (ROLES, "e147488a-f6f5-4113-8e2d-b22465e65bf6", "12338af0-0e69-4776-bea7-57ae8d297424"),
        (ROLES, "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
        (ROLES, TABLE_ROLE, TABLE_ROLE[:-1] + "4"),
        (ROLES, "scope: key\n", "scope: vault\n"),
        (ROLES, "principalType: 'ServicePrincipal'", "principalType: 'Group'"),
        (ROLES, "identity.properties.principalId", "identity.properties.clientId"),
        (MAIN, "voiceStorageName: voiceStorageName", "voiceStorageName: hostStorageName"),
    ],
    "the_app_runs_as_its_identity": [
        (APP, "type: 'UserAssigned'\n", "type: 'SystemAssigned'\n"),
        (APP, "type: 'UserAssignedIdentity'", "type: 'StorageAccountConnectionString'"),
        (APP, "VOICE_STORAGE__clientId: identityClientId", "VOICE_STORAGE__clientId: identityId"),
        (APP, "ClientId=${identityClientId};Authorization=AAD", "Authorization=AAD"),
        (APP, "AzureWebJobsStorage__credential: 'managedidentity'", "AzureWebJobsStorage__credential: 'clientsecret'"),
    ],
    "what_is_named_is_there_before": [
        (MAIN, "    roles\n    privateEndpoints\n", "    privateEndpoints\n"),
        (MAIN, "    roles\n    privateEndpoints\n", "    roles\n"),
        (MAIN, "    keyVault\n    monitoring\n", "    monitoring\n"),
        (MAIN, "    storageVoice\n    keyVault\n  ]", "    storageVoice\n  ]"),
    ],
    "a_preview_knows_every_resource": [
        (MAIN, "    identityName: identityName\n", "    identityName: identity.outputs.clientId\n"),
        (MAIN, "name: 'budget-${resourceToken}'", "name: 'budget-${monitoring.outputs.connectionString}'"),
    ],
    "telemetry_takes_identities_only_and_hides_addresses": [
        (LOGS, "DisableLocalAuth: true", "DisableLocalAuth: false"),
        (LOGS, "DisableIpMasking: false", "DisableIpMasking: true"),
        (LOGS, "disableLocalAuth: true", "disableLocalAuth: false"),
    ],
    "logs_end_after_a_month": [
        (MAIN, "param logRetentionDays int = 30", "param logRetentionDays int = 730"),
        (LOGS, "retentionInDays: retentionDays", "retentionInDays: 730"),
    ],
    "no_file_reads_a_secret": [
        (VOICE, "account.properties.primaryEndpoints.table", "account.listKeys().keys[0].value"),
    ],
    "the_plan_is_flex_consumption_with_the_packages_python": [
        (APP, "name: 'FC1'", "name: 'EP1'"),
        (APP, "version: '3.13'", "version: '3.10'"),
        (APP, "      minTlsVersion: '1.2'\n", "      minTlsVersion: '1.2'\n      ftpsState: 'Disabled'\n"),
        (APP, "perInstanceConcurrency: httpConcurrency", "perInstanceConcurrency: 1"),
        (APP, "instanceCount: alwaysReadyInstances", "instanceCount: 1"),
    ],
    "an_update_is_made_as_chosen": [
        (APP, "        type: updateStrategy\n", "        type: 'Recreate'\n"),
        (MAIN, "param updateStrategy string = 'Recreate'", "param updateStrategy string = 'RollingUpdate'"),
    ],
    "no_line_is_left_out_of_the_log": [
        (APP, "OTEL_TRACES_SAMPLER_ARG: '1.0'", "OTEL_TRACES_SAMPLER_ARG: '0.1'"),
        (APP, "'microsoft.fixed_percentage'", "'microsoft.rate_limited'"),
        (APP, "openTelemetry ? 'OpenTelemetry' : 'ApplicationInsights'", "openTelemetry ? 'OpenTelemetry' : 'None'"),
        (MAIN, "param openTelemetry bool = false", "param openTelemetry bool = true"),
        (MAIN, "openTelemetry: openTelemetry", "openTelemetry: false"),
    ],
    "callers_come_by_https_and_nobody_publishes_with_a_password": [
        (APP, "httpsOnly: true", "httpsOnly: false"),
        (APP, "minTlsVersion: '1.2'", "minTlsVersion: '1.0'"),
        (APP, "name: 'scm'\n  properties: {\n    allow: false", "name: 'scm'\n  properties: {\n    allow: true"),
    ],
    "only_the_ranges_that_are_allowed_may_call": [
        (APP, "? null : 'Deny'", "? null : 'Allow'"),
        (APP, "action: 'Allow'", "action: 'Deny'"),
        (APP, "ipAddress: addressRange", "ipAddress: '0.0.0.0/0'"),
    ],
    "the_app_gets_the_settings_that_it_reads": [
        (APP, MODEL, ""),
        (APP, MODEL, MODEL + "    TIMBRE_UNKNOWN: 'x'\n"),
        (APP, MODEL, MODEL + "    FUNCTIONS_WORKER_RUNTIME: 'python'\n"),
        (APP, MODEL, MODEL + "    TIMBRE_LOCAL_SUBSCRIPTION_KEY: 'x'\n"),
    ],
    "the_settings_mean_what_the_app_expects": [
        (APP, "toLower(string(strictAudio))", "string(strictAudio)"),
        (APP, "string((4 * httpConcurrency) + 4)", "'1'"),
        (APP, "toLower(string(activation))", "toLower(string(strictAudio))"),
        (MAIN, "galleryMegabytes int = 512", "galleryMegabytes int = 64"),
        (APP, "'268435456'", "'34603008'"),
        (APP, "PYTHON_ENABLE_INIT_INDEXING: '1'", "PYTHON_ENABLE_INIT_INDEXING: '0'"),
        (APP, "AzureWebJobsDisableHomepage: 'true'", "AzureWebJobsDisableHomepage: 'false'"),
        (APP, "TIMBRE_ALLOWED_HOSTS: allowedHosts", "TIMBRE_ALLOWED_HOSTS: publicUrl"),
        (APP, "TIMBRE_WAITING: workWaiting", "TIMBRE_WAITING: workAtOnce"),
        (MAIN, "param speakerModel string = 'campplus-channels-1'", "param speakerModel string = 'other'"),
        (MAIN, "== 'campplus-channels-1' ? 'ge2e-1' : 'none'", "== 'campplus-channels-1' ? 'none' : 'none'"),
        (MAIN, "== 'campplus-channels-1' ? 'ge2e-1' : 'none'", "== 'campplus-channels-1' ? 'ge2e-1' : 'ge2e-1'"),
        (MAIN, "!empty(previousSpeakerModel)", "empty(previousSpeakerModel)"),
    ],
    "access_to_voices_and_key_is_logged": [
        (VAULT, "category: 'AuditEvent'\n        enabled: true", "category: 'AuditEvent'\n        enabled: false"),
        (VOICE, "category: 'StorageRead'", "category: 'StorageWrite'"),
        (VOICE, "scope: voiceTables", "scope: blobs"),
        (MAIN, "param logVoiceAccess bool = true", "param logVoiceAccess bool = false"),
    ],
    "a_person_is_told_of_what_matters": [
        (ALERTS, "    severity: 0\n", "    severity: 4\n"),
        (ALERTS, "operator: 'LessThan'", "operator: 'GreaterThan'"),
        (ALERTS, "window: 'PT30M'\n    operator: 'LessThan'", "window: 'PT6H'\n    operator: 'LessThan'"),
        ("queries/retention-runs.kql", "AppTraces\n| where", "union AppRequests, AppTraces\n| where"),
        (ALERTS, "threshold: erasureOverdueHours", "threshold: 10000"),
        (ALERTS, "column: 'ErrorPercent'", "column: 'Errors'"),
        (ALERTS, "enabled: true\n      scopes", "enabled: false\n      scopes"),
        (ALERTS, "              operators.id\n", ""),
    ],
    "the_gateway_leaves_keys_alone_and_hides_management": [
        (GATEWAY, "header: 'X-Gateway-Key'", "header: 'Ocp-Apim-Subscription-Key'"),
        (GATEWAY, "subscriptionRequired: false", "subscriptionRequired: true"),
        ("api-management-policy.xml", "&quot;manage&quot;", "&quot;other&quot;"),
        ("api-management-policy.xml", "calls=\"6000\"", "calls=\"600\""),
        ("api-management-policy.xml", "&quot;Ocp-Apim-Subscription-Key&quot;", "&quot;X-Key&quot;"),
        (GATEWAY, "serviceUrl: backendUrl", "serviceUrl: 'https://elsewhere.example.com'"),
    ],
    "callers_are_told_one_address": [
        (MAIN, "publicUrl: empty(publicUrl) ? ownUrl : publicUrl", "publicUrl: publicUrl"),
        (MAIN, "publicUrl: empty(publicUrl) ? ownUrl : publicUrl", "publicUrl: ownUrl"),
        (MAIN, "withApiManagement ? apiManagementUrl : ''", "withApiManagement ? '' : ''"),
        (MAIN, "withApiManagement ? apiManagementUrl : functionApp", "withApiManagement ? publicUrl : functionApp"),
    ],
    "what_costs_money_is_chosen": [
        (MAIN, "param apiManagementSku string = 'None'", "param apiManagementSku string = 'Developer'"),
        (MAIN, "param vnetEnabled bool = false", "param vnetEnabled bool = true"),
        (MAIN, "param maximumInstanceCount int = 40", "param maximumInstanceCount int = 1000"),
        (MAIN, "'modules/api-management.bicep' = if (withApiManagement) {", "'modules/api-management.bicep' = {"),
    ],
    "a_budget_is_kept_where_all_of_it_is_said": [
        (MAIN, "monthlyBudget > 0 && !empty(alertEmail)", "monthlyBudget > 0"),
        (MAIN, "!empty(alertEmail) && !empty(budgetStartDate)", "!empty(alertEmail)"),
        (BUDGET, "forecast100: {\n        enabled: true", "forecast100: {\n        enabled: false"),
    ],
    "what_has_a_place_has_the_environments_tag": [("modules/identity.bicep", "  tags: tags\n", "")],
    "azd_finds_what_it_deploys_to": [
        (APP, "'azd-service-name': 'api'", "'azd-service-name': 'web'"),
        (MAIN, "'azd-env-name': environmentName", "'azd-env': environmentName"),
    ],
}  # fmt: skip
"""By promise. The first place where the text stands is changed."""
