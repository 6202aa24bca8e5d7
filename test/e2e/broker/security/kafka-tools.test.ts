import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findKafka, runTool } from '../../../peers/apache-kafka'
import { startTestBroker, type TestBroker } from '../harness'
import { PLAIN_MODULE } from './login'

/** Kafka's own tools log in, make users and tokens. */
const home = findKafka()
const describeWithKafka = 'missing' in home ? describe.skip : describe
const TOOL_MAX_MS = 60_000
const SCRAM_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule required'
const OAUTH_MODULE = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required'

const directory = mkdtempSync(join(tmpdir(), 'millrace-tools-'))
let broker: TestBroker

/** A file for `--command-config`. */
function login(name: string, mechanism: string, jaas: string): string {
  const file = join(directory, name)
  const lines = ['security.protocol=SASL_PLAINTEXT', `sasl.mechanism=${mechanism}`]
  writeFileSync(file, [...lines, `sasl.jaas.config=${jaas};`].join('\n'))
  return file
}

async function tool(mainClass: string, config: string, ...args: string[]): Promise<string> {
  if ('missing' in home) throw new Error(home.missing)
  const common = ['--bootstrap-server', broker.bootstrap, '--command-config', config]
  const result = await runTool(home, mainClass, [...common, ...args], { heapMb: 96 })
  const { code, stdout, stderr } = result
  if (code !== 0) throw new Error(`${mainClass} ended with ${code}: ${stdout}${stderr}`)
  return stdout
}

const configs = (...args: string[]) => tool('kafka.admin.ConfigCommand', admin(), ...args)
const topics = (config: string, ...args: string[]) =>
  tool('org.apache.kafka.tools.TopicCommand', config, ...args)
const tokens = (config: string, ...args: string[]) =>
  tool('org.apache.kafka.tools.DelegationTokenCommand', config, ...args)

const admin = () => login('admin', 'PLAIN', `${PLAIN_MODULE} username="admin" password="s"`)
const alice = () =>
  login('alice', 'SCRAM-SHA-512', `${SCRAM_MODULE} username="alice" password="alice-secret"`)

describeWithKafka("Kafka's tools with a login", () => {
  beforeAll(async () => {
    const listener = 'listener.name.sasl_plaintext'
    broker = await startTestBroker({
      listeners: 'SASL_PLAINTEXT://127.0.0.1:0',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      [`${listener}.plain.sasl.jaas.config`]: `${PLAIN_MODULE} user_admin="s";`,
      [`${listener}.oauthbearer.sasl.jaas.config`]: `${OAUTH_MODULE};`,
      [`${listener}.scram-sha-512.connections.max.reauth.ms`]: '6000', // the client is early by 300 ms and more
      'delegation.token.secret.key': 'secret',
    })
    const user = ['--entity-type', 'users', '--entity-name', 'alice']
    await configs('--alter', '--add-config', 'SCRAM-SHA-512=[password=alice-secret]', ...user)
  }, TOOL_MAX_MS)
  afterAll(async () => {
    await broker.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it(
    'kafka-configs describes users of SCRAM, who can log in',
    async () => {
      const described = await configs('--describe', '--entity-type', 'users')
      expect(described).toContain(
        "SCRAM credential configs for user-principal 'alice' are SCRAM-SHA-512=iterations=4096",
      )
      expect(await topics(alice(), '--list')).toBe('\n')
    },
    3 * TOOL_MAX_MS,
  )

  it(
    'an unsigned token of OAUTHBEARER logs in where it is believed',
    async () => {
      const carol = login(
        'carol',
        'OAUTHBEARER',
        `${OAUTH_MODULE} unsecuredLoginStringClaim_sub="carol"`,
      )
      expect(await topics(carol, '--list')).toBe('\n')
    },
    TOOL_MAX_MS,
  )

  it(
    'a producer logs in again while it sends',
    async () => {
      await topics(alice(), '--create', '--topic', 't')
      const before = broker.complaints.length
      const load = ['--num-records', '8000', '--record-size', '10', '--throughput', '1000']
      const program = 'org.apache.kafka.tools.ProducerPerformance'
      const output = await tool(program, alice(), '--topic', 't', ...load)
      expect(output).toMatch(/8000 records sent/)
      expect(broker.complaints.slice(before)).toEqual([])
    },
    2 * TOOL_MAX_MS,
  )

  it(
    'kafka-delegation-tokens makes a token, and logs in with it until it is ended',
    async () => {
      const renewer = ['--renewer-principal', 'User:alice']
      const life = ['--max-life-time-period', '-1']
      const created = await tokens(admin(), '--create', ...life, ...renewer)
      const [, id, hmac] = /^(\S{22})\s+(\S{88})\s/m.exec(created)!
      const token = login(
        'token',
        'SCRAM-SHA-256',
        `${SCRAM_MODULE} username="${id}" password="${hmac}" tokenauth="true"`,
      )
      await topics(token, '--list')
      await tokens(alice(), '--renew', '--renew-time-period', '-1', '--hmac', hmac)
      const owner = ['--owner-principal', 'User:admin']
      expect(await tokens(admin(), '--describe', ...owner)).toContain(id)
      await tokens(admin(), '--expire', '--expiry-time-period', '-1', '--hmac', hmac)
      await expect(topics(token, '--list')).rejects.toThrow(/invalid credentials/)
    },
    6 * TOOL_MAX_MS,
  )
})
