/**
 * A real Apache Kafka for tests, compat and benches: its jars come from Maven Central once, into `.cache/peers`, and each
 * `startKafka` is one node (KRaft, broker and controller in one) on 127.0.0.1 with data of its own that `stop` removes.
 * Imported by jest and by plain `node`: only erasable types, no packages of ours.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { peersDirectory } from './directory.ts'
import { freePort, freePorts } from './free-ports.ts'

const KAFKA_VERSION = '4.3.1'
const LOG4J_VERSION = '2.25.5'
const JACKSON_VERSION = '2.21.5'
const JAVA_MAJOR_MIN = 17
const START_MAX_MS = 60_000
const STOP_MAX_MS = 15_000
const READY_POLL_MS = 100

/** Where the jars are and how to run them. */
export interface KafkaHome {
  readonly version: string
  readonly java: string
  /** Argument of `-cp`: Kafka's broker, clients, tools and Connect. */
  readonly classPath: string
  readonly log4jConfig: string
  /** For `plugin.path` of a Connect worker: Kafka's file connectors. */
  readonly pluginPath: string
}

export interface MissingKafka {
  /** Why there is none, for the line that names a skipped test. */
  readonly missing: string
}

export interface KafkaNodeOptions {
  /** Of the clients' listener; default: any free one. It stays the same over `restart`. */
  readonly port?: number
  /** On 127.0.0.1, beside the clients' one, which is PLAINTEXT. */
  readonly moreListeners?: readonly ExtraListener[]
  /** Further lines of server.properties. They win over the ones below. */
  readonly properties?: Readonly<Record<string, string>>
  readonly heapMb?: number
  /** Where its metrics can be read with `jmxUrl`. */
  readonly jmxPort?: number
}

/** For `org.apache.kafka.tools.JmxTool`. */
export function jmxUrl(jmxPort: number): string {
  return `service:jmx:rmi:///jndi/rmi://127.0.0.1:${jmxPort}/jmxrmi`
}

export interface ExtraListener {
  readonly name: string
  readonly port: number
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
}

export interface KafkaNode {
  readonly bootstrap: string
  readonly port: number
  /** Its `log.dirs`. */
  readonly dataDirectory: string
  readonly pid: () => number
  /** `kill -9`; the data stays for `restart`. */
  readonly kill: () => Promise<void>
  /** Ends it in order; the data stays for `restart`. */
  readonly end: () => Promise<void>
  /** Starts it again on the same data and port, ending it first if it runs. */
  readonly restart: () => Promise<void>
  /** Ends it and removes its data. */
  readonly stop: () => Promise<void>
}

export interface ConnectNode {
  /** Of its REST interface. */
  readonly url: string
  readonly pid: () => number
  readonly stop: () => Promise<void>
}

export interface ToolResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Finds Java and the jars, downloading them on first use, or says what is missing. */
export async function prepareKafka(): Promise<KafkaHome | MissingKafka> {
  const home = kafkaDirectory()
  if (findJava() !== null && !existsSync(home)) {
    const missing = download(home)
    if (missing !== null) return { missing }
  }
  return findKafka()
}

/** Finds Java and the jars that `prepareKafka` has brought, or says what is missing. */
export function findKafka(): KafkaHome | MissingKafka {
  const java = findJava()
  if (java === null) return { missing: `java ${JAVA_MAJOR_MIN} or later (on PATH or in JAVA_HOME)` }
  const home = kafkaDirectory()
  if (!existsSync(home)) return { missing: 'jars of Apache Kafka, which npm run compat fetches' }
  return {
    version: KAFKA_VERSION,
    java,
    classPath: join(home, 'libs', '*'),
    log4jConfig: join(home, 'log4j2.xml'),
    pluginPath: join(home, 'plugins'),
  }
}

function kafkaDirectory(): string {
  return join(peersDirectory(), `apache-kafka-${KAFKA_VERSION}`)
}

/** Formats a fresh data directory and starts a node on it. @throws with the end of its log if it does not come up */
export async function startKafka(
  home: KafkaHome,
  options: KafkaNodeOptions = {},
): Promise<KafkaNode> {
  const [freeOne, controllerPort] = await freePorts(2)
  const port = options.port ?? freeOne
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
  const config = join(directory, 'server.properties')
  writeFileSync(config, serverProperties({ directory, port, controllerPort }, options))
  try {
    const clusterId = (await runStorageTool(home, ['random-uuid'])).trim()
    await runStorageTool(home, ['format', '-t', clusterId, '-c', config])
    const heapMb = options.heapMb ?? 512
    const jvmArguments = options.jmxPort === undefined ? [] : jmxArguments(options.jmxPort)
    const files = { directory, config, port, heapMb, jvmArguments, mainClass: 'kafka.Kafka' }
    return await runNode(home, files)
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

function jmxArguments(port: number): string[] {
  const prefix = '-Dcom.sun.management.jmxremote'
  const onlyHere = [`${prefix}.host=127.0.0.1`, '-Djava.rmi.server.hostname=127.0.0.1']
  const open = [`${prefix}.authenticate=false`, `${prefix}.ssl=false`]
  return [`${prefix}.port=${port}`, `${prefix}.rmi.port=${port}`, ...onlyHere, ...open]
}

/** Runs a class of Kafka's to its end: `org.apache.kafka.tools.GetOffsetShell`. @throws if there is no such Java */
export async function runTool(
  home: KafkaHome,
  mainClass: string,
  args: readonly string[],
  options: { readonly heapMb?: number; readonly input?: string | Buffer } = {},
): Promise<ToolResult> {
  const child = spawn(home.java, javaArguments(home, options.heapMb ?? 256, mainClass, args))
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => (output[name] += chunk))
  // A tool that ends before it has read everything closes the pipe: its exit code tells the story.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve(exitCode ?? -1))
  })
  return { code, ...output }
}

/**
 * Starts a distributed Connect worker with the file connectors. `properties` goes on top of settings for one node: at
 * least `bootstrap.servers` must be in it. @throws with the end of its log if it does not come up
 */
export async function startConnect(
  home: KafkaHome,
  properties: Readonly<Record<string, string>>,
): Promise<ConnectNode> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kafka-connect-'))
  const config = join(directory, 'worker.properties')
  writeFileSync(config, formatProperties({ ...connectProperties(home, port), ...properties }))
  try {
    const mainClass = 'org.apache.kafka.connect.cli.ConnectDistributed'
    const files = { directory, config, port, heapMb: 512, mainClass }
    const child = await startProcess(home, files, isServingRest)
    return {
      url: `http://127.0.0.1:${port}`,
      pid: () => child.pid ?? -1,
      stop: async () => {
        await endProcess(child, 'SIGTERM')
        rmSync(directory, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

function connectProperties(home: KafkaHome, port: number): Record<string, string> {
  const properties: Record<string, string> = {
    'group.id': 'connect',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'offset.flush.interval.ms': '1000',
    listeners: `http://127.0.0.1:${port}`,
    'plugin.path': home.pluginPath,
  }
  for (const kind of ['offset', 'config', 'status']) {
    properties[`${kind}.storage.topic`] = `connect-${kind}s`
    properties[`${kind}.storage.replication.factor`] = '1'
  }
  return properties
}

/** Arguments of `java`, for those who start a tool themselves. */
export function javaArguments(
  home: KafkaHome,
  heapMb: number,
  mainClass: string,
  args: readonly string[],
): string[] {
  return [
    `-Xmx${heapMb}m`,
    '-XX:+UseG1GC',
    `-Dlog4j2.configurationFile=${home.log4jConfig}`,
    '-cp',
    home.classPath,
    mainClass,
    ...args,
  ]
}

interface NodeFiles {
  readonly directory: string
  readonly config: string
  readonly port: number
  readonly heapMb: number
  readonly mainClass: string
  readonly jvmArguments?: readonly string[]
}

async function runStorageTool(home: KafkaHome, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool(home, 'kafka.tools.StorageTool', args)
  if (code !== 0) throw new Error(`StorageTool ${args[0]}: ${stdout}${stderr}`)
  return stdout
}

async function runNode(home: KafkaHome, files: NodeFiles): Promise<KafkaNode> {
  let child = await startProcess(home, files)
  const end = (signal: NodeJS.Signals) => endProcess(child, signal)
  return {
    bootstrap: `127.0.0.1:${files.port}`,
    port: files.port,
    dataDirectory: join(files.directory, 'data'),
    pid: () => child.pid ?? -1,
    kill: () => end('SIGKILL'),
    end: () => end('SIGTERM'),
    restart: async () => {
      await end('SIGTERM')
      child = await startProcess(home, files)
    },
    stop: async () => {
      await end('SIGTERM')
      rmSync(files.directory, { recursive: true, force: true })
    },
  }
}

async function startProcess(
  home: KafkaHome,
  files: NodeFiles,
  isReady: (port: number) => Promise<boolean> = isListening,
): Promise<ChildProcess> {
  const logFile = join(files.directory, 'server.log')
  const output = openSync(logFile, 'a')
  // As Kafka's own start script has it: the heap has its full size from the beginning.
  const heap = `-Xms${files.heapMb}m`
  const ownArguments = [heap, ...(files.jvmArguments ?? [])]
  const args = [
    ...ownArguments,
    ...javaArguments(home, files.heapMb, files.mainClass, [files.config]),
  ]
  const child = spawn(home.java, args, { stdio: ['ignore', output, output] })
  closeSync(output)
  const deadlineMs = Date.now() + START_MAX_MS
  while (!(await isReady(files.port))) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null
    if (hasEnded || Date.now() > deadlineMs) {
      await endProcess(child, 'SIGKILL')
      const log = readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n')
      throw new Error(`${files.mainClass} did not start on port ${files.port}:\n${log}`)
    }
    await delay(READY_POLL_MS)
  }
  return child
}

/** SIGTERM lets it close its log; after STOP_MAX_MS it is killed. */
async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS)
  await ended
  clearTimeout(timer)
}

function serverProperties(
  node: { directory: string; port: number; controllerPort: number },
  options: KafkaNodeOptions,
): string {
  const { directory, port, controllerPort } = node
  const clients = [
    { name: 'PLAINTEXT', port, protocol: 'PLAINTEXT' },
    ...(options.moreListeners ?? []),
  ]
  const addresses = clients.map((listener) => `${listener.name}://127.0.0.1:${listener.port}`)
  const protocols = clients.map(({ name, protocol }) => `${name}:${protocol}`)
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${controllerPort}`].join(','),
    'advertised.listeners': addresses.join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', ...protocols].join(','),
    'log.dirs': join(directory, 'data'),
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...options.properties,
  }
  return formatProperties(properties)
}

function formatProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

/** Fills the home, or answers what is missing. It appears under its name only when it is complete. */
function download(home: string): string | null {
  mkdirSync(dirname(home), { recursive: true })
  const temporary = mkdtempSync(`${home}-`)
  try {
    writeFileSync(join(temporary, 'pom.xml'), pom())
    writeFileSync(join(temporary, 'log4j2.xml'), LOG4J_CONFIG)
    maven(temporary, [
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(temporary, 'libs')}`,
    ])
    maven(temporary, [
      'dependency:copy',
      `-Dartifact=org.apache.kafka:connect-file:${KAFKA_VERSION}`,
      `-DoutputDirectory=${join(temporary, 'plugins', 'file')}`,
    ])
    renameSync(temporary, home)
    return null
  } catch (error) {
    if (existsSync(home)) return null // another process was faster
    const { code, stdout } = error as { code?: string; stdout?: string }
    if (code === 'ENOENT') return 'mvn (Maven), to download Apache Kafka'
    const reason = /\[ERROR\] (.*)/.exec(stdout ?? '')?.[1] ?? String(error)
    return `Apache Kafka ${KAFKA_VERSION} from Maven Central: ${reason}`
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function maven(directory: string, args: readonly string[]): void {
  execFileSync('mvn', ['-q', '-B', '-f', join(directory, 'pom.xml'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The POMs of Kafka leave the logging back end out, so it is named here. */
function pom(): string {
  const kafka = ['kafka_2.13', 'kafka-tools', 'connect-runtime', 'connect-mirror', 'kafka-streams']
  const log4j = ['log4j-slf4j-impl', 'log4j-core', 'log4j-1.2-api']
  const dependencies = [
    ...kafka.map((artifact) => ['org.apache.kafka', artifact, KAFKA_VERSION]),
    ...log4j.map((artifact) => ['org.apache.logging.log4j', artifact, LOG4J_VERSION]),
    ['com.fasterxml.jackson.dataformat', 'jackson-dataformat-yaml', JACKSON_VERSION],
  ]
  const listed = dependencies.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>dev.millrace</groupId><artifactId>peer-apache-kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${listed.join('\n')}
</dependencies></project>
`
}

const LOG4J_CONFIG = `<Configuration><Appenders><Console name="C" target="SYSTEM_ERR"><PatternLayout pattern="%d %p %c{1} %m%n"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="C"/></Root></Loggers></Configuration>
`

function findJava(): string | null {
  const jvms = '/usr/lib/jvm'
  const installed = existsSync(jvms) ? readdirSync(jvms).map((name) => join(jvms, name)) : []
  const homes = [process.env.JAVA_HOME, ...installed].filter((home) => home !== undefined)
  const candidates = ['java', ...homes.map((home) => join(home, 'bin', 'java'))]
  return candidates.find((java) => javaMajor(java) >= JAVA_MAJOR_MIN) ?? null
}

function javaMajor(java: string): number {
  try {
    const text = execFileSync(java, ['--version'], { encoding: 'utf8', stdio: 'pipe' })
    return Number(/\d+/.exec(text)?.[0] ?? 0)
  } catch {
    return 0
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** The port opens before the worker has read its topics. */
async function isServingRest(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`)).ok
  } catch {
    return false
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
