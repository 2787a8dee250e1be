// Timbre in a resource group of its own. `azd up` fills the parameters from main.parameters.json.
targetScope = 'subscription'

@description('Name of the azd environment: part of the resource group\'s name, and hashed into every other name.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region of every resource. Needs the Flex Consumption plan: az functionapp list-flexconsumption-locations.')
@minLength(1)
param location string

@description('Name of the resource group; empty: rg- and the environment\'s name.')
param resourceGroupName string = ''

@description('Memory of an instance in MiB. The speaker models and the audio of the requests in flight fit into 2048.')
@allowed([
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('The most instances that the plan may start: bounds the cost of a flood of requests.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that stay warm for HTTP requests. 0 is cheapest; the first request after a pause then waits for a cold start.')
@minValue(0)
@maxValue(100)
param alwaysReadyInstances int = 0

@description('HTTP requests that an instance gets at a time, before another is started.')
@minValue(1)
@maxValue(32)
param httpConcurrency int = 4

@description('How instances are replaced by a new version or setting. Recreate cuts off requests in flight. RollingUpdate lets them finish while both versions answer; it is a preview that Microsoft does not recommend for production.')
@allowed([
  'Recreate'
  'RollingUpdate'
])
param updateStrategy string = 'Recreate'

@description('Spread the plan\'s instances over availability zones, where the region has them.')
param zoneRedundant bool = false

@description('Speaker model: a name in models/catalogue.json that the package contains.')
param speakerModel string = 'campplus-channels-1'

@description('The model that speakerModel replaces: it serves its profiles until they are migrated. none: no model. Empty: ge2e-1 beside campplus-channels-1, no model beside another.')
param previousSpeakerModel string = ''

@description('Accept 16 kHz 16-bit mono PCM WAV only, as Azure Speaker Recognition did.')
param strictAudio bool = false

@description('Ask for the activation phrase in the first enrollment of a text-independent profile.')
param activation bool = false

@description('Base URL that callers use when a gateway of your own stands in front; empty: API Management\'s, or the app\'s own.')
param publicUrl string = ''

@description('Own domain names of the app, a comma list: links in answers may repeat them.')
param allowedHosts string = ''

@description('Origins whose pages may read answers, a comma list as https://app.example.com; *: every page.')
param allowedOrigins string = '*'

@description('Which entry of X-Forwarded-For is the caller\'s address, counted from the right. On Azure 1, whatever stands in front.')
@minValue(1)
@maxValue(10)
param trustedHops int = 1

@description('Hosts that long recordings may be read from, a comma list: host, host:port or *.suffix.')
param recordingHosts string = ''

@description('Serve the console, a page for people, at /console. It shows nothing without a key or token.')
param console bool = false

@description('Memory in MB that an instance gives to signatures, for identify among everyone: 1.1 for 1,000 profiles.')
@minValue(1)
@maxValue(3072)
param galleryMegabytes int = 512

@description('Requests per second of a subscription that has no number of its own; 0: no limit. Beyond it 429.')
@minValue(0)
param requestsPerSecond int = 20

@description('How many enrolls, verifies and identifies a process works on at once. Empty: twice its share of the processors.')
param workAtOnce string = ''

@description('How many more may wait for their turn; beyond that 503. Empty: twice as many as are worked on.')
param workWaiting string = ''

@description('Seconds that a recognition waits for its turn, then 503.')
param waitSeconds string = '1.5'

@description('Copies of the voice data. LRS and ZRS stay in the region; the geo-redundant ones copy biometric data to the paired region.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param voiceStorageRedundancy string = 'Standard_LRS'

@description('Lock the account of the voice data against being deleted itself. Takes an Owner; azd down fails until the lock is removed.')
param lockVoiceStorage bool = false

@description('Key Vault tier: premium keeps the key-encryption key in a hardware module.')
@allowed([
  'standard'
  'premium'
])
param keyVaultSku string = 'standard'

@description('Bring back the vault of an environment that was deleted in the last 90 days. For one deployment only.')
param recoverKeyVault bool = false

@description('Put a virtual network around storage and vault: private endpoints, no public access to either.')
param vnetEnabled bool = false

@description('IP ranges (CIDR) that may call the function app, a comma list; empty: everybody who has a key.')
param allowedAddressRanges string = ''

@description('API Management in front, by tier; None: the function app is called directly. Needs alertEmail.')
@allowed([
  'None'
  'Developer'
  'Basic'
  'Standard'
  'Premium'
  'BasicV2'
  'StandardV2'
])
param apiManagementSku string = 'None'

@description('E-mail address for alerts, the budget and API Management\'s notices; empty: alerts show in the portal only.')
param alertEmail string = ''

@description('Percentage of requests answered with 5xx over 15 minutes that raises an alert.')
@minValue(1)
@maxValue(100)
param errorPercentAlert int = 5

@description('Requests with a wrong key within 15 minutes that raise an alert: somebody guesses, or an app has an old key.')
@minValue(1)
param wrongKeysAlert int = 200

@description('Hours after which the unfinished erasure of a deleted subscription raises an alert.')
@minValue(1)
param erasureOverdueHours int = 24

@description('Days that logs are kept. They hold ids of subscriptions and profiles.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Log every call to the voice data\'s account (who read, wrote or deleted what, by id). About 1 KB for each storage call.')
param logVoiceAccess bool = true

@description('Let the Functions host export by OpenTelemetry. docs/decisions/observability.md says what to check first.')
param openTelemetry bool = false

@description('Monthly budget in the currency of the billing account; 0: none. Needs alertEmail and budgetStartDate.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the month in which the budget was first deployed (2026-11-01). Azure refuses to change it later, so it is not computed.')
param budgetStartDate string = ''

var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}

// Names are made here and not read from outputs of modules: only then can a preview say what will happen.
var workspaceName = 'log-${resourceToken}'
var applicationInsightsName = 'appi-${resourceToken}'
var identityName = 'id-${resourceToken}'
var hostStorageName = 'sthost${resourceToken}'
var voiceStorageName = 'stvoice${resourceToken}'
var keyVaultName = 'kv-${resourceToken}'
var keyName = 'key-encryption'
var functionAppName = 'func-${resourceToken}'
var apiManagementName = 'apim-${resourceToken}'

var withApiManagement = apiManagementSku != 'None'
var apiManagementUrl = 'https://${apiManagementName}.azure-api.net'
var ownUrl = withApiManagement ? apiManagementUrl : ''

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: workspaceName
    applicationInsightsName: applicationInsightsName
    location: location
    tags: tags
    retentionDays: logRetentionDays
  }
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module storageHost 'modules/storage-host.bicep' = {
  scope: group
  params: {
    name: hostStorageName
    location: location
    tags: tags
    isPrivate: vnetEnabled
  }
}

module storageVoice 'modules/storage-voice.bicep' = {
  scope: group
  params: {
    name: voiceStorageName
    location: location
    tags: tags
    redundancy: voiceStorageRedundancy
    isPrivate: vnetEnabled
    isLocked: lockVoiceStorage
    logAccess: logVoiceAccess
    workspaceId: monitoring.outputs.workspaceId
  }
}

module keyVault 'modules/key-vault.bicep' = {
  scope: group
  params: {
    name: keyVaultName
    keyName: keyName
    location: location
    tags: tags
    sku: keyVaultSku
    isRecovered: recoverKeyVault
    isPrivate: vnetEnabled
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    identityName: identityName
    hostStorageName: hostStorageName
    voiceStorageName: voiceStorageName
    keyVaultName: keyVaultName
    keyName: keyName
    applicationInsightsName: applicationInsightsName
  }
  dependsOn: [
    identity
    storageHost
    storageVoice
    keyVault
    monitoring
  ]
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  scope: group
  params: {
    name: 'vnet-${resourceToken}'
    location: location
    tags: tags
  }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (vnetEnabled) {
  scope: group
  params: {
    location: location
    tags: tags
    networkId: network.?outputs.networkId ?? ''
    subnetId: network.?outputs.endpointSubnetId ?? ''
    hostStorageName: hostStorageName
    voiceStorageName: voiceStorageName
    keyVaultName: keyVaultName
    resourceToken: resourceToken
  }
  dependsOn: [
    storageHost
    storageVoice
    keyVault
  ]
}

module functionApp 'modules/function-app.bicep' = {
  scope: group
  params: {
    name: functionAppName
    planName: 'plan-${resourceToken}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostBlobEndpoint: storageHost.outputs.blobEndpoint
    packageContainerName: storageHost.outputs.packageContainerName
    voiceTableEndpoint: storageVoice.outputs.tableEndpoint
    voiceBlobEndpoint: storageVoice.outputs.blobEndpoint
    keyUri: keyVault.outputs.keyUri
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    speakerModel: speakerModel
    previousSpeakerModel: !empty(previousSpeakerModel)
      ? previousSpeakerModel
      : speakerModel == 'campplus-channels-1' ? 'ge2e-1' : 'none'
    strictAudio: strictAudio
    activation: activation
    publicUrl: empty(publicUrl) ? ownUrl : publicUrl
    allowedHosts: allowedHosts
    allowedOrigins: allowedOrigins
    trustedHops: trustedHops
    recordingHosts: recordingHosts
    console: console
    galleryMegabytes: galleryMegabytes
    requestsPerSecond: requestsPerSecond
    workAtOnce: workAtOnce
    workWaiting: workWaiting
    waitSeconds: waitSeconds
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    httpConcurrency: httpConcurrency
    zoneRedundant: zoneRedundant
    updateStrategy: updateStrategy
    openTelemetry: openTelemetry
    subnetId: network.?outputs.appSubnetId ?? ''
    allowedAddressRanges: empty(allowedAddressRanges) ? [] : split(replace(allowedAddressRanges, ' ', ''), ',')
  }
  dependsOn: [
    roles
    privateEndpoints
  ]
}

module apiManagement 'modules/api-management.bicep' = if (withApiManagement) {
  scope: group
  params: {
    name: apiManagementName
    location: location
    tags: tags
    sku: apiManagementSku
    publisherEmail: alertEmail
    backendUrl: functionApp.outputs.url
    workspaceId: monitoring.outputs.workspaceId
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    errorPercent: errorPercentAlert
    wrongKeys: wrongKeysAlert
    erasureOverdueHours: erasureOverdueHours
    resourceToken: resourceToken
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0 && !empty(alertEmail) && !empty(budgetStartDate)) {
  scope: group
  params: {
    name: 'budget-${resourceToken}'
    monthlyAmount: monthlyBudget
    startDate: budgetStartDate
    email: alertEmail
  }
}

@description('Region, for azd.')
output AZURE_LOCATION string = location

@description('Tenant, for azd.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Resource group, for azd and the operator.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the function app: az functionapp keys list shows its management key.')
output AZURE_FUNCTION_NAME string = functionAppName

@description('Base URL to give to callers.')
output TIMBRE_URL string = empty(publicUrl)
  ? (withApiManagement ? apiManagementUrl : functionApp.outputs.url)
  : publicUrl

@description('URL of the function app itself, where /manage answers.')
output TIMBRE_MANAGEMENT_URL string = functionApp.outputs.url

@description('Account that holds the voice data.')
output VOICE_STORAGE_ACCOUNT string = voiceStorageName

@description('Vault that holds the key-encryption key.')
output KEY_VAULT_NAME string = keyVaultName

@description('Workspace with logs, requests and audit records.')
output LOG_ANALYTICS_WORKSPACE string = workspaceName
