// The key-encryption key: wraps each subscription's data key and never leaves the vault (shared/storage/sealing/key_vault.py).

@description('Name of the vault.')
param name string

@description('Name of the key.')
param keyName string

@description('Azure region.')
param location string

@description('Tags of the vault.')
param tags { *: string }

@description('Tier: premium keeps the key in a hardware module.')
param sku string

@description('Whether a deleted vault of this name is brought back.')
param isRecovered bool

@description('Whether a private endpoint is the only way in.')
param isPrivate bool

@description('Workspace that the audit log goes to.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: sku
    }
    createMode: isRecovered ? 'recover' : 'default'
    enableRbacAuthorization: true
    // Whoever destroys this key makes every voice unreadable: deletion can be undone for 90 days, by nobody shortened.
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Resource Manager makes the key below from outside the network.
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

// Made once: a deployment over an existing key changes nothing about it, not the policy either.
// A new version each year wraps new data keys; old versions still unwrap, past their expiry too, as long as they are
// enabled. Moving the old data keys to the new version is an operator's step (docs/operations.md).
resource key 'Microsoft.KeyVault/vaults/keys@2026-05-15' = {
  parent: vault
  name: keyName
  properties: {
    kty: sku == 'premium' ? 'RSA-HSM' : 'RSA'
    keySize: 3072
    keyOps: [
      'wrapKey'
      'unwrapKey'
    ]
    attributes: {
      enabled: true
      exportable: false
    }
    rotationPolicy: {
      attributes: {
        expiryTime: 'P2Y'
      }
      lifetimeActions: [
        {
          action: {
            type: 'rotate'
          }
          trigger: {
            timeAfterCreate: 'P1Y'
          }
        }
        {
          action: {
            type: 'notify'
          }
          trigger: {
            timeBeforeExpiry: 'P30D'
          }
        }
      ]
    }
  }
}

#disable-next-line use-recent-api-versions // the only stable version is of 2016
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

@description('URL of the key without a version: new data keys follow a rotation by themselves.')
output keyUri string = key.properties.keyUri
