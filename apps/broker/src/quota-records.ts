import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Controller } from '@millrace/controller'
import { recordKinds } from '@millrace/controller'
import type { Quotas } from '@millrace/quota'
import { hostAddress } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'

/** Puts the quotas of the cluster in force, now and after each change. Returns what ends it. */
export function followQuotas(
  deps: { controller: Controller; logger: Logger },
  quotas: Quotas,
): () => void {
  const { controller, logger } = deps
  let applied: unknown = null
  const apply = (): void => {
    const records = controller.metadata().records(recordKinds.quotas)
    if (records === applied) return
    applied = records
    const all = [...records.values()]
    quotas.apply(all, (name) => (isIP(name) ? hostAddress(name) : null))
    const names = all.flatMap(({ entity: { ip } }) => (ip && !isIP(ip) ? [ip] : []))
    if (names.length === 0) return
    // Until their addresses are known, quotas of host names hold nobody up.
    void addressesOf(names, logger).then((addresses) => {
      if (records !== applied) return // changed meanwhile: the newer ones are in force
      quotas.apply(all, (name) => addresses.get(name) ?? (isIP(name) ? hostAddress(name) : null))
    })
  }
  apply()
  return controller.onChange(apply)
}

/** Whether a quota can be set for it: an address, or a name that leads to one. */
export async function isAddressOrHost(name: string): Promise<boolean> {
  return isIP(name) !== 0 || (await lookup(name).catch(() => null)) !== null
}

async function addressesOf(names: readonly string[], logger: Logger): Promise<Map<string, string>> {
  const addresses = new Map<string, string>()
  for (const name of names) {
    const found = await lookup(name).catch(() => null)
    if (found) addresses.set(name, hostAddress(found.address))
    else logger.warn('quota not in force: its host has no address', { host: name })
  }
  return addresses
}
