import { deepStrictEqual } from 'node:assert'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AclOperation, PatternType, PermissionType, ResourceType } from '@millrace/security'
import { ApiKey, ErrorCode } from '@millrace/wire'
import { saltedPassword, scramHashes } from '../../../libs/security/src/scram/credential'
import { type KafkaHome, type KafkaNode, startKafka } from '../../peers/apache-kafka'
import { freePort } from '../../peers/free-ports'
import { RawClient } from '../broker/harness'
import { Authority } from '../broker/security/certificates'
import { scramLogin } from '../broker/security/login'
import { EVERY_ACL } from '../broker/security/rights-bed'
import { PROGRAM } from '../faults/harness'
import { eventually } from '../wait'

type Properties = Readonly<Record<string, string>>

const SCRAM_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule required'
const USERS = ['admin', 'worker', 'source', 'sink', 'stranger']
const LOG_TAIL_CHARS = 16_000

/** The program, run by one of its commands with a properties file, until it is ended. */
export class Program {
  /** What it says behind `ready`. */
  readonly ready: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, ready: string) {
    this.#child = child
    this.ready = ready
  }

  /** @throws with what it logged if it ends before it is ready */
  static async start(
    command: string,
    file: string,
    args: readonly string[] = [],
  ): Promise<Program> {
    const all = [PROGRAM, command, '--config', file, '--log-level', 'warn', ...args]
    const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] })
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk).slice(-LOG_TAIL_CHARS)))
    return new Promise((resolve, reject) => {
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        const ready = /^ready (.*)$/m.exec(output)?.[1]
        if (ready !== undefined) resolve(new Program(child, ready))
      })
      child.once('close', (code) => reject(new Error(`${command} ended with ${code}: ${log}`)))
    })
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'close')
  }
}

/** A broker that lets in over TLS and SCRAM only and asks for rights, and what others need to know of it. */
export class SecuredBed {
  readonly directory = mkdtempSync(join(tmpdir(), 'millrace-secured-'))
  readonly #authority = new Authority()
  readonly #programs: Program[] = []
  #kafka: KafkaNode | null = null
  #port = 0

  get bootstrap(): string {
    return `127.0.0.1:${this.#port}`
  }

  async startOurs(): Promise<void> {
    const scram = scramHashes.flatMap(({ name }) =>
      USERS.map((user) => `${name}=[name=${user},password=${user}-secret]`),
    )
    const { ready } = await this.run('broker', {
      ...this.#brokerProperties(),
      'process.roles': 'broker,controller',
      'node.id': '1',
      'log.dirs': this.path('data'),
      listeners: 'SASL_SSL://127.0.0.1:0',
      'scram.bootstrap.credentials': scram.join(';'),
      'super.users': 'User:admin',
    })
    this.#port = Number(/:(\d+)$/.exec(ready)![1])
  }

  /** A real Kafka with the same listener; beside it one without login, for its administrator. */
  async startTheirs(home: KafkaHome): Promise<void> {
    this.#port = await freePort()
    this.#kafka = await startKafka(home, {
      properties: { ...this.#brokerProperties(), 'super.users': 'User:ANONYMOUS;User:admin' },
      moreListeners: [{ name: 'SASL_SSL', port: this.#port, protocol: 'SASL_SSL' }],
      heapMb: 384,
    })
    await this.#asAdmin(async (admin) => {
      const upsertions = USERS.map(credentialOf)
      const request = { deletions: [], upsertions }
      const { results } = await admin.ask(ApiKey.AlterUserScramCredentials, 0, request)
      deepStrictEqual(errorsOf(results), [])
    })
  }

  /** What a client needs to log in as this user, as Kafka's clients take it. */
  loginOf(user: string, password = `${user}-secret`): Properties {
    return {
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config': `${SCRAM_MODULE} username="${user}" password="${password}";`,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': this.#authority.certificateFile,
    }
  }

  /** Of a distributed worker that shares its topics and group with those of the same name. */
  workerProperties(name: string, login: Properties): Record<string, string> {
    return {
      'bootstrap.servers': this.bootstrap,
      'group.id': name,
      'config.storage.topic': `${name}-configs`,
      'offset.storage.topic': `${name}-offsets`,
      'status.storage.topic': `${name}-status`,
      'config.storage.replication.factor': '1',
      'offset.storage.replication.factor': '1',
      'offset.storage.partitions': '1',
      'status.storage.replication.factor': '1',
      'status.storage.partitions': '1',
      'offset.flush.interval.ms': '200',
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      listeners: 'http://127.0.0.1:0',
      ...login,
    }
  }

  async run(command: string, properties: Properties, args: string[] = []): Promise<Program> {
    const file = this.path(`${command}-${this.#programs.length}.properties`)
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`)
    writeFileSync(file, `${lines.join('\n')}\n`)
    const program = await Program.start(command, file, args)
    this.#programs.push(program)
    return program
  }

  /** Lets a user do things: `WRITE topic lines`, `READ group connect-*` (a prefix). Returns when it is in force. */
  async allow(user: string, ...rules: readonly string[]): Promise<void> {
    await this.#asAdmin(async (admin) => {
      const countOf = async () => {
        const { resources } = await admin.ask(ApiKey.DescribeAcls, 3, EVERY_ACL)
        return resources.reduce((count, { acls }) => count + acls.length, 0)
      }
      const before = await countOf()
      const creations = rules.map((rule) => aclOf(user, rule))
      const { results } = await admin.ask(ApiKey.CreateAcls, 3, { creations })
      deepStrictEqual(errorsOf(results), [])
      await eventually(async () => deepStrictEqual(await countOf(), before + rules.length))
    })
  }

  async #asAdmin(work: (admin: RawClient) => Promise<void>): Promise<void> {
    const ca = this.#authority.certificate
    const admin = await (this.#kafka === null
      ? RawClient.open(this.#port, { ca, servername: 'localhost' })
      : RawClient.open(this.#kafka.port))
    try {
      if (this.#kafka === null) {
        const login = await scramLogin(admin, { name: 'admin', secret: 'admin-secret' })
        deepStrictEqual(errorsOf([login]), [])
      }
      await work(admin)
    } finally {
      admin.close()
    }
  }

  #brokerProperties(): Properties {
    const { key, certificate } = this.#authority.sign('broker', '/CN=broker')
    const keystore = this.path('keystore.pem')
    writeFileSync(keystore, key + certificate)
    return {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': keystore,
      'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512',
      'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${SCRAM_MODULE};`,
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${SCRAM_MODULE};`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'auto.create.topics.enable': 'false',
      'group.initial.rebalance.delay.ms': '0',
      'offsets.topic.num.partitions': '1',
    }
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  async close(): Promise<void> {
    for (const program of this.#programs.splice(0).reverse()) await program.end()
    await this.#kafka?.stop()
    this.#authority.remove()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

function credentialOf(user: string) {
  const hash = scramHashes.find(({ name }) => name === 'SCRAM-SHA-512')!
  const [salt, iterations] = [randomBytes(16), 4096]
  const salted = saltedPassword(hash, `${user}-secret`, { salt, iterations })
  return { name: user, mechanism: hash.type, iterations, salt, saltedPassword: salted }
}

function errorsOf<T extends { errorCode: number }>(results: readonly T[]): T[] {
  return results.filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
}

function aclOf(user: string, rule: string) {
  const [operation, type, name] = rule.split(' ')
  const isPrefix = name.endsWith('*')
  return {
    resourceType: ResourceType[type.toUpperCase() as keyof typeof ResourceType],
    resourceName: isPrefix ? name.slice(0, -1) : name,
    resourcePatternType: isPrefix ? PatternType.PREFIXED : PatternType.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: AclOperation[operation as keyof typeof AclOperation],
    permissionType: PermissionType.ALLOW,
  }
}
