import { hostAddress } from '@millrace/security'

export interface ConnectionLimitOptions {
  /** Of all listeners together. */
  readonly max: number
  /** By listener name; none for a listener that is not in it. */
  readonly maxOfListener: ReadonlyMap<string, number>
  readonly maxPerIp: number
  /** By address, in place of `maxPerIp`. */
  readonly maxOfIp: ReadonlyMap<string, number>
}

/** `wait` until another connection is closed, as the accept loop of Kafka does; `refuse` at once. */
export type Admission = 'admit' | 'wait' | 'refuse'

/** Counts the connections of a broker against its limits. */
export class ConnectionLimits {
  #options: ConnectionLimitOptions
  #count = 0
  readonly #byListener = new Map<string, number>()
  readonly #byIp = new Map<string, number>()

  constructor(options: ConnectionLimitOptions) {
    this.#options = options
  }

  /** In force for those who come from now on. */
  change(options: ConnectionLimitOptions): void {
    this.#options = options
  }

  /** Counts the connection if it is admitted. */
  admit(listenerName: string, host: string): Admission {
    const { max, maxOfListener, maxPerIp, maxOfIp } = this.#options
    const ofListener = this.#byListener.get(listenerName) ?? 0
    if (this.#count >= max || ofListener >= (maxOfListener.get(listenerName) ?? Infinity))
      return 'wait'
    const ip = hostAddress(host)
    const ofIp = this.#byIp.get(ip) ?? 0
    if (ofIp >= (maxOfIp.get(ip) ?? maxPerIp)) return 'refuse'
    this.#count += 1
    this.#byListener.set(listenerName, ofListener + 1)
    this.#byIp.set(ip, ofIp + 1)
    return 'admit'
  }

  /** Of a connection that was admitted. */
  release(listenerName: string, host: string): void {
    const ip = hostAddress(host)
    this.#count -= 1
    this.#byListener.set(listenerName, this.#byListener.get(listenerName)! - 1)
    const left = this.#byIp.get(ip)! - 1
    if (left === 0) this.#byIp.delete(ip)
    else this.#byIp.set(ip, left)
  }
}
