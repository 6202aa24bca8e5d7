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

  /** If not, further ones wait until another one is closed, as the accept loop of Kafka does. */
  hasRoom(listenerName: string): boolean {
    const { max, maxOfListener } = this.#options
    const ofListener = this.#byListener.get(listenerName) ?? 0
    return this.#count < max && ofListener < (maxOfListener.get(listenerName) ?? Infinity)
  }

  /** Counts a connection; false if there are too many from its address: it does not count, and is to be closed at once. */
  admit(listenerName: string, host: string): boolean {
    const { maxPerIp, maxOfIp } = this.#options
    const ip = hostAddress(host)
    const ofIp = this.#byIp.get(ip) ?? 0
    if (ofIp >= (maxOfIp.get(ip) ?? maxPerIp)) return false
    this.#count += 1
    this.#byListener.set(listenerName, (this.#byListener.get(listenerName) ?? 0) + 1)
    this.#byIp.set(ip, ofIp + 1)
    return true
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
