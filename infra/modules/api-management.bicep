// Optional: a gateway in front, for rate limits, a name of your own and a firewall. It passes requests through; the
// subscription keys are Timbre's, not API Management's.

@description('Name of the gateway; its address is <name>.azure-api.net.')
param name string

@description('Azure region.')
param location string

@description('Tags of the gateway.')
param tags { *: string }

@description('Tier.')
param sku string

@description('Address that Azure writes to about the gateway.')
param publisherEmail string

@description('URL of the function app.')
param backendUrl string

@description('Workspace that the gateway\'s log goes to.')
param workspaceId string

var methods = [
  'GET'
  'POST'
  'PUT'
  'PATCH'
  'DELETE'
  'OPTIONS'
]

resource service 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: sku
    capacity: 1
  }
  properties: {
    publisherEmail: publisherEmail
    publisherName: 'Timbre'
  }
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: 'timbre'
  properties: {
    displayName: 'Timbre'
    path: ''
    protocols: [
      'https'
    ]
    serviceUrl: backendUrl
    subscriptionRequired: false
    // The gateway's default is Ocp-Apim-Subscription-Key, the header that carries Timbre's own keys.
    subscriptionKeyParameterNames: {
      header: 'X-Gateway-Key'
      query: 'gateway-key'
    }
  }
}

resource operations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = [
  for method in methods: {
    parent: api
    name: toLower(method)
    properties: {
      displayName: method
      method: method
      urlTemplate: '/*'
    }
  }
]

resource policy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../api-management-policy.xml')
  }
}

#disable-next-line use-recent-api-versions // the only stable version is of 2016
resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: service
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'GatewayLogs'
        enabled: true
      }
    ]
  }
}
