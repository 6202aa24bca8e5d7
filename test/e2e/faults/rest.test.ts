import { Millrace } from '../../../examples/postgres-to-s3/millrace'
import { CleanUps, rest } from './harness'
import { eventually } from '../wait'

jest.setTimeout(30_000)

const POSTGRES = 'io.debezium.connector.postgresql.PostgresConnector'
const S3 = 'io.confluent.connect.s3.S3SinkConnector'
const FILE = 'org.apache.kafka.connect.file.FileStreamSinkConnector'

const cleanUps = new CleanUps()
let millrace: Millrace
beforeAll(async () => {
  millrace = await Millrace.start(cleanUps.directory())
  cleanUps.add(() => millrace.kill())
})
afterAll(() => cleanUps.run())
afterEach(async () => expect((await rest(millrace, 'GET', '/connectors')).body).toEqual([]))

const create = (config: unknown, name: unknown = 'wrong') =>
  rest(millrace, 'POST', '/connectors', { name, config })

/** Refused with 400 and a message in which each of these stands. */
async function expectRefused(body: unknown, ...parts: readonly (string | RegExp)[]): Promise<void> {
  const answer = await rest(millrace, 'POST', '/connectors', body)
  expect(answer).toMatchObject({ status: 400, body: { error_code: 400 } })
  for (const part of parts) expect(answer.body.message).toMatch(part)
}

describe('a connector that is wrong is refused with every error at once', () => {
  it('when options are missing', async () => {
    await expectRefused(
      { name: 'wrong', config: { 'connector.class': POSTGRES } },
      'database.hostname',
      'database.user',
      'database.dbname',
      'topic.prefix',
    )
    await expectRefused(
      { name: 'wrong', config: { 'connector.class': S3 } },
      's3.bucket.name',
      'flush.size',
      /topics/,
    )
  })

  it('when options are invalid, those of the runtime, of transforms and of converters as well', async () => {
    const config = {
      'connector.class': S3,
      topics: 'a',
      'tasks.max': 'zero',
      's3.bucket.name': 'bucket',
      'flush.size': '0',
      'store.url': 'gopher://x',
      'errors.tolerance': 'some',
      'value.converter': 'org.example.NoConverter',
      transforms: 'route,lost',
      'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
      'transforms.route.regex': '(',
      'transforms.lost.type': 'org.example.NoTransform',
    }
    await expectRefused(
      { name: 'wrong', config },
      /tasks\.max/,
      /flush\.size/,
      /store\.url/,
      /errors\.tolerance/,
      /org\.example\.NoConverter/,
      /transforms\.route\.regex/,
      /transforms\.route\.replacement/,
      /org\.example\.NoTransform/,
    )
  })

  it('by PUT as well, and the connector of that name stays as it is', async () => {
    const config = { 'connector.class': FILE, topics: 'a', file: '/dev/null' }
    expect((await create(config, 'kept')).status).toBe(201)
    const wrong = { ...config, 'tasks.max': '-1' }
    const { status, body } = await rest(millrace, 'PUT', '/connectors/kept/config', wrong)
    expect(status).toBe(400)
    expect(body.message).toMatch(/tasks\.max/)
    expect((await rest(millrace, 'GET', '/connectors/kept/config')).body).toMatchObject(config)
    expect((await rest(millrace, 'DELETE', '/connectors/kept')).status).toBe(204)
  })

  it('when the class is unknown or missing, naming those that are known', async () => {
    const config = { 'connector.class': 'org.example.NoConnector' }
    await expectRefused({ name: 'wrong', config }, /org\.example\.NoConnector/, POSTGRES, S3, FILE)
    await expectRefused({ name: 'wrong', config: {} }, /connector\.class/)
  })

  it('and validate gives the same errors per option', async () => {
    const path = '/connector-plugins/S3SinkConnector/config/validate'
    const config = { name: 'a', 'connector.class': S3, topics: 'a', 'flush.size': 'many' }
    const { status, body } = await rest(millrace, 'PUT', path, config)
    expect(status).toBe(200)
    const wrong = body.configs
      .filter(({ value }: { value: { errors: string[] } }) => value.errors.length > 0)
      .map(({ value }: { value: { name: string } }) => value.name)
    expect(wrong.sort()).toEqual(['flush.size', 's3.bucket.name'])
    expect(body.error_count).toBe(2)
  })
})

describe('an unknown option', () => {
  it('is accepted and logged', async () => {
    const config = { 'connector.class': FILE, topics: 'a', file: '/dev/null', 'flush.sise': '3' }
    expect((await create(config, 'curious')).status).toBe(201)
    await eventually(() => expect(millrace.log).toMatch(/flush\.sise/))
    const { body } = await rest(millrace, 'GET', '/connectors/curious/config')
    expect(body['flush.sise']).toBe('3')
    expect((await rest(millrace, 'DELETE', '/connectors/curious')).status).toBe(204)
  })
})

describe('a body that is wrong is refused with 400', () => {
  it.each([
    ['no JSON', '{"name": "wrong", "config": {'],
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"wrong"'],
    ['without a configuration', '{"name": "wrong"}'],
    ['with a configuration that is a list', '{"name": "wrong", "config": []}'],
    ['with a name that is an object', `{"name": {}, "config": {"connector.class": "${FILE}"}}`],
    ['with an option that is an object', '{"name": "wrong", "config": {"topics": {"a": 1}}}'],
    ['with two names', `{"name": "wrong", "config": {"connector.class": "${FILE}", "name": "x"}}`],
  ])('%s', async (_, body) => {
    await expectRefused(body, /./)
  })

  it('too large is 413, and the next request is served', async () => {
    for (const sizeBytes of [4 * 2 ** 20, 32 * 2 ** 20]) {
      const config = { 'connector.class': FILE, topics: 'x'.repeat(sizeBytes) }
      expect((await create(config)).status).toBe(413)
      expect((await rest(millrace, 'GET', '/health')).status).toBe(200)
    }
  })
})
