import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { readFileSync } from 'node:fs'
import { errorMessage, nodeHttp, nodeNet, systemClock, systemRandom } from '@millrace/base'
import { createClient } from '@millrace/client'
import { formatProblems, type Properties } from '@millrace/config'
import { parseClientSecurity, type ClientSecurity } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'
import { AdminModule } from './admin.module'
import { ClusterReader } from './cluster-reader'
import { ConnectReader } from './connect-reader'
import { ErrorFilter } from './error.filter'
import { adminErrors } from './errors'
import { MetricsSource, type ExposedMetrics } from './metrics-source'

export interface AdminOptions {
  readonly bootstrapServers: readonly string[]
  /** How to connect and log in, as a Kafka client's properties say it: `security.protocol`, `ssl.*`, `sasl.*`. */
  readonly properties?: Properties
  /** REST address of a Connect worker. */
  readonly connectUrl: string
  readonly host: string
  /** 0 chooses a free one. */
  readonly port: number
  readonly logger: Logger
  /** Served at /metrics: of the broker in this process. 404 without one. */
  readonly metrics?: ExposedMetrics
}

export interface RunningAdmin {
  readonly address: string
  close(): Promise<void>
}

/** Starts the admin API and page. @throws PlatformError ADMIN_CONFIG_INVALID, ADMIN_CONNECT_URL_INVALID, ADMIN_PORT_UNAVAILABLE: nothing stays open then */
export async function startAdmin(options: AdminOptions): Promise<RunningAdmin> {
  const { host, port, logger, connectUrl } = options
  if (!/^https?:\/\//.test(connectUrl) || !URL.canParse(connectUrl)) {
    throw adminErrors.create('ADMIN_CONNECT_URL_INVALID', { url: connectUrl })
  }
  const client = createClient(
    { clock: systemClock, random: systemRandom, logger, net: nodeNet },
    {
      bootstrapServers: [...options.bootstrapServers],
      clientId: 'millrace-admin',
      security: clientSecurity(options.properties ?? {}),
    },
  )
  const module = AdminModule.register({
    cluster: new ClusterReader(client, options.bootstrapServers),
    connect: new ConnectReader(connectUrl),
    metrics: new MetricsSource(options.metrics ?? null),
  })
  const application = await NestFactory.create<NestFastifyApplication>(
    module,
    new FastifyAdapter(),
    {
      logger: false,
      abortOnError: false,
    },
  )
  application.useGlobalFilters(new ErrorFilter(logger))
  try {
    await application.listen(port, host)
  } catch (cause) {
    await application.close()
    throw adminErrors.create(
      'ADMIN_PORT_UNAVAILABLE',
      { host, port, reason: errorMessage(cause) },
      { cause },
    )
  }
  return { address: await application.getUrl(), close: () => application.close() }
}

function clientSecurity(properties: Properties): ClientSecurity {
  const deps = {
    clock: systemClock,
    readFile: (path: string) => readFileSync(path),
    http: nodeHttp,
  }
  const { security, problems } = parseClientSecurity(deps, properties)
  if (problems.length > 0)
    throw adminErrors.create('ADMIN_CONFIG_INVALID', { problems: formatProblems(problems) })
  return security
}
