import { ApiKey, apiMessages, encodeRequest, type ServedApiKey } from '@millrace/wire'
import { joinOf } from './group-states'
import type { RequestOf, Scenario, Script } from './script'

const CORRELATION_ID = 77

/** A good request as bytes, size in front. */
export function frameOf<K extends ServedApiKey>(
  key: K,
  version: number,
  request: RequestOf<K>,
): Buffer {
  const header = { correlationId: CORRELATION_ID, clientId: 'raw' }
  const spec = apiMessages[key].request as never
  return Buffer.concat(encodeRequest(spec, version, header, request as never))
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** The bytes with their size in front. */
function sized(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

const bodyOf = (frame: Buffer) => frame.subarray(4)

function replaced(frame: Buffer, at: number, bytes: Buffer): Buffer {
  const made = Buffer.from(frame)
  bytes.copy(made, at)
  return made
}

const int16 = (value: number) => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Key, version, correlation id, client id `raw`; with tagged fields behind if `tags` are given. */
function headerOf(key: number, version: number, tags?: string): Buffer {
  const fixed = [int16(key), int16(version), int32(CORRELATION_ID), int16(3), Buffer.from('raw')]
  return Buffer.concat(tags === undefined ? fixed : [...fixed, hex(tags)])
}

const [KEY_AT, VERSION_AT, CLIENT_ID_AT] = [4, 6, 12]
const metadata = (version: number) => frameOf(ApiKey.Metadata, version, { topics: [] })
const versions = (version: number) =>
  frameOf(ApiKey.ApiVersions, version, {
    clientSoftwareName: 'raw',
    clientSoftwareVersion: '1',
  })

/** Compact strings `raw` and `1`, as ApiVersions has them from version 3 on. */
const SOFTWARE = '04 726177 02 31'
const software = (text: string, tags = '00') => hex(`${text} ${tags}`)

const sizes: Record<string, Buffer> = {
  'a size below 0': hex('ffffffff 00000000'),
  'a size of 0': hex('00000000'),
  'a size above what is allowed': hex('002dc6c1 00120000'),
  'the largest size': hex('7fffffff 00120000'),
  'a size without the header': sized(hex('0012')),
  'half a header': sized(hex('0012 0000 00')),
  'a request of another protocol': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'a greeting of TLS': hex('160301 0200 010001fc0303'),
}

const headers: Record<string, Buffer> = {
  'an unknown key': replaced(metadata(4), KEY_AT, int16(999)),
  'a key below 0': replaced(metadata(4), KEY_AT, int16(-1)),
  'a key between brokers': sized(headerOf(4, 5, '00')),
  'a key of controllers': sized(headerOf(52, 0)),
  'a version below 0': replaced(metadata(4), VERSION_AT, int16(-1)),
  'a version to come': replaced(metadata(4), VERSION_AT, int16(99)),
  'a version that is no longer served': sized(headerOf(ApiKey.Fetch, 0), Buffer.alloc(20)),
  'a version of Produce that is only advertised': sized(
    headerOf(ApiKey.Produce, 0),
    Buffer.alloc(10),
  ),
  'a version of ApiVersions to come': replaced(versions(0), VERSION_AT, int16(99)),
  'a version of ApiVersions to come, with tags': sized(
    headerOf(ApiKey.ApiVersions, 99, '00'),
    software(SOFTWARE),
  ),
  'a version of ApiVersions below 0': replaced(versions(0), VERSION_AT, int16(-1)),
  'no client id': sized(hex('0012 0000 0000004d ffff')),
  'no client id by a length below -1': sized(hex('0012 0000 0000004d fffe')),
  'an empty client id': sized(hex('0012 0000 0000004d 0000')),
  'a client id of a length below -1': replaced(metadata(4), CLIENT_ID_AT, int16(-2)),
  'a client id beyond the request': replaced(metadata(4), CLIENT_ID_AT, int16(3000)),
  'a client id that is no text': replaced(versions(0), CLIENT_ID_AT + 2, hex('ff fe fd')),
  'an unknown tag in the header': sized(
    headerOf(ApiKey.ApiVersions, 3, '01 63 02 aabb'),
    software(SOFTWARE),
  ),
  'a tag in the header twice': sized(
    headerOf(ApiKey.ApiVersions, 3, '02 63 01 aa 63 01 bb'),
    software(SOFTWARE),
  ),
  'tags in the header in disorder': sized(
    headerOf(ApiKey.ApiVersions, 3, '02 63 01 aa 62 01 bb'),
    software(SOFTWARE),
  ),
  'a tag in the header beyond the request': sized(headerOf(ApiKey.ApiVersions, 3, '01 63 7f aa')),
  'more tags in the header than bytes': sized(headerOf(ApiKey.ApiVersions, 3, '7f 63 01 aa')),
}

const bodies: Record<string, Buffer> = {
  'an unknown tag': sized(
    headerOf(ApiKey.ApiVersions, 3, '00'),
    software(SOFTWARE, '01 63 02 aabb'),
  ),
  'a tag twice': sized(
    headerOf(ApiKey.ApiVersions, 3, '00'),
    software(SOFTWARE, '02 63 01 aa 63 01 bb'),
  ),
  'tags in disorder': sized(
    headerOf(ApiKey.ApiVersions, 3, '00'),
    software(SOFTWARE, '02 63 01 aa 62 01 bb'),
  ),
  'a tag beyond the request': sized(
    headerOf(ApiKey.ApiVersions, 3, '00'),
    software(SOFTWARE, '01 63 05 aa'),
  ),
  'a count of tags that does not end': sized(
    headerOf(ApiKey.ApiVersions, 3, '00'),
    software(SOFTWARE, 'ff ff ff ff ff ff'),
  ),
  'no tags at all': sized(headerOf(ApiKey.ApiVersions, 3, '00'), hex(SOFTWARE)),
  'null for a name': sized(headerOf(ApiKey.ApiVersions, 3, '00'), software('00 02 31')),
  'an empty name': sized(headerOf(ApiKey.ApiVersions, 3, '00'), software('01 02 31')),
  'a name with odd characters': sized(
    headerOf(ApiKey.ApiVersions, 3, '00'),
    software('02 20 02 31'),
  ),
  'a length that does not end': sized(
    headerOf(ApiKey.ApiVersions, 3, '00'),
    software('ffffffffff 02 31'),
  ),
  'bytes behind ApiVersions': sized(bodyOf(versions(3)), hex('01 02 03')),
  'bytes behind Metadata': sized(bodyOf(metadata(9)), hex('01 02 03')),
  'bytes behind a request of an older version': sized(bodyOf(metadata(4)), hex('01 02 03')),
  'a list below -1': sized(headerOf(ApiKey.Metadata, 4), int32(-2), hex('00')),
  'a text of a length below -1': sized(headerOf(ApiKey.InitProducerId, 0), int16(-2), int32(1000)),
  'a text that may not be null of a length below -1': sized(
    headerOf(ApiKey.DescribeGroups, 0),
    int32(1),
    int16(-2),
  ),
  'a list that may not be null below -1': sized(headerOf(ApiKey.DescribeGroups, 0), int32(-2)),
  'a list of more than there is': sized(headerOf(ApiKey.Metadata, 4), int32(5000), hex('00')),
  'the longest list': sized(headerOf(ApiKey.Metadata, 4), int32(2 ** 31 - 1), hex('00')),
  'null for a list': sized(headerOf(ApiKey.Heartbeat, 0), int16(-1), int32(1), int16(0)),
  'null for the list of groups': sized(headerOf(ApiKey.DescribeGroups, 0), int32(-1)),
  'null for a compact list': sized(headerOf(ApiKey.DeleteGroups, 2, '00'), hex('00 00')),
  'a true that is 2': sized(headerOf(ApiKey.Metadata, 4), int32(0), hex('02')),
  'a text that is no text': sized(
    headerOf(ApiKey.DescribeGroups, 0),
    int32(1),
    int16(2),
    hex('ff fe'),
  ),
  'null for a name of a topic': sized(
    headerOf(ApiKey.Metadata, 9, '00'),
    hex('02 00 00 01 00 00 00'),
  ),
  'null in an old list of names': sized(
    headerOf(ApiKey.Metadata, 4),
    int32(1),
    int16(-1),
    hex('00'),
  ),
  'null for the metadata of a member': sized(
    headerOf(ApiKey.JoinGroup, 0),
    int16(1),
    Buffer.from('g'),
    int32(10_000),
    int16(0),
    int16(1),
    Buffer.from('c'),
    int32(1),
    int16(1),
    Buffer.from('r'),
    int32(-1),
  ),
}

/** Requests of each kind, each cut after its header, in its middle, and before its last byte. */
const plain = {
  Produce: frameOf(ApiKey.Produce, 9, {
    transactionalId: null,
    acks: 1,
    timeoutMs: 1,
    topicData: [],
  }),
  Fetch: frameOf(ApiKey.Fetch, 12, {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [],
    forgottenTopicsData: [],
  }),
  ListOffsets: frameOf(ApiKey.ListOffsets, 7, { replicaId: -1, isolationLevel: 0, topics: [] }),
  Metadata: metadata(9),
  JoinGroup: frameOf(ApiKey.JoinGroup, 6, joinOf('cut')),
  ApiVersions: versions(3),
  InitProducerId: frameOf(ApiKey.InitProducerId, 4, {
    transactionalId: null,
    transactionTimeoutMs: 1,
  }),
  OffsetFetch: frameOf(ApiKey.OffsetFetch, 8, { groups: [] }),
}
const cut: Record<string, Buffer> = Object.fromEntries(
  Object.entries(plain).flatMap(([name, frame]) => {
    const body = bodyOf(frame)
    return [
      [`${name}, whole`, frame],
      [`${name} without its last byte`, sized(body.subarray(0, -1))],
      [`half of ${name}`, sized(body.subarray(0, body.length - 3))],
      [`${name} without its body`, sized(body.subarray(0, 11))],
    ]
  }),
)

/** What a client sees: which request is answered, and the error if it stands first. */
function seen(frame: Buffer): object {
  const isAnswer = frame.length >= 4 && frame.readInt32BE(0) === CORRELATION_ID
  return { isAnswer, first: frame.subarray(4, 6).toString('hex') }
}

export const frameScenarios: Scenario[] = Object.entries({
  ...sizes,
  ...headers,
  ...bodies,
  ...cut,
}).map(([title, bytes]) => ({ title, run: (on: Script) => on.bytes(bytes, seen) }))
