import { int, sinkConnector, sourceConnector, string } from '@millrace/connect-api'
import { converters, headerConverters } from '@millrace/converters'
import { silentLogger } from '@millrace/telemetry'
import { transforms } from '@millrace/transforms'
import { entryOf } from '../plugins/load-path'
import { PluginRegistry } from '../plugins/registry'
import { createConfigProviders } from './config-providers'
import { validateConnectorConfig } from './validate'

const source = sourceConnector({
  name: 'test-source',
  classNames: ['org.example.TestSourceConnector'],
  version: '1',
  doc: '',
  options: {
    host: string('db.host', { doc: 'Host of the database.' }),
    port: int('db.port', { default: 5432, min: 1, doc: 'Its port.' }),
  },
  validate: ({ host, port }) =>
    host === 'forbidden' ? [{ key: 'db.host', given: host, expected: `not port ${port}` }] : [],
  createTask: () => ({ start: async () => {}, poll: async () => [], stop: async () => {} }),
})
const sink = sinkConnector({
  name: 'test-sink',
  classNames: ['org.example.TestSinkConnector'],
  version: '1',
  doc: '',
  options: {},
  createTask: () => ({ start: async () => {}, put: async () => {}, stop: async () => {} }),
})
const registry = new PluginRegistry({ logger: silentLogger }, [
  { connectors: [entryOf(source), entryOf(sink)], transforms, converters, headerConverters },
])
const deps = {
  registry,
  workerProperties: {},
  overrideRules: { clientOverridePolicy: 'All', clientOverrideAllowlist: [] },
  providers: createConfigProviders(
    { disk: { readFile: async () => null }, environment: {} },
    {},
    [],
  ),
}
const problemsOf = async (properties: Record<string, string>) => {
  const { problems } = await validateConnectorConfig(deps, { name: 'c', ...properties })
  return problems.map(({ key }) => key)
}

describe('validateConnectorConfig', () => {
  it('accepts a complete configuration by every name of the class', async () => {
    const names = [
      'org.example.TestSourceConnector',
      'TestSourceConnector',
      'TestSource',
      'test-source',
    ]
    for (const name of names) {
      expect(await problemsOf({ 'connector.class': name, 'db.host': 'h' })).toEqual([])
    }
  })

  it('reports everything at once', async () => {
    const problems = await problemsOf({
      'connector.class': 'test-source',
      'db.port': 'many',
      'tasks.max': '0',
      'key.converter': 'NoSuchConverter',
      'errors.tolerance': 'some',
      transforms: 'a,b',
      'transforms.a.type': 'NoSuchTransform',
      'transforms.b.type': 'RegexRouter',
      'transforms.b.regex': '(',
      'transforms.b.predicate': 'nobody',
      predicates: 'p',
      'topic.creation.default.partitions': '0',
    })
    expect(problems.sort()).toEqual(
      [
        'db.host',
        'db.port',
        'errors.tolerance',
        'key.converter',
        'predicates.p.type',
        'tasks.max',
        'topic.creation.default.partitions',
        'transforms.a.type',
        'transforms.b.predicate',
        'transforms.b.regex',
        'transforms.b.replacement',
      ].sort(),
    )
  })

  it('asks the plugin once its options are readable', async () => {
    expect(await problemsOf({ 'connector.class': 'test-source', 'db.host': 'forbidden' })).toEqual([
      'db.host',
    ])
  })

  it('names the connectors that there are when the class is unknown', async () => {
    const { problems } = await validateConnectorConfig(deps, {
      name: 'c',
      'connector.class': 'x.Y',
    })
    expect(problems[0].expected).toContain('org.example.TestSinkConnector')
  })

  it.each([
    [{}, ['topics']],
    [{ topics: 'a', 'topics.regex': 'b' }, ['topics']],
    [{ topics: 'a,b' }, []],
    [{ 'topics.regex': 'shop\\..*' }, []],
    [{ 'topics.regex': '(' }, ['topics.regex']],
    [
      { topics: 'a', 'errors.deadletterqueue.topic.name': 'a' },
      ['errors.deadletterqueue.topic.name'],
    ],
  ])('wants exactly one of topics and topics.regex: %j', async (properties, expected) => {
    expect(await problemsOf({ 'connector.class': 'test-sink', ...properties })).toEqual(expected)
  })

  it('accepts unknown keys and tells which they are, client overrides apart', async () => {
    const { problems, unknown } = await validateConnectorConfig(deps, {
      name: 'c',
      'connector.class': 'test-sink',
      topics: 'a',
      'surprise.key': '1',
      'consumer.override.fetch.min.bytes': '1',
    })
    expect(problems).toEqual([])
    expect(unknown).toEqual(['surprise.key'])
  })

  it('reports a placeholder that cannot be resolved and shows the others unresolved', async () => {
    const { problems, keys } = await validateConnectorConfig(deps, {
      name: 'c',
      'connector.class': 'test-source',
      'db.host': '${env:NOT_SET}',
    })
    expect(problems.map(({ key }) => key)).toContain('db.host')
    expect(keys.find(({ name }) => name === 'db.host')?.value).toBe('${env:NOT_SET}')
  })

  const overridesOf = async (clientOverridePolicy: string, ...settings: string[]) => {
    const overrideRules = { clientOverridePolicy, clientOverrideAllowlist: ['linger.ms'] }
    const overrides = settings.map((key) => [key, 'secret'])
    const config = { name: 'c', 'connector.class': 'test-source', 'db.host': 'h' }
    return validateConnectorConfig(
      { ...deps, overrideRules },
      { ...config, ...Object.fromEntries(overrides) },
    )
  }

  it.each([
    ['All', []],
    ['None', ['producer.override.linger.ms', 'admin.override.sasl.jaas.config']],
    ['Principal', ['producer.override.linger.ms']],
    ['Allowlist', ['admin.override.sasl.jaas.config']],
    [
      'org.apache.kafka.connect.connector.policy.PrincipalConnectorClientConfigOverridePolicy',
      ['producer.override.linger.ms'],
    ],
  ])(
    'takes the settings of clients that the policy %s lets a connector change',
    async (policy, refused) => {
      const settings = ['producer.override.linger.ms', 'admin.override.sasl.jaas.config']
      const { problems, keys } = await overridesOf(policy, ...settings)
      expect(problems.map(({ key }) => key)).toEqual(refused)
      for (const name of refused)
        expect(keys.find((key) => key.name === name)).toMatchObject({
          value: '[hidden]',
          errors: [expect.stringContaining(`policy of the worker is ${policy}`)],
        })
    },
  )
})
