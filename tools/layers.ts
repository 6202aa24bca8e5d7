/**
 * What each package may import of ours, one line each; everything else is refused by `npm run tidy`. Imports point down
 * only. A change here needs an ADR.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  // base
  base: [],
  // contracts
  config: ['base'],
  telemetry: ['base'],
  wire: ['base'],
  record: ['base'],
  'connect-api': ['base', 'config'],
  // parts
  log: ['base', 'record', 'config', 'telemetry'],
  coordination: ['base', 'telemetry'],
  security: ['base', 'config', 'telemetry', 'wire'],
  client: ['base', 'wire', 'record', 'config', 'telemetry', 'security'],
  quota: ['base', 'config', 'telemetry'],
  transforms: ['base', 'connect-api'],
  converters: ['base', 'connect-api'],
  formats: ['base', 'connect-api'],
  // engine
  controller: ['base', 'wire', 'config', 'telemetry', 'coordination'],
  replication: ['base', 'wire', 'record', 'config', 'telemetry', 'log'],
  coordinator: ['base', 'wire', 'record', 'config', 'telemetry', 'log'],
  'connect-runtime': [
    'base',
    'wire',
    'record',
    'connect-api',
    'config',
    'telemetry',
    'client',
    'transforms',
    'converters',
  ],
  // connectors
  'connector-file': ['connect-api', 'formats'],
  'connector-postgres-cdc': ['connect-api', 'formats'],
  'connector-s3': ['connect-api', 'formats'],
  // apps
  broker: [
    'base',
    'wire',
    'record',
    'config',
    'telemetry',
    'log',
    'security',
    'quota',
    'coordination',
    'controller',
    'replication',
    'coordinator',
  ],
  'connect-worker': [
    'base',
    'config',
    'telemetry',
    'security',
    'client',
    'connect-api',
    'connect-runtime',
    'transforms',
    'converters',
    'connector-file',
    'connector-postgres-cdc',
    'connector-s3',
  ],
  admin: ['base', 'config', 'telemetry', 'security', 'client'],
  cli: ['base', 'config', 'telemetry', 'broker', 'connect-worker', 'admin'],
  // imported by tests only
  testing: ['base', 'record'],
}
