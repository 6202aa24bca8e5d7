import type { Store } from '@millrace/coordination'
import { controllerErrors } from './errors'
import { readRecord } from './metadata-image'
import { keys } from './records'

const ATTEMPTS_MAX = 20

export interface ProducerIdBlock {
  readonly firstProducerId: number
  readonly count: number
}

/** Takes a block that no one else was or will be given (META-5). @throws PlatformError CONTROLLER_CONTENTION */
export async function allocateProducerIds(store: Store, count: number): Promise<ProducerIdBlock> {
  const key = keys.nextProducerId
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const item = await store.get(key)
    const firstProducerId = item ? readRecord<number>(item) : 0
    const { succeeded } = await store.txn({
      compare: [{ key, target: 'modRevision', equals: item?.modRevision ?? 0 }],
      success: [{ type: 'put', key, value: JSON.stringify(firstProducerId + count) }],
    })
    if (succeeded) return { firstProducerId, count }
  }
  throw controllerErrors.create('CONTROLLER_CONTENTION', {
    what: 'allocating producer ids',
    attempts: ATTEMPTS_MAX,
  })
}
