import 'reflect-metadata'
import type { IncomingMessage } from 'node:http'
import {
  errorCode,
  errorMessage,
  nodeDisk,
  nodeNet,
  systemClock,
  systemRandom,
  type Clock,
} from '@millrace/base'
import { createClient } from '@millrace/client'
import { parseConfig, type Properties } from '@millrace/config'
import {
  createConfigProviders,
  createConverters,
  DistributedHerder,
  loadPluginPath,
  PluginRegistry,
  resolvePlaceholders,
  workerConfigDefinition,
  type HerderDeps,
  type PluginSet,
} from '@millrace/connect-runtime'
import type { Logger } from '@millrace/telemetry'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyInstance } from 'fastify'
import { builtInPlugins } from './built-in-plugins'
import { connectionOf, parseWorkerSettings, type WorkerSettings } from './config'
import { ConnectWorkerModule } from './connect-worker.module'
import { connectWorkerErrors } from './errors'
import { ErrorFilter } from './rest/error.filter'
import { RouteTable } from './rest/route-table'

export interface StartWorkerOptions {
  /** Of a Connect worker's properties file. */
  readonly properties: Properties
  readonly logger: Logger
  /** Beside the built-in plugins and those of plugin.path. */
  readonly plugins?: PluginSet
  /** What `${env:NAME}` sees. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
}

export interface RunningWorker {
  /** Where the REST server listens: `http://127.0.0.1:8083`. */
  readonly restAddress: string
  /** Resolves when the worker has read its topics and joined its group. Rejects if it cannot. */
  readonly ready: Promise<void>
  /** Stops all tasks in order, leaves the group and frees the port. */
  close(): Promise<void>
}

const BODY_MAX_BYTES = 4 * 1024 * 1024
/** Of a body that was refused as too large; who sends more is cut off. */
const DRAIN_MAX_BYTES = 64 * 1024 * 1024

/**
 * Starts a worker and resolves when its REST server listens and it is ready.
 * @throws CONNECT_INVALID_WORKER_CONFIG, CONNECT_PLUGIN_LOAD, ConfigurationError (unknown converter), WORKER_PORT_UNAVAILABLE, what `ready` rejects with
 */
export async function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  const worker = await listenWorker(options)
  try {
    await worker.ready
  } catch (error) {
    await worker.close()
    throw error
  }
  return worker
}

/** The same, but resolves as soon as the REST server listens: /health says `starting` until the worker is ready. */
export async function listenWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  const { logger } = options
  const providers = configProviders(options)
  const settings = parseWorkerSettings(await resolvePlaceholders(providers, options.properties))
  const pluginSets = await loadPluginPath({ disk: nodeDisk, logger }, settings.config.pluginPath)
  const sets = [builtInPlugins, ...(options.plugins ? [options.plugins] : []), ...pluginSets]
  const registry = new PluginRegistry({ logger }, sets)
  createConverters(registry, {}, settings.properties) // a worker that can convert nothing should not start
  let { port } = settings.listen
  const herder = createHerder(options, settings, { registry, providers }, (): string => {
    const { restAdvertisedHostName, restAdvertisedPort } = settings.config
    return `${restAdvertisedHostName ?? reachableHost(settings.listen.host)}:${restAdvertisedPort ?? port}`
  })
  const app = await createRestApp(herder, registry)
  try {
    await app.listen(port, settings.listen.host)
  } catch (cause) {
    await app.close()
    const { host } = settings.listen
    const reason = errorCode(cause) ?? errorMessage(cause)
    throw connectWorkerErrors.create('WORKER_PORT_UNAVAILABLE', { host, port, reason }, { cause })
  }
  port = (app.getHttpServer().address() as { port: number }).port
  const ready = herder.start()
  ready.catch(() => undefined) // whoever awaits `ready` handles it
  return {
    restAddress: `http://${reachableHost(settings.listen.host)}:${port}`,
    ready,
    close: async () => {
      await app.close()
      await herder.close()
    },
  }
}

/** For connectors and for the worker's own properties, which may hold placeholders but where they name the providers. */
function configProviders({ properties, environment = process.env }: StartWorkerOptions) {
  const { configProviders: key } = workerConfigDefinition
  const { names } = parseConfig({ names: key }, properties).config
  return createConfigProviders({ disk: nodeDisk, environment }, properties, names)
}

function createHerder(
  options: StartWorkerOptions,
  settings: WorkerSettings,
  parts: Pick<HerderDeps, 'registry' | 'providers'>,
  workerId: () => string,
): DistributedHerder {
  const { config, properties } = settings
  const { logger } = options
  const clock = options.clock ?? systemClock
  const client = (clientId: string, own: Properties = {}) =>
    createClient(
      { clock, random: systemRandom, logger, net: nodeNet },
      { clientId, ...connectionOf(settings, own) },
    )
  return new DistributedHerder(
    { ...parts, client, clock, random: systemRandom, logger },
    { config, properties, workerId },
  )
}

async function createRestApp(
  herder: DistributedHerder,
  registry: PluginRegistry,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_MAX_BYTES,
    routerOptions: { ignoreTrailingSlash: true },
  })
  const server = adapter.getInstance()
  takeOnlyJson(server)
  server.addHook('onSend', async ({ raw }) => drain(raw))
  const routes = new RouteTable()
  server.addHook('onRoute', ({ method, url }) => routes.add(method, url))
  const app = await NestFactory.create<NestFastifyApplication>(
    ConnectWorkerModule.over({ herder, registry }),
    adapter,
    { logger: false, abortOnError: false, bodyParser: false },
  )
  app.useGlobalFilters(new ErrorFilter(routes))
  return app
}

/** Clients that always send a content type send it with an empty body too, as in PUT /connectors/x/pause. */
function takeOnlyJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error')
  server.removeAllContentTypeParsers()
  server.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => {
      if (body === '') done(null, undefined)
      else void parse(request, body, done)
    },
  )
}

/** Who is still sending a body that was refused would see a reset connection in place of the answer. */
async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return
  let leftBytes = DRAIN_MAX_BYTES
  await new Promise<void>((resolve) => {
    request.on('data', (chunk: Buffer) => {
      leftBytes -= chunk.length
      if (leftBytes < 0) resolve()
    })
    request
      .once('end', resolve)
      .once('close', resolve)
      .once('error', () => resolve())
  })
}

/** An address that means "all" is no address to connect to. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
