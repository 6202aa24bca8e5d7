import { decode } from './codec'
import { isWireError } from './errors'
import { decodeResponse, encodeRequest, encodeResponse } from './frame'
import { decodeRequestHeader } from './header'
import { ProduceRequest, ProduceResponse } from './messages/00-produce'
import { FetchResponse } from './messages/01-fetch'
import { MetadataRequest, MetadataResponse } from './messages/03-metadata'
import { ApiVersionsRequest, ApiVersionsResponse } from './messages/18-api-versions'

// The bytes are worked out by hand from the rules of the protocol, one field per line.
const vectors = [
  {
    title: 'ApiVersions v0: no body, header without tags',
    spec: ApiVersionsRequest,
    version: 0,
    header: { correlationId: 1, clientId: null },
    value: {},
    bytes: `
      0000000a          size 10
      0012              api key 18
      0000              version 0
      00000001          correlation id
      ffff              client id null`,
  },
  {
    title: 'ApiVersions v3: flexible, and the client id still has a plain length',
    spec: ApiVersionsRequest,
    version: 3,
    header: { correlationId: 258, clientId: 'mr' },
    value: { clientSoftwareName: 'millrace', clientSoftwareVersion: '1' },
    bytes: `
      00000019          size 25
      0012              api key 18
      0003              version 3
      00000102          correlation id
      0002 6d72         client id 'mr'
      00                tagged fields of the header: none
      09 6d696c6c72616365   'millrace', length plus 1 in front
      02 31             '1'
      00                tagged fields of the body: none`,
  },
  {
    title: 'Metadata v12: one topic by its id, so its name is null',
    spec: MetadataRequest,
    version: 12,
    header: { correlationId: 7, clientId: '' },
    value: {
      topics: [{ topicId: 'AAECAwQFBgcICQoLDA0ODw', name: null }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    },
    bytes: `
      00000021          size 33
      0003              api key 3
      000c              version 12
      00000007          correlation id
      0000              client id ''
      00                tagged fields of the header
      02                one topic, count plus 1
      000102030405060708090a0b0c0d0e0f  topic id
      00                name null
      00                tagged fields of the topic
      00                allowAutoTopicCreation
      01                includeTopicAuthorizedOperations
      00                tagged fields of the body`,
  },
  {
    title: 'Produce v3: plain lengths of records',
    spec: ProduceRequest,
    version: 3,
    header: { correlationId: 2, clientId: 'c' },
    value: {
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: 't',
          partitionData: [
            { index: 1, records: Buffer.from('abcd') },
            { index: 2, records: null },
          ],
        },
      ],
    },
    bytes: `
      00000032          size 50
      0000              api key 0
      0003              version 3
      00000002          correlation id
      0001 63           client id 'c'
      ffff              transactionalId null
      ffff              acks -1
      000003e8          timeoutMs
      00000001          one topic
      0001 74           name 't'
      00000002          two partitions
      00000001          index 1
      00000004 61626364  records
      00000002          index 2
      ffffffff          records null`,
  },
  {
    title: 'Produce v9: compact lengths of records',
    spec: ProduceRequest,
    version: 9,
    header: { correlationId: 2, clientId: 'c' },
    value: {
      transactionalId: 'tx',
      acks: 1,
      timeoutMs: 1000,
      topicData: [{ name: 't', partitionData: [{ index: 1, records: Buffer.alloc(130, 'r') }] }],
    },
    bytes: `
      000000a4          size 164
      0000              api key 0
      0009              version 9
      00000002          correlation id
      0001 63           client id 'c'
      00                tagged fields of the header
      03 7478           transactionalId 'tx'
      0001              acks
      000003e8          timeoutMs
      02                one topic
      02 74             name 't'
      02                one partition
      00000001          index
      8301 ${'72'.repeat(130)}  records, 131 as a varint of two bytes in front
      00                tagged fields of the partition
      00                tagged fields of the topic
      00                tagged fields of the body`,
  },
] as const

describe('encodeRequest', () => {
  it.each(vectors)('$title', ({ spec, version, header, value, bytes }) => {
    const frame = Buffer.concat(encodeRequest<typeof spec>(spec, version, header, value as never))
    expect(frame.toString('hex')).toBe(annotated(bytes).toString('hex'))
    const body = frame.subarray(4)
    const { bodyStart, ...read } = decodeRequestHeader(body)
    expect(read).toEqual({ apiKey: spec.key, apiVersion: version, ...header })
    expect(decode(spec, version, body, bodyStart)).toMatchObject(value)
  })
})

describe('encodeResponse', () => {
  const apiVersions = { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] }

  it('gives ApiVersions a header without tags in every version', () => {
    const v0 = Buffer.concat(encodeResponse(ApiVersionsResponse, 0, 9, apiVersions))
    expect(v0).toEqual(
      annotated('00000010 \n 00000009 \n 0023 \n 00000001 \n 0012 \n 0000 \n 0004'),
    )
    const v3 = Buffer.concat(encodeResponse(ApiVersionsResponse, 3, 9, apiVersions))
    expect(v3).toEqual(
      annotated(`
        00000013   size 19
        00000009   correlation id, and no tagged fields after it
        0023       error code 35
        02         one key, count plus 1
        0012       key 18
        0000       from 0
        0004       to 4
        00         tagged fields of the key
        00000000   throttleTimeMs
        00         tagged fields of the body`),
    )
    expect(decodeResponse(ApiVersionsResponse, 3, v3.subarray(4))).toMatchObject({
      correlationId: 9,
      value: apiVersions,
    })
  })

  it('gives other flexible responses a tagged section in the header', () => {
    const response = { brokers: [], topics: [] }
    const v8 = Buffer.concat(encodeResponse(MetadataResponse, 8, 1, response))
    const v9 = Buffer.concat(encodeResponse(MetadataResponse, 9, 1, response))
    expect(v8.subarray(4, 12)).toEqual(annotated('00000001 \n 00000000')) // correlation id, throttleTimeMs
    expect(v9.subarray(4, 13)).toEqual(annotated('00000001 \n 00 \n 00000000'))
    expect(decodeResponse(MetadataResponse, 9, v9.subarray(4)).correlationId).toBe(1)
  })

  it('passes record batches on by reference, between the bytes around them', () => {
    const batches = [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')]
    const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1 }
    const parts = encodeResponse(FetchResponse, 12, 5, {
      responses: [
        { topic: 'a', partitions: [{ ...partition, records: [batches[0], batches[1]] }] },
        { topic: 'b', partitions: [{ ...partition, records: batches[2] }] },
        { topic: 'c', partitions: [{ ...partition, records: Buffer.alloc(0) }] },
      ],
    })
    for (const batch of batches) expect(parts).toContain(batch)
    const frame = Buffer.concat(parts)
    expect(frame.readInt32BE(0)).toBe(frame.length - 4)
    const { value } = decodeResponse(FetchResponse, 12, frame.subarray(4))
    expect(value.responses.map(({ partitions }) => String(partitions[0].records))).toEqual([
      'onetwo',
      'three',
      '',
    ])
  })

  it('sends the current leader of a partition as a tagged field', () => {
    const frame = Buffer.concat(
      encodeResponse(ProduceResponse, 10, 1, {
        responses: [
          {
            name: 't',
            partitionResponses: [
              {
                index: 0,
                errorCode: 6,
                baseOffset: -1,
                currentLeader: { leaderId: 2, leaderEpoch: 3 },
              },
            ],
          },
        ],
      }),
    )
    // One tagged field: tag 0, 9 bytes: leaderId, leaderEpoch, no tags of its own.
    expect(frame.toString('hex')).toContain('01 00 09 00000002 00000003 00'.replaceAll(' ', ''))
  })
})

describe('decodeRequestHeader', () => {
  it('skips tagged fields of the header', () => {
    const frame = annotated('0003 \n 000c \n 00000007 \n 0000 \n 01 05 02 abcd \n 00')
    expect(decodeRequestHeader(frame).bodyStart).toBe(frame.length - 1)
  })

  it('reads what every version has when the key or the version is not known', () => {
    const known = { correlationId: 7, clientId: 'c' }
    expect(decodeRequestHeader(annotated('7fff \n 0000 \n 00000007 \n 0001 63'))).toEqual({
      apiKey: 0x7fff,
      apiVersion: 0,
      bodyStart: 11,
      ...known,
    })
    // A version to come has tags, as all have since there are any.
    expect(decodeRequestHeader(annotated('0012 \n 0063 \n 00000007 \n 0001 63 \n 00'))).toEqual({
      apiKey: 18,
      apiVersion: 99,
      bodyStart: 12,
      ...known,
    })
  })

  it('refuses a frame that is too short, byte by byte', () => {
    const frame = annotated('0003 \n 000c \n 00000007 \n 0001 63 \n 00')
    for (let size = 0; size < frame.length; size++) {
      let caught: unknown
      try {
        decodeRequestHeader(frame.subarray(0, size))
      } catch (error) {
        caught = error
      }
      expect(isWireError(caught)).toBe(true)
    }
  })
})

/** Takes the hex at the start of each line; what follows two spaces or more is a remark. */
function annotated(text: string): Buffer {
  const digits = text.split('\n').map((line) => line.trim().split(/ {2,}/)[0].replaceAll(' ', ''))
  return Buffer.from(digits.join(''), 'hex')
}
