import fc from 'fast-check'
import { decode, decodeVersioned, encode, encodeVersioned } from './codec'
import { isWireError } from './errors'
import { messages } from './messages'
import { ProduceRequest } from './messages/00-produce'
import { FetchRequest, FetchResponse } from './messages/01-fetch'
import { MetadataRequest, MetadataResponse } from './messages/03-metadata'
import { JoinGroupRequest } from './messages/11-join-group'
import { ApiVersionsResponse } from './messages/18-api-versions'
import { field, INT64_MAX, list, message } from './schema'
import { messageArbitrary } from './testing/message-arbitrary'

const latest = messages
  .flatMap(({ request, response }) => [request, response])
  .flatMap((spec) => [
    { spec, version: spec.versions.min, title: `${spec.name} v${spec.versions.min}` },
    { spec, version: spec.versions.max, title: `${spec.name} v${spec.versions.max}` },
  ])

describe('decode of malformed bytes', () => {
  it.each(latest)('refuses $title cut short at any byte', ({ spec, version }) => {
    const [value] = fc.sample(messageArbitrary(spec, version), { numRuns: 1, seed: 5 })
    const whole = encode(spec, version, value as never)
    for (let size = 0; size < whole.length; size++) {
      // A view: the bytes after its end are there, and are the ones a careless reader would want.
      expect(wireErrorOf(() => decode(spec, version, whole.subarray(0, size)))).toMatch(
        /^WIRE_(TRUNCATED|BAD_LENGTH)$/,
      )
    }
  })

  it.each(latest)(
    'answers a flipped bit in $title or refuses it, and no more',
    ({ spec, version }) => {
      fc.assert(
        fc.property(messageArbitrary(spec, version), fc.nat(), fc.nat(7), (value, at, bit) => {
          const bytes = encode(spec, version, value as never)
          if (bytes.length === 0) return
          bytes[at % bytes.length] ^= 1 << bit
          expect(() => wireErrorOf(() => decode(spec, version, bytes))).not.toThrow()
        }),
        { numRuns: 30 },
      )
    },
  )

  it('refuses a list that claims more elements than the bytes left could hold', () => {
    // throttleTimeMs 0, then 2^31 - 1 brokers in a body of 40 bytes.
    const plain = Buffer.concat([Buffer.from('000000007fffffff', 'hex'), Buffer.alloc(32)])
    expect(() => decode(MetadataResponse, 8, plain)).toThrow(
      'MetadataResponse v8 holds the impossible length 2147483647 at byte 8 of 40',
    )
    // Three brokers need 3 * 12 bytes at the least; 35 are left.
    const scant = Buffer.concat([Buffer.from('0000000000000003', 'hex'), Buffer.alloc(35)])
    expect(() => decode(MetadataResponse, 8, scant)).toThrow(/impossible length 3/)
    const compact = Buffer.concat([Buffer.from('00000000ffffffff0f', 'hex'), Buffer.alloc(32)])
    expect(() => decode(MetadataResponse, 9, compact)).toThrow(/impossible length 4294967294/)
  })

  it('refuses overlong varints, and null and other negative lengths where a value is due', () => {
    const refusals: [string, string][] = [
      ['WIRE_UNEXPECTED_NULL', '00000000 ffffffff'], // brokers: null
      ['WIRE_UNEXPECTED_NULL', '00000000 fffffffe'], // brokers: -2
      ['WIRE_UNEXPECTED_NULL', '00000000 00000001 00000001 fffe 0000000000000000'], // host: -2
    ]
    for (const [code, bytes] of refusals) {
      expect(wireErrorOf(() => decode(MetadataResponse, 8, hex(bytes)))).toBe(code)
    }
    expect(wireErrorOf(() => decode(MetadataResponse, 9, hex('00000000 808080808001')))).toBe(
      'WIRE_BAD_VARINT',
    )
    expect(wireErrorOf(() => decode(MetadataResponse, 9, hex('00000000 ffffffff1f')))).toBe(
      'WIRE_BAD_VARINT',
    )
  })

  it('names the field that must not be null', () => {
    expect(() =>
      decode(MetadataResponse, 8, hex('00000000 00000001 00000001 ffff 00000000 ffff')),
    ).toThrow('MetadataResponse.brokers.host is null in version 8, which does not allow it')
  })

  it('refuses bytes after the last field', () => {
    const bytes = Buffer.concat([encode(MetadataRequest, 12, { topics: null }), Buffer.alloc(3)])
    expect(() => decode(MetadataRequest, 12, bytes)).toThrow(/3 bytes left over/)
  })

  it('refuses a start beyond the end of the buffer', () => {
    expect(wireErrorOf(() => decode(MetadataRequest, 12, Buffer.alloc(2), 3))).toBe(
      'WIRE_TRUNCATED',
    )
  })

  it('refuses versions that the schema does not have', () => {
    expect(() => decode(ProduceRequest, 2, Buffer.alloc(0))).toThrow(
      'ProduceRequest has no version 2; known are 3 to 13',
    )
    expect(wireErrorOf(() => decode(ProduceRequest, 14, Buffer.alloc(0)))).toBe(
      'WIRE_UNKNOWN_VERSION',
    )
    expect(wireErrorOf(() => decode(ProduceRequest, 3.5, Buffer.alloc(0)))).toBe(
      'WIRE_UNKNOWN_VERSION',
    )
  })
})

describe('tagged fields', () => {
  const bare = '0000 01 00000000' // errorCode 0, no api keys, throttleTimeMs 0

  it('are skipped when their tag is unknown, wherever they stand', () => {
    const bytes = hex(`${bare} 03 01 08 0000000000000005 0f 02 abcd 7f 00`)
    expect(decode(ApiVersionsResponse, 3, bytes)).toMatchObject({ finalizedFeaturesEpoch: 5 })
  })

  it('are not sent when they equal their default', () => {
    const value = { errorCode: 0, apiKeys: [], finalizedFeaturesEpoch: -1, finalizedFeatures: [] }
    expect(encode(ApiVersionsResponse, 3, value)).toEqual(hex(`${bare} 00`))
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }
    const request = (highWatermark?: number) =>
      encode(FetchRequest, 18, {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ partitions: [{ ...partition, highWatermark }] }],
        replicaState: { replicaId: -1 },
      })
    expect(request(INT64_MAX)).toEqual(request())
    expect(request(8).length).toBe(request().length + 1 + 1 + 8)
  })

  it('travel in the order of their tags, with a size of as many bytes as it needs', () => {
    const name = 'f'.repeat(300)
    const bytes = encode(ApiVersionsResponse, 3, {
      errorCode: 0,
      apiKeys: [],
      zkMigrationReady: true,
      supportedFeatures: [{ name, minVersion: 1, maxVersion: 2 }],
    })
    const feature = `02 ad02 ${Buffer.from(name).toString('hex')} 0001 0002 00`
    expect(bytes).toEqual(hex(`${bare} 02 00 b402 ${feature} 03 01 01`))
    expect(decode(ApiVersionsResponse, 3, bytes).supportedFeatures[0].name).toBe(name)
  })

  it('are refused when their size does not fit their content or passes the end', () => {
    expect(
      wireErrorOf(() =>
        decode(ApiVersionsResponse, 3, hex(`${bare} 01 01 09 0000000000000005 00`)),
      ),
    ).toBe('WIRE_BAD_TAG')
    expect(
      wireErrorOf(() => decode(ApiVersionsResponse, 3, hex(`${bare} 01 01 04 0000000000000005`))),
    ).toBe('WIRE_BAD_TAG')
    expect(wireErrorOf(() => decode(ApiVersionsResponse, 3, hex(`${bare} 01 63 7f 0000`)))).toBe(
      'WIRE_TRUNCATED',
    )
    // 2^32 - 1 tagged fields, none of them there.
    expect(wireErrorOf(() => decode(ApiVersionsResponse, 3, hex(`${bare} ffffffff0f`)))).toBe(
      'WIRE_TRUNCATED',
    )
  })
})

describe('encode', () => {
  const join = {
    groupId: 'g',
    sessionTimeoutMs: 1,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  }

  it('fills in what may be left out', () => {
    expect(decode(JoinGroupRequest, 9, encode(JoinGroupRequest, 9, join))).toEqual({
      ...join,
      rebalanceTimeoutMs: -1,
      groupInstanceId: null,
      reason: null,
    })
  })

  it.each<[string, object]>([
    ['JoinGroupRequest.groupId: expected a string, got undefined', { groupId: undefined }],
    ['JoinGroupRequest.groupId: expected a string, got null', { groupId: null }],
    ['JoinGroupRequest.sessionTimeoutMs: expected an int32, got 1.5', { sessionTimeoutMs: 1.5 }],
    ['JoinGroupRequest.sessionTimeoutMs: expected an int32, got NaN', { sessionTimeoutMs: NaN }],
    [
      'JoinGroupRequest.sessionTimeoutMs: expected an int32, got 2147483648',
      { sessionTimeoutMs: 2 ** 31 },
    ],
    ['JoinGroupRequest.protocols: expected an array, got undefined', { protocols: undefined }],
    ['JoinGroupRequest.protocols: expected an object, got null', { protocols: [null] }],
    [
      'JoinGroupRequest.protocols.metadata: expected a Buffer, got a value of type string',
      { protocols: [{ name: 'range', metadata: 'secret' }] },
    ],
    [
      'JoinGroupRequest.groupId: expected at most 32767 bytes of text, got 32768',
      { groupId: 'x'.repeat(32768) },
    ],
  ])('throws a TypeError: %s', (text, change) => {
    const bad = { ...join, ...change } as typeof join
    expect(() => encode(JoinGroupRequest, 5, bad)).toThrow(new TypeError(text))
    expect(() => encode(JoinGroupRequest, 9, bad)).toThrow(new TypeError(text))
    // What a failed message left in the scratch is not part of the next one.
    expect(decode(JoinGroupRequest, 9, encode(JoinGroupRequest, 9, join)).groupId).toBe('g')
  })

  it('refuses int64 values that are no integers and uuids that are not 16 bytes', () => {
    const spec = message(
      { name: 'Sample', key: -1, versions: '0', flexible: 'none' },
      { offset: field('int64', '0+'), ids: list('0+', 'uuid') },
    )
    expect(() => encode(spec, 0, { offset: 2 ** 64, ids: [] })).toThrow(/Sample\.offset/)
    expect(() => encode(spec, 0, { offset: 1n as never, ids: [] })).toThrow(/type bigint/)
    for (const id of ['', 'AAAA', '!'.repeat(22), 'A'.repeat(23)]) {
      expect(() => encode(spec, 0, { offset: 0, ids: [id] })).toThrow(
        /Sample\.ids: expected a uuid/,
      )
    }
  })

  it('keeps int64 exact to 2^53 and the largest int64 as the double next to it', () => {
    const spec = message(
      { name: 'Sample', key: -1, versions: '0', flexible: 'none' },
      { offset: field('int64', '0+') },
    )
    const bytesOf = (offset: number) => encode(spec, 0, { offset }).toString('hex')
    expect(bytesOf(2 ** 53 - 1)).toBe('001fffffffffffff')
    expect(bytesOf(-(2 ** 53) + 1)).toBe('ffe0000000000001')
    expect(bytesOf(INT64_MAX)).toBe('7fffffffffffffff')
    expect(bytesOf(-(2 ** 63))).toBe('8000000000000000')
    expect(decode(spec, 0, hex('7fffffffffffffff')).offset).toBe(INT64_MAX)
    expect(decode(spec, 0, hex('ffffffffffffffff')).offset).toBe(-1)
  })

  it('grows for a message larger than its scratch, and owns what it hands out', () => {
    const clusterId = 'é'.repeat(10_000)
    const brokers = Array.from({ length: 200 }, (_, nodeId) => ({
      nodeId,
      host: 'h'.repeat(9000),
      port: 1,
    }))
    const first = encode(MetadataResponse, 12, { brokers, topics: [], clusterId })
    const copy = Buffer.from(first)
    encode(MetadataResponse, 12, { brokers: [], topics: [], clusterId: 'other' })
    expect(first.equals(copy)).toBe(true)
    expect(decode(MetadataResponse, 12, first)).toMatchObject({ brokers, clusterId })
  })

  it('copies records into a body that is asked for as one buffer', () => {
    const value = {
      responses: [
        {
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              highWatermark: 2,
              records: [Buffer.from('first'), Buffer.alloc(0), Buffer.from('second')],
            },
          ],
        },
      ],
    }
    const decoded = decode(FetchResponse, 17, encode(FetchResponse, 17, value))
    expect(String(decoded.responses[0].partitions[0].records)).toBe('firstsecond')
  })
})

describe('decode', () => {
  it('answers records and bytes as views of the frame', () => {
    const bytes = encode(ProduceRequest, 9, {
      acks: 1,
      timeoutMs: 1,
      topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.from('batch') }] }],
    })
    const records = decode(ProduceRequest, 9, bytes).topicData[0].partitionData[0].records!
    expect(records.buffer).toBe(bytes.buffer)
    expect(String(records)).toBe('batch')
  })
})

describe('versioned records', () => {
  const Value = message(
    { name: 'SampleValue', key: -1, versions: '0-3', flexible: '3+' },
    { offset: field('int64', '0+'), leaderEpoch: field('int32', '1+', { default: -1 }) },
  )

  it('carry their version in front', () => {
    const bytes = encodeVersioned(Value, 1, { offset: 7, leaderEpoch: 2 })
    expect(bytes).toEqual(hex('0001 0000000000000007 00000002'))
    expect(decodeVersioned(Value, bytes)).toEqual({
      version: 1,
      value: { offset: 7, leaderEpoch: 2 },
    })
  })

  it('are refused when a newer program wrote them, or when they are cut short', () => {
    expect(wireErrorOf(() => decodeVersioned(Value, hex('0004 00')))).toBe('WIRE_UNKNOWN_VERSION')
    expect(wireErrorOf(() => decodeVersioned(Value, hex('ffff 00')))).toBe('WIRE_UNKNOWN_VERSION')
    expect(wireErrorOf(() => decodeVersioned(Value, hex('00')))).toBe('WIRE_TRUNCATED')
  })
})

/** The code that the bytes were refused with, undefined if they were not. */
function wireErrorOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (isWireError(error)) return error.code
    throw error
  }
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}
