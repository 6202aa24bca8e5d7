import { systemClock, systemRandom } from '@millrace/base'
import { silentLogger } from '@millrace/telemetry'
import { ErrorCode } from '@millrace/wire'
import fc from 'fast-check'
import { Cluster } from '../src/cluster'
import type { ProducerOptions } from '../src/options'
import { IdempotentProducer } from '../src/producer/producer'
import { type Fault, ScriptedBroker } from './scripted-broker'

const RECORD_COUNT = 12
/** One record per batch, so that several batches are on their way at once. */
const ONE_RECORD_PER_BATCH: ProducerOptions = { batchBytes: 1 }
const EXPECTED = Array.from({ length: RECORD_COUNT }, (_, index) => `value-${index}`)

async function produceAll(broker: ScriptedBroker, options = ONE_RECORD_PER_BATCH): Promise<void> {
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger, net: broker }
  const cluster = new Cluster(deps, { bootstrapServers: ['scripted:9092'], clientId: 'test' })
  const producer = new IdempotentProducer(deps, cluster, options)
  try {
    const records = producer.begin()
    for (const value of EXPECTED) records.add('t', 0, null, null, Buffer.from(value))
    await records.done()
  } finally {
    await producer.close()
    await cluster.close()
  }
}

const refused = (errorCode: number): Fault => ({ errorCode })

const OUT_OF_ORDER = refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
const TOO_LARGE = refused(ErrorCode.MESSAGE_TOO_LARGE)
/** From one record to all of them in a batch. */
const BATCH_BYTES = fc.constantFrom(1, 150, 100_000)

describe('a producer whose broker fails', () => {
  it('keeps the order when the very first batch is refused and the broker would take a later one', async () => {
    const broker = new ScriptedBroker()
    broker.onBatch = (ordinal) => (ordinal === 0 ? refused(ErrorCode.NOT_LEADER_OR_FOLLOWER) : null)
    await produceAll(broker)
    expect(broker.values).toEqual(EXPECTED)
  })

  it('writes a batch once when its answer was lost', async () => {
    const broker = new ScriptedBroker()
    broker.onBatch = (ordinal) => (ordinal === 3 ? 'cut-after-append' : null)
    await produceAll(broker)
    expect(broker.values).toEqual(EXPECTED)
  })

  it('goes on with a new sequence when the broker has lost the old one', async () => {
    const broker = new ScriptedBroker()
    broker.onBatch = (ordinal) => (ordinal === 4 ? OUT_OF_ORDER : null)
    await produceAll(broker)
    expect(broker.values).toEqual(EXPECTED)
  })

  it('cuts a batch that is too large until the broker takes it', async () => {
    const broker = new ScriptedBroker()
    broker.onBatch = (ordinal) => (ordinal < 3 ? refused(ErrorCode.MESSAGE_TOO_LARGE) : null)
    await produceAll(broker, {})
    expect(broker.values).toEqual(EXPECTED)
  })

  it('has every record once and in order after any mix of faults', async () => {
    const fault = fc.constantFrom<Fault | null>(
      null,
      null,
      refused(ErrorCode.NOT_LEADER_OR_FOLLOWER),
      refused(ErrorCode.NOT_ENOUGH_REPLICAS),
      refused(ErrorCode.REQUEST_TIMED_OUT),
      OUT_OF_ORDER,
      TOO_LARGE,
      'cut-before-append',
      'cut-after-append',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 8 }),
        BATCH_BYTES,
        async (faults, batchBytes) => {
          const broker = new ScriptedBroker()
          broker.onBatch = (ordinal, { recordCount, isDuplicate }) => {
            const next = faults[ordinal] ?? null
            // No broker refuses what it has for its size or sequence, and one record cannot be cut.
            if (next === OUT_OF_ORDER) return isDuplicate ? null : next
            if (next === TOO_LARGE) return isDuplicate || recordCount === 1 ? null : next
            return next
          }
          await produceAll(broker, { batchBytes })
          expect(broker.values).toEqual(EXPECTED)
        },
      ),
      { numRuns: 15 },
    )
  }, 60_000)
})
