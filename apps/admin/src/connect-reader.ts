import { adminErrors } from './errors'

export interface TaskState {
  readonly id: number
  readonly state: string
  readonly workerId: string
  /** Cause of a failure or of a retry that is under way. */
  readonly trace: string | null
}

export interface ConnectorState {
  readonly name: string
  readonly type: string
  readonly class: string | null
  readonly state: string
  readonly workerId: string
  readonly trace: string | null
  readonly tasks: readonly TaskState[]
}

const TIMEOUT_MS = 5_000

interface RestState {
  readonly state: string
  readonly worker_id: string
  readonly trace?: string
}
interface RestConnector {
  readonly info: {
    readonly name: string
    readonly type: string
    readonly config: Readonly<Record<string, string>>
  }
  readonly status: {
    readonly connector: RestState
    readonly tasks: readonly (RestState & { readonly id: number })[]
  }
}

/** Reads connectors and their state from the REST API of a Connect worker, ours or any other. */
export class ConnectReader {
  readonly #url: string

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '')
  }

  /** @throws PlatformError ADMIN_CONNECT_UNREACHABLE */
  async connectors(): Promise<readonly ConnectorState[]> {
    const path = '/connectors?expand=status&expand=info'
    const all = (await this.#get(path)) as Readonly<Record<string, RestConnector>>
    return Object.values(all)
      .map(stateOf)
      .sort((a, b) => a.name.localeCompare(b.name))
  }

  async #get(path: string): Promise<unknown> {
    try {
      const response = await fetch(this.#url + path, { signal: AbortSignal.timeout(TIMEOUT_MS) })
      if (!response.ok) throw new Error(`HTTP ${response.status}`)
      return await response.json()
    } catch (cause) {
      throw adminErrors.create('ADMIN_CONNECT_UNREACHABLE', { url: this.#url }, { cause })
    }
  }
}

/** The configuration itself stays out: it may hold secrets. */
function stateOf({ info, status }: RestConnector): ConnectorState {
  return {
    name: info.name,
    type: info.type,
    class: info.config['connector.class'] ?? null,
    state: status.connector.state,
    workerId: status.connector.worker_id,
    trace: status.connector.trace ?? null,
    tasks: status.tasks.map(({ id, state, worker_id, trace }) => ({
      id,
      state,
      workerId: worker_id,
      trace: trace ?? null,
    })),
  }
}
