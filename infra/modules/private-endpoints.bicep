// Optional: private endpoints for everything that holds data, with the DNS zones that lead to them.

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags { *: string }

@description('Network whose names resolve to the endpoints.')
param networkId string

@description('Subnet that the endpoints stand in.')
param subnetId string

@description('Account of the functions host.')
param hostStorageName string

@description('Account of the voice data.')
param voiceStorageName string

@description('Vault of the key-encryption key.')
param keyVaultName string

@description('What makes names unique.')
param resourceToken string

// No queue, no table of the host's account: nothing uses them (function-app.bicep, AzureWebJobsStorage).
var zoneNames = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink.vaultcore.azure.net'
]

// `zone` is a position in zoneNames.
var endpoints = [
  {
    name: 'host-blob'
    type: 'Microsoft.Storage/storageAccounts'
    target: hostStorageName
    group: 'blob'
    zone: 0
  }
  {
    name: 'voice-blob'
    type: 'Microsoft.Storage/storageAccounts'
    target: voiceStorageName
    group: 'blob'
    zone: 0
  }
  {
    name: 'voice-table'
    type: 'Microsoft.Storage/storageAccounts'
    target: voiceStorageName
    group: 'table'
    zone: 1
  }
  {
    name: 'vault'
    type: 'Microsoft.KeyVault/vaults'
    target: keyVaultName
    group: 'vault'
    zone: 2
  }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zoneName in zoneNames: {
    name: zoneName
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zoneName, index) in zoneNames: {
    parent: zones[index]
    name: 'link-${resourceToken}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: networkId
      }
    }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2026-03-01' = [
  for endpoint in endpoints: {
    name: 'pep-${endpoint.name}-${resourceToken}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: subnetId
      }
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: {
            privateLinkServiceId: resourceId(endpoint.type, endpoint.target)
            groupIds: [
              endpoint.group
            ]
          }
        }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = [
  for (endpoint, index) in endpoints: {
    parent: privateEndpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: endpoint.group
          properties: {
            privateDnsZoneId: zones[endpoint.zone].id
          }
        }
      ]
    }
  }
]
