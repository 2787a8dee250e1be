// The service itself, on a Flex Consumption plan.

@description('Name of the function app; its address is <name>.azurewebsites.net.')
param name string

@description('Name of the plan.')
param planName string

@description('Azure region.')
param location string

@description('Tags of both.')
param tags { *: string }

@description('Resource id of the identity that the app runs as.')
param identityId string

@description('Client id of the same identity.')
param identityClientId string

@description('Blob endpoint of the host\'s account, with a slash at its end.')
param hostBlobEndpoint string

@description('Container in it that packages are deployed to.')
param packageContainerName string

@description('Table endpoint of the voice data.')
param voiceTableEndpoint string

@description('Blob endpoint of the voice data.')
param voiceBlobEndpoint string

@description('URL of the key-encryption key, without a version.')
param keyUri string

@description('Where telemetry goes. No secret: local authentication is off.')
param applicationInsightsConnectionString string

@description('Speaker model by its name in models/catalogue.json.')
param speakerModel string

@description('The model that speakerModel replaces, or none.')
param previousSpeakerModel string

@description('Whether only 16 kHz 16-bit mono PCM WAV is accepted.')
param strictAudio bool

@description('Whether the first enrollment of a text-independent profile needs the activation phrase.')
param activation bool

@description('Base URL that callers use; empty: the request\'s own.')
param publicUrl string

@description('Own domain names of the app, a comma list.')
param allowedHosts string

@description('Origins whose pages may read answers, a comma list; *: every page.')
param allowedOrigins string

@description('Which entry of X-Forwarded-For is the caller\'s address, counted from the right.')
param trustedHops int

@description('Hosts that long recordings may be read from, a comma list.')
param recordingHosts string

@description('Serve the console, a page for people, at /console.')
param console bool

@description('Memory in MB that an instance gives to signatures, for identify among everyone.')
param galleryMegabytes int

@description('Requests per second of a subscription that has no number of its own; 0: no limit.')
param requestsPerSecond int

@description('How many enrolls, verifies and identifies a process works on at once; empty: by its processors.')
param workAtOnce string

@description('How many more may wait for their turn; empty: twice as many.')
param workWaiting string

@description('Seconds that a recognition waits for its turn.')
param waitSeconds string

@description('Memory of an instance in MiB.')
param instanceMemoryMB int

@description('The most instances.')
param maximumInstanceCount int

@description('Instances that stay warm for HTTP.')
param alwaysReadyInstances int

@description('HTTP requests at a time on one instance.')
param httpConcurrency int

@description('Whether instances are spread over availability zones.')
param zoneRedundant bool

@description('How instances are replaced: RollingUpdate or Recreate.')
param updateStrategy string

@description('Whether the host exports by OpenTelemetry.')
param openTelemetry bool

@description('Subnet for outgoing traffic; empty: none.')
param subnetId string

@description('IP ranges that may call; empty: all.')
param allowedAddressRanges string[]

var allowedCallers = [
  for (addressRange, index) in allowedAddressRanges: {
    name: 'allowed-${index}'
    ipAddress: addressRange
    action: 'Allow'
    priority: 100 + index
  }
]

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // How azd finds the app for the service in azure.yaml.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    clientAffinityEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostBlobEndpoint}${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: (alwaysReadyInstances == 0)
          ? []
          : [
              {
                name: 'http'
                instanceCount: alwaysReadyInstances
              }
            ]
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
      // Documented for this version of the API, and not in its published types: the compiler cannot know it.
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: updateStrategy
      }
    }
    // Flex Consumption refuses most of what other plans take here (ftpsState, linuxFxVersion, alwaysOn, ...).
    siteConfig: {
      minTlsVersion: '1.2'
      ipSecurityRestrictions: empty(allowedAddressRanges) ? null : allowedCallers
      ipSecurityRestrictionsDefaultAction: empty(allowedAddressRanges) ? null : 'Deny'
    }
  }
}

// Deployments come with an Entra token; user name and password for publishing are off.
resource noPasswordForDeployment 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource noPasswordForFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

// shared/config.py is the source of the names; tests/infra holds the two lists together. There is no secret among
// them. The host and the app find everything by address and by their identity.
resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    // Blobs only: timers and keys live there; nothing of this app uses the host's queues or tables.
    AzureWebJobsStorage__blobServiceUri: hostBlobEndpoint
    APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    // Overrides host.json. The worker sends its lines to the host either way; with OpenTelemetry the host exports them.
    AzureFunctionsJobHost__telemetryMode: openTelemetry ? 'OpenTelemetry' : 'ApplicationInsights'
    // Read with OpenTelemetry only: keep everything. Otherwise the exporter keeps 5 traces a second and the lines in them.
    OTEL_TRACES_SAMPLER: 'microsoft.fixed_percentage'
    OTEL_TRACES_SAMPLER_ARG: '1.0'
    // The threads that run requests, most of which wait for storage; the app sizes its own pool by it.
    PYTHON_THREADPOOL_THREAD_COUNT: string((4 * httpConcurrency) + 4)
    // Eight times MAX_BODY_BYTES of shared/domain/limits.py (32 MiB): what is larger than ours is refused by us, in the
    // API's own words. Beyond this limit the host answers 500 without a body. Not unlimited, because the host reads a
    // body of announced length whole before it calls the app.
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '268435456'
    // HTTP streams start while the worker is initialised, which takes the functions to be known by then.
    PYTHON_ENABLE_INIT_INDEXING: '1'
    // GET / is the app's own answer instead of Azure's welcome page.
    AzureWebJobsDisableHomepage: 'true'
    VOICE_STORAGE__tableServiceUri: voiceTableEndpoint
    VOICE_STORAGE__blobServiceUri: voiceBlobEndpoint
    VOICE_STORAGE__clientId: identityClientId
    TIMBRE_KEY_ENCRYPTION: 'vault:${keyUri}'
    TIMBRE_MODEL: speakerModel
    TIMBRE_PREVIOUS_MODEL: previousSpeakerModel
    TIMBRE_STRICT_AUDIO: toLower(string(strictAudio))
    TIMBRE_ACTIVATION: toLower(string(activation))
    TIMBRE_PUBLIC_URL: publicUrl
    TIMBRE_ALLOWED_HOSTS: allowedHosts
    TIMBRE_ALLOWED_ORIGINS: allowedOrigins
    TIMBRE_TRUSTED_HOPS: string(trustedHops)
    TIMBRE_RECORDING_HOSTS: recordingHosts
    TIMBRE_CONSOLE: toLower(string(console))
    TIMBRE_GALLERY_MEGABYTES: string(galleryMegabytes)
    TIMBRE_REQUESTS_PER_SECOND: string(requestsPerSecond)
    TIMBRE_AT_ONCE: workAtOnce
    TIMBRE_WAITING: workWaiting
    TIMBRE_WAIT_SECONDS: waitSeconds
  }
}

@description('Base URL of the function app.')
output url string = 'https://${app.properties.defaultHostName}'
