import { batch, BATCH_HEADER_BYTES, BatchBuilder, Codec, RecordCursor } from '@millrace/record'
import { refusedRecordsOf } from './refused-records'
import { openLog, START_MS } from './testing/log-fixture'
import type { LogConfig } from './config'

const CLIENT = { leaderEpoch: 0, origin: 'client' } as const
const ALL = { maxBytes: 1 << 20, maxOffsetExclusive: Infinity, minOneBatch: true }

interface Given {
  readonly timestamp?: number
  readonly key?: string | null
}

function aBatchOf(records: readonly Given[], codec: Codec = Codec.none): Buffer {
  const builder = new BatchBuilder({ codec })
  for (const { timestamp = START_MS, key = 'k' } of records)
    builder.append(
      timestamp,
      key === null ? null : Buffer.from(key),
      Buffer.from('value '.repeat(9)),
    )
  return builder.build()
}

/** What a log with this config makes of the batch, or the error that it throws. */
async function append(records: Buffer, config: Partial<LogConfig> = {}) {
  const { log } = await openLog({ config })
  try {
    log.append(records, CLIENT)
  } catch (error) {
    return { error, refused: refusedRecordsOf(error), stored: Buffer.alloc(0) }
  }
  return { error: null, refused: [], stored: log.read(0, ALL).records }
}

function valuesIn(records: Buffer): string[] {
  const cursor = new RecordCursor()
  const values: string[] = []
  for (cursor.open(records, 0); cursor.next(); ) values.push(String(cursor.value()))
  return values
}

const withCode = (code: string) => expect.objectContaining({ code })

describe('records of an append', () => {
  it('are stored under the codec of the topic, whatever the producer took', async () => {
    const types = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const
    const codecs = [Codec.none, Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd]
    for (const given of codecs) {
      for (const [at, compressionType] of types.entries()) {
        const { stored } = await append(aBatchOf([{}, {}], given), { compressionType })
        expect(batch.codec(stored, 0)).toBe(codecs[at])
        expect(batch.isCrcValid(stored, 0)).toBe(true)
        expect(valuesIn(stored)).toEqual(Array(2).fill('value '.repeat(9)))
      }
    }
  })

  it('are packed at the level of the topic', async () => {
    const records = Array.from({ length: 200 }, (_, index) => ({ key: `${index * 7919}` }))
    const sizeAt = async (compressionGzipLevel: number) => {
      const config = { compressionType: 'gzip', compressionGzipLevel } as const
      return (await append(aBatchOf(records), config)).stored.length
    }
    expect(await sizeAt(9)).toBeLessThan(await sizeAt(1))
  })

  it('keep their bytes where the topic leaves the codec to the producer', async () => {
    const sent = aBatchOf([{}, {}], Codec.zstd)
    const { stored } = await append(Buffer.from(sent), { compressionType: 'producer' })
    expect(stored.subarray(17)).toEqual(sent.subarray(17)) // all from the checksum on
  })

  it('are held to max.message.bytes also after they grew by unpacking', async () => {
    const sent = aBatchOf(Array(50).fill({}), Codec.zstd)
    const config = { compressionType: 'uncompressed', maxMessageBytes: 1000 } as const
    expect(sent.length).toBeLessThan(1000)
    expect((await append(sent, config)).error).toEqual(withCode('LOG_BATCH_TOO_LARGE'))
  })

  it('are refused one by one where a key is missing, and the producer is told which', async () => {
    const sent = aBatchOf([{}, { key: null }, {}, { key: null }])
    const { error, refused } = await append(sent, { cleanupPolicy: ['compact', 'delete'] })
    expect(error).toEqual(withCode('LOG_INVALID_RECORD'))
    expect(refused.map(({ index }) => index)).toEqual([1, 3])
  })

  it('are refused for the time of any one, not only for the newest', async () => {
    const sent = aBatchOf([{}, { timestamp: START_MS - 6000 }, { timestamp: START_MS }])
    const { error, refused } = await append(sent, { messageTimestampBeforeMaxMs: 5000 })
    expect(error).toEqual(withCode('LOG_INVALID_TIMESTAMP'))
    expect(refused.map(({ index }) => index)).toEqual([1])
  })

  it('have an INVALID_TIMESTAMP before a missing key, as in Kafka', async () => {
    const sent = aBatchOf([{ key: null }, { timestamp: START_MS + 9_000_000 }])
    const { error, refused } = await append(sent, { cleanupPolicy: ['compact'] })
    expect(error).toEqual(withCode('LOG_INVALID_TIMESTAMP'))
    expect(refused).toHaveLength(2)
  })

  it('are all refused for a time that no number holds', async () => {
    const sent = aBatchOf([{}, {}])
    sent.writeBigInt64BE(2n ** 60n, 27)
    batch.seal(sent, 0)
    const { error, refused } = await append(sent)
    expect(error).toEqual(withCode('LOG_INVALID_TIMESTAMP'))
    expect(refused.map(({ index }) => index)).toEqual([0, 1])
  })

  it('may have a time before 1970, which means nothing', async () => {
    const sent = aBatchOf([{}])
    for (const at of [27, 35]) sent.writeBigInt64BE(-5n, at)
    batch.seal(sent, 0)
    const { stored } = await append(sent)
    expect(batch.baseTimestamp(stored, 0)).toBe(-5)
    expect(batch.isCrcValid(stored, 0)).toBe(true)
  })

  it('may not claim the time of the log where the log gives it', async () => {
    const sent = aBatchOf([{}, {}])
    batch.setMaxTimestampAndType(sent, 0, 'LogAppendTime', START_MS)
    const config = { messageTimestampType: 'LogAppendTime' } as const
    const { error, refused } = await append(Buffer.from(sent), config)
    expect(error).toEqual(withCode('LOG_INVALID_TIMESTAMP'))
    expect(refused.map(({ index }) => index)).toEqual([0, 1])
    // Elsewhere it counts as the producer's own, and is stored as that.
    const { stored } = await append(sent)
    expect(batch.timestampType(stored, 0)).toBe('CreateTime')
    expect(batch.isCrcValid(stored, 0)).toBe(true)
  })

  it('get the time of the log where the topic says so, however old they are', async () => {
    const sent = aBatchOf([{ timestamp: 5 }])
    const { stored } = await append(sent, {
      messageTimestampType: 'LogAppendTime',
      messageTimestampBeforeMaxMs: 1000,
    })
    expect(batch.maxTimestamp(stored, 0)).toBe(START_MS)
    expect(batch.timestampType(stored, 0)).toBe('LogAppendTime')
  })

  it('are refused when the bytes behind a good checksum are no records', async () => {
    const sent = aBatchOf([{}])
    sent[BATCH_HEADER_BYTES] = 0x7f
    batch.seal(sent, 0)
    expect((await append(sent)).error).toEqual(withCode('LOG_INVALID_RECORD'))
  })

  it.each([Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd])(
    'are refused when codec %d cannot unpack them',
    async (codec) => {
      const sent = aBatchOf([{}, {}], codec)
      sent.fill(0x55, BATCH_HEADER_BYTES + 4)
      batch.seal(sent, 0)
      const { error } = await append(sent)
      expect(error).toEqual(
        withCode(expect.stringMatching(/LOG_(UNREADABLE_RECORDS|INVALID_RECORD)/)),
      )
    },
  )
})
