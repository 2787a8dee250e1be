// The identity that the function app runs as. User-assigned: it exists, with its roles, before the app does.

@description('Name of the identity.')
param name string

@description('Azure region.')
param location string

@description('Tags of the identity.')
param tags { *: string }

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id

@description('Client id: which identity the SDKs ask a token for.')
output clientId string = identity.properties.clientId
