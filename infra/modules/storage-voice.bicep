// The account for voice data: tables (signatures, keys, audit) and blobs (enrollment audio), all sealed by the app.

@description('Name of the account.')
param name string

@description('Azure region.')
param location string

@description('Tags of the account.')
param tags { *: string }

@description('Copies: Standard_LRS, Standard_ZRS, or geo-redundant.')
param redundancy string

@description('Whether private endpoints are the only way in.')
param isPrivate bool

@description('Whether the account is locked against deletion.')
param isLocked bool

@description('Whether every call is logged.')
param logAccess bool

@description('Workspace that the log of calls goes to.')
param workspaceId string

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    // No account keys and no shared access signatures: only identities with a role read voices.
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

// Everything here that would keep a deleted recording is off, and said to be off: a deleted voice must be gone
// (docs/privacy.md, "What Azure itself keeps"). Soft delete would bring it back for days; versions and the change
// feed remember each blob that was; point-in-time restore needs all three. The price: what is deleted by mistake
// is deleted. Tables have no such features.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: false
    }
    containerDeleteRetentionPolicy: {
      enabled: false
    }
    isVersioningEnabled: false
    changeFeed: {
      enabled: false
    }
    restorePolicy: {
      enabled: false
    }
  }
}

resource voiceTables 'Microsoft.Storage/storageAccounts/tableServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {}
}

#disable-next-line use-recent-api-versions // the only stable version is of 2016
resource blobLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logAccess) {
  scope: blobs
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageRead'
        enabled: true
      }
      {
        category: 'StorageWrite'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

#disable-next-line use-recent-api-versions // the only stable version is of 2016
resource tableLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logAccess) {
  scope: voiceTables
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageRead'
        enabled: true
      }
      {
        category: 'StorageWrite'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  scope: account
  name: 'voice-data'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the only copy of the enrolled voices. Deleting voices inside is not affected.'
  }
}

@description('Blob endpoint.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('Table endpoint.')
output tableEndpoint string = account.properties.primaryEndpoints.table
