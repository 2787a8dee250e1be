// The operator's page in the portal: requests, recognition, erasures, alarms.

@description('Azure region.')
param location string

@description('Tags of the workbook.')
param tags { *: string }

@description('Workspace that the workbook queries.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Azure asks for a GUID as the name.
  name: guid(resourceGroup().id, 'timbre')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Timbre'
    category: 'workbook'
    sourceId: workspaceId
    version: 'Notebook/1.0'
    serializedData: replace(loadTextContent('../workbook.json'), '<workspace id>', workspaceId)
  }
}
