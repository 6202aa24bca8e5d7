import fc from 'fast-check'
import { buildDecoder, buildEncoder } from './closures'
import { decode, encode } from './codec'
import { canCompile, compileDecoder, compileEncoder } from './compile'
import { isWireError } from './errors'
import { messages } from './messages'
import { planOf } from './plan'
import { Reader } from './reader'
import { field, list, message, type MessageSpec, struct } from './schema'
import { messageArbitrary } from './testing/message-arbitrary'
import { Writer } from './writer'

/** Has every type and every way of being absent, null or tagged; no real message has them all. */
const Everything = message(
  { name: 'Everything', key: -1, versions: '0-3', flexible: '2+' },
  {
    flag: field('bool', '0+'),
    tiny: field('int8', '0+'),
    short: field('int16', '1+', { default: -7 }),
    port: field('uint16', '0+'),
    crc: field('uint32', '0+'),
    offset: field('int64', '0+'),
    ratio: field('float64', '0+'),
    id: field('uuid', '0+'),
    text: field('string?', '0+'),
    blob: field('bytes', '0+'),
    maybeBlob: field('bytes?', '1+'),
    batches: field('records?', '0+'),
    ids: list('0+', 'uuid', { nullable: '1+' }),
    cursor: struct(
      '0+',
      { topic: field('string', '0+'), at: field('int32', '3+') },
      { nullable: '1+', default: null },
    ),
    inner: struct('0+', { names: list('0+', 'string') }),
    noteTagged: field('string?', '2+', { default: null, tag: 3 }),
    listTagged: list('2+', { key: field('string', '2+') }, { tag: 0 }),
    structTagged: struct('3+', { a: field('int32', '3+', { default: 4 }) }, { tag: 9 }),
    blobTagged: field('bytes', '2+', { tag: 200 }),
  },
)

const cases = [...messages.flatMap(({ request, response }) => [request, response]), Everything]
  .flatMap((spec) => versionsOf(spec).map((version) => ({ spec, version })))
  .map((row) => ({ ...row, title: `${row.spec.name} v${row.version}` }))

describe('the compiled codec', () => {
  it('is in use where code may be generated', () => {
    expect(canCompile()).toBe(true)
  })

  it.each(cases)('reads back what it wrote: $title', ({ spec, version }) => {
    fc.assert(
      fc.property(messageArbitrary(spec, version), (value) => {
        expect(decode(spec, version, encode(spec, version, value as never))).toEqual(value)
      }),
      { numRuns: 10 },
    )
  })

  it.each(cases)('writes and reads the same as the closures: $title', ({ spec, version }) => {
    const plan = planOf(spec, version)
    const twins = {
      compiled: { encode: compileEncoder(plan), decode: compileDecoder(plan) },
      closures: { encode: buildEncoder(plan), decode: buildDecoder(plan) },
    }
    fc.assert(
      fc.property(messageArbitrary(spec, version), (value) => {
        const compiled = bytesOf((writer) => twins.compiled.encode(writer, value))
        const closures = bytesOf((writer) => twins.closures.encode(writer, value))
        expect(compiled.equals(closures)).toBe(true)
        const about = { message: spec.name, version }
        expect(twins.compiled.decode(new Reader(compiled, 0, about))).toEqual(
          twins.closures.decode(new Reader(compiled, 0, about)),
        )
      }),
      { numRuns: 10 },
    )
  })

  it('agrees with the closures on what is wrong with damaged bytes', () => {
    const outcome = (decoder: (reader: Reader) => unknown, bytes: Buffer) => {
      try {
        return decoder(new Reader(bytes, 0, { message: 'Everything', version: 3 }))
      } catch (error) {
        if (isWireError(error)) return error.message
        throw error
      }
    }
    const plan = planOf(Everything, 3)
    const compiled = compileDecoder(plan)
    const closures = buildDecoder(plan)
    fc.assert(
      fc.property(
        messageArbitrary(Everything, 3),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (value, at, mask) => {
          const bytes = encode(Everything, 3, value as never)
          bytes[at % bytes.length] ^= mask
          expect(outcome(compiled, bytes)).toEqual(outcome(closures, bytes))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('gives every decoded message lists and structs of its own', () => {
    const bytes = encode(Everything, 2, sample)
    const first = decode(Everything, 2, bytes)
    first.listTagged.push({ key: 'mine' })
    first.structTagged.a = 99
    expect(decode(Everything, 2, bytes)).toMatchObject({ listTagged: [], structTagged: { a: 4 } })
  })

  it('refuses a schema whose names are not plain identifiers, or that tags records', () => {
    const odd = message(
      { name: 'Odd', key: -1, versions: '0', flexible: '0+' },
      { 'a;b': field('int8', '0+') },
    )
    expect(() => planOf(odd, 0)).toThrow(/Odd\.a;b: not a field name/)
    const tagged = message(
      { name: 'Odd', key: -1, versions: '0', flexible: '0+' },
      { batches: field('records', '0+', { tag: 0 }) },
    )
    expect(() => planOf(tagged, 0)).toThrow(/Odd\.batches: records cannot travel in a tagged field/)
  })
})

const sample = {
  flag: true,
  tiny: 1,
  port: 2,
  crc: 3,
  offset: 4,
  ratio: 0.5,
  id: 'AAECAwQFBgcICQoLDA0ODw',
  text: null,
  blob: Buffer.from('b'),
  batches: null,
  ids: [],
  inner: { names: ['n'] },
}

function bytesOf(fill: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  fill(writer)
  return Buffer.concat(writer.take())
}

function versionsOf({ versions }: MessageSpec): number[] {
  return Array.from({ length: versions.max - versions.min + 1 }, (_, index) => versions.min + index)
}
