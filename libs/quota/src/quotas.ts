import type { ConfigOf } from '@millrace/config'
import { AcceptQuota } from './accept-quota'
import { ClientQuota } from './client-quota'
import type { quotaConfigDefinition } from './config'
import { ConnectionQuota } from './connection-quota'
import { QuotaName, type QuotaRecord } from './entity'
import { Limits } from './limits'
import { MutationQuota } from './mutation-quota'

/** All quotas of a broker. */
export class Quotas {
  /** Bytes per second of produce requests. */
  readonly produce: ClientQuota
  /** Bytes per second of answers to fetches. */
  readonly fetch: ClientQuota
  /** Percent of the time of the thread that works on requests. */
  readonly request: ClientQuota
  readonly mutation: MutationQuota
  /** New connections of one address. */
  readonly connection: ConnectionQuota
  /** New connections of a listener, and of all: their limits are configs of the broker. */
  readonly accept: AcceptQuota
  #isEnabled = false

  constructor(config: ConfigOf<typeof quotaConfigDefinition>) {
    const windowMs = config.quotaWindowSizeSeconds * 1000
    const window = { sampleCount: config.quotaWindowNum, windowMs }
    this.produce = new ClientQuota(window)
    this.fetch = new ClientQuota(window)
    this.request = new ClientQuota(window, { throttleMaxMs: windowMs })
    this.mutation = new MutationQuota({
      sampleCount: config.controllerQuotaWindowNum,
      windowMs: config.controllerQuotaWindowSizeSeconds * 1000,
    })
    this.connection = new ConnectionQuota(window)
    this.accept = new AcceptQuota(window)
  }

  /** Whether any quota on requests is set: without one a request costs this one question. */
  get isEnabled(): boolean {
    return this.#isEnabled
  }

  /** Puts what is set in force. `addressOf` gives the address of a host name, null if it has none. */
  apply(records: readonly QuotaRecord[], addressOf: (name: string) => string | null): void {
    this.produce.setLimits(new Limits(records, QuotaName.PRODUCE))
    this.fetch.setLimits(new Limits(records, QuotaName.FETCH))
    this.request.setLimits(new Limits(records, QuotaName.REQUEST))
    this.mutation.setLimits(new Limits(records, QuotaName.MUTATION))
    this.connection.setLimits(records, addressOf)
    const { produce, fetch, request, mutation } = this
    this.#isEnabled = [produce, fetch, request, mutation].some(({ isEnabled }) => isEnabled)
  }
}
