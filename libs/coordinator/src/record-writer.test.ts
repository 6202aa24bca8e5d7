import { batch } from '@millrace/record'
import { SimClock } from '@millrace/testing'
import { ErrorCode, type ProtocolError, protocolError } from '@millrace/wire'
import type { CoordinatorLog } from './coordinator-log'
import { RecordWriter } from './record-writer'

const MARKER = {
  producerId: 1,
  producerEpoch: 0,
  coordinatorEpoch: 0,
  isCommit: true,
  transactionVersion: 0,
}

/** Tells what came in, and ends the appends of a round when the test says so. */
class StalledLog implements CoordinatorLog {
  readonly appended: string[] = []
  #pending: { resolve: () => void; reject: (error: unknown) => void }[] = []

  append(_topic: string, _partition: number, records: Buffer): Promise<void> {
    const kind = batch.isTransactional(records, 0) ? 'transactional' : 'records'
    return this.#take(`${kind} ${batch.recordCount(records, 0)}`)
  }

  appendMarker(): Promise<void> {
    return this.#take('marker')
  }

  read(): never {
    throw new Error('nothing is read here')
  }

  /** Ends what is on its way; what has one of the given positions fails. */
  async end(...failing: number[]): Promise<void> {
    for (const [at, { resolve, reject }] of this.#pending.splice(0).entries()) {
      if (failing.includes(at)) reject(protocolError(ErrorCode.INVALID_TXN_STATE))
      else resolve()
    }
    await new Promise((done) => setImmediate(done))
  }

  #take(what: string): Promise<void> {
    this.appended.push(what)
    return new Promise((resolve, reject) => this.#pending.push({ resolve, reject }))
  }
}

let log: StalledLog
let writer: RecordWriter
let durable: string[]
beforeEach(() => {
  log = new StalledLog()
  writer = new RecordWriter({ log, clock: new SimClock() }, { topic: 't', partition: 0 })
  durable = []
})

const records = (sizeBytes = 1) => [{ key: Buffer.from('k'), value: Buffer.alloc(sizeBytes) }]
const write = (name: string, sizeBytes?: number) =>
  writer.write(records(sizeBytes), () => durable.push(name))
const writeTransactional = (name: string) =>
  writer.writeTransactional({ producerId: 1, producerEpoch: 0 }, records(), () =>
    durable.push(name),
  )
const writeMarker = (name: string) => writer.writeMarker(MARKER, () => durable.push(name))

describe('a record writer', () => {
  it('lets neighbours share a batch, but not across a transaction or its marker', async () => {
    const all = [write('first')]
    all.push(write('a'), write('b'), writeTransactional('c'), writeMarker('d'))
    all.push(write('e'), write('f'))
    expect(log.appended).toEqual(['records 1'])
    await log.end()
    expect(log.appended.slice(1)).toEqual(['records 2', 'transactional 1', 'marker', 'records 2'])
    expect(durable).toEqual(['first'])
    await log.end()
    await Promise.all(all)
    expect(durable).toEqual(['first', 'a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('closes a batch when it is large', async () => {
    const all = [write('first'), write('a', 600_000), write('b', 1), write('c', 1)]
    await log.end()
    expect(log.appended.slice(1)).toEqual(['records 1', 'records 2'])
    await log.end()
    await Promise.all(all)
  })

  it('refuses what would make too many bytes wait, but takes a write of any size alone', async () => {
    const all = [write('first'), write('large', 20 << 20)]
    const [refused] = await Promise.allSettled([write('a')])
    expect(codeOf(refused)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    await log.end()
    all.push(write('b', 8 << 20), write('c', 7 << 20))
    const [refusedToo] = await Promise.allSettled([write('d', 2 << 20)])
    expect(codeOf(refusedToo)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    await log.end()
    await log.end()
    await Promise.all(all)
    expect(durable).toEqual(['first', 'large', 'b', 'c'])
  })

  it('tells those whose batch has failed, and nobody else', async () => {
    const outcomes = Promise.allSettled([
      write('first'),
      write('a'),
      writeTransactional('b'),
      write('c'),
    ])
    await log.end()
    await log.end(1)
    expect((await outcomes).map(codeOf)).toEqual([0, 0, ErrorCode.INVALID_TXN_STATE, 0])
    expect(durable).toEqual(['first', 'a', 'c'])
  })

  it('takes no effect of what ends after it was closed', async () => {
    const outcomes = Promise.allSettled([write('on its way'), write('waiting')])
    writer.close(ErrorCode.NOT_COORDINATOR)
    await log.end()
    const [late] = await Promise.allSettled([write('late')])
    expect([...(await outcomes), late].map(codeOf)).toEqual(
      Array.from({ length: 3 }, () => ErrorCode.NOT_COORDINATOR),
    )
    expect(durable).toEqual([])
  })
})

function codeOf(result: PromiseSettledResult<void>): number {
  return result.status === 'fulfilled' ? 0 : (result.reason as ProtocolError).errorCode
}
