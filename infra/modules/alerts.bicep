// What a person is woken for. Each rule counts or measures what a query in ../queries answers.

@description('Azure region.')
param location string

@description('Tags of the rules.')
param tags { *: string }

@description('Workspace that the rules query.')
param workspaceId string

@description('Who is told; empty: alerts show in the portal only.')
param email string

@description('Percentage of 5xx answers that raises an alert.')
param errorPercent int

@description('Requests with a wrong key in 15 minutes that raise an alert.')
param wrongKeys int

@description('Hours that an erasure may take.')
param erasureOverdueHours int

@description('What makes names unique.')
param resourceToken string

// Severity 0: critical, 1: error, 2: warning. A rule that `heals` closes its alert by itself.
// The timer runs every 5 minutes (functions/retention.py): six ticks missed in a row is no hiccup.
var rules = [
  {
    name: 'tamper'
    displayName: 'A sealed value did not open: altered, swapped or restored from elsewhere'
    severity: 0
    query: loadTextContent('../queries/tamper.kql')
    frequency: 'PT5M'
    window: 'PT5M'
    operator: 'GreaterThan'
    threshold: 0
    aggregation: 'Count'
    column: ''
    heals: false
  }
  {
    name: 'retention-silent'
    displayName: 'The retention timer has not finished a run for 30 minutes'
    severity: 1
    query: loadTextContent('../queries/retention-runs.kql')
    frequency: 'PT15M'
    window: 'PT30M'
    operator: 'LessThan'
    threshold: 1
    aggregation: 'Count'
    column: ''
    heals: true
  }
  {
    name: 'erasure-overdue'
    displayName: 'A deleted subscription is not erased yet'
    severity: 1
    query: loadTextContent('../queries/erasure-age.kql')
    frequency: 'PT15M'
    window: 'PT30M'
    operator: 'GreaterThan'
    threshold: erasureOverdueHours
    aggregation: 'Maximum'
    column: 'OldestErasureHours'
    heals: true
  }
  {
    name: 'audit-unwritten'
    displayName: 'An audit record of a refusal could not be stored: it is in the log'
    severity: 1
    query: loadTextContent('../queries/audit-unwritten.kql')
    frequency: 'PT15M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    aggregation: 'Count'
    column: ''
    heals: false
  }
  {
    name: 'clock-wrong'
    displayName: 'The clock of an instance and that of storage are more than 5 minutes apart: it erases nothing'
    severity: 1
    query: loadTextContent('../queries/clock-wrong.kql')
    frequency: 'PT15M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    aggregation: 'Count'
    column: ''
    heals: true
  }
  {
    name: 'errors'
    displayName: 'Too many requests end with 5xx'
    severity: 2
    query: loadTextContent('../queries/error-percent.kql')
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: errorPercent
    aggregation: 'Maximum'
    column: 'ErrorPercent'
    heals: true
  }
  {
    name: 'wrong-keys'
    displayName: 'Many requests come with a key that opens nothing'
    severity: 2
    query: loadTextContent('../queries/wrong-keys.kql')
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: wrongKeys
    aggregation: 'Maximum'
    column: 'WrongKeys'
    heals: true
  }
  {
    name: 'worker-restarts'
    displayName: 'The process that runs Timbre has died and was replaced'
    severity: 2
    query: loadTextContent('../queries/worker-restarts.kql')
    frequency: 'PT15M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    aggregation: 'Count'
    column: ''
    heals: false
  }
]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${resourceToken}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'timbre'
    enabled: true
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource queryRules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: 'alert-${rule.name}-${resourceToken}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.displayName
      severity: rule.severity
      enabled: true
      scopes: [
        workspaceId
      ]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      // In a fresh workspace the tables of Application Insights do not exist yet.
      skipQueryValidation: true
      autoMitigate: rule.heals
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: rule.aggregation
            metricMeasureColumn: empty(rule.column) ? null : rule.column
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: empty(email)
          ? []
          : [
              operators.id
            ]
      }
    }
  }
]
