import fc from 'fast-check'
import { decode, encode } from './codec'
import { isWireError } from './errors'
import { messages } from './messages'
import type { MessageSpec } from './schema'
import { messageArbitrary } from './testing/message-arbitrary'

/** More of everything with WIRE_ROUNDS; other bytes with WIRE_SEED. */
const ROUNDS = Number(process.env.WIRE_ROUNDS ?? 1)
const SEED = Number(process.env.WIRE_SEED ?? 11)
const FLIPS = 15
/** Larger samples are cut at some of their bytes only. */
const CUTS_MAX = 150
/** Values, keys and bytes that one byte of a frame may become: the default of a struct has many fields. */
const GROWTH_MAX = 64
const GROWTH_FREE = 1000

const specs = messages
  .flatMap(({ request, response }) => [request, response])
  .map((spec) => ({ spec: spec as MessageSpec, title: spec.name }))

interface Sample {
  readonly version: number
  readonly bytes: Buffer
  readonly seed: number
}
const samples = new Map<MessageSpec, Sample[]>()

function samplesOf(spec: MessageSpec): Sample[] {
  const known = samples.get(spec) ?? [...makeSamples(spec)]
  samples.set(spec, known)
  return known
}

function* makeSamples(spec: MessageSpec): Iterable<Sample> {
  for (let version = spec.versions.min; version <= spec.versions.max; version++) {
    const options = { numRuns: ROUNDS, seed: SEED + version }
    for (const value of fc.sample(messageArbitrary(spec, version), options)) {
      yield { version, bytes: encode(spec, version, value as never), seed: options.seed }
    }
  }
}

/** What came of bytes: the code of the error that refused them, or how large the message is that they hold. */
function outcome(spec: MessageSpec, version: number, bytes: Buffer): string | number {
  try {
    return sizeOf(decode(spec, version, bytes))
  } catch (error) {
    if (isWireError(error)) return error.code
    throw error
  }
}

function sizeOf(value: unknown): number {
  if (Buffer.isBuffer(value) || typeof value === 'string') return 1 + value.length
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + sizeOf(each), 1)
  if (value === null || typeof value !== 'object') return 1
  return Object.values(value).reduce((sum: number, each) => sum + 1 + sizeOf(each), 1)
}

/** Bits that flip; a byte that may be a length; or noise from somewhere on. */
function damage(bytes: Buffer, kind: number, at: number, byte: number): Buffer {
  const hostile = Buffer.from(bytes)
  if (kind === 0) hostile[at] ^= 1 << (byte & 7)
  else if (kind === 1) hostile[at] = byte
  else hostile.fill(Buffer.from([byte, at & 0x7f, 0xff]), at)
  return hostile
}

describe('hostile bytes in every version', () => {
  it.each(specs)('are refused where $title is cut short', ({ spec }) => {
    const taken: string[] = []
    for (const { version, bytes } of samplesOf(spec)) {
      const step = Math.max(Math.ceil(bytes.length / CUTS_MAX), 1)
      for (let size = 0; size < bytes.length; size += step) {
        const got = outcome(spec, version, bytes.subarray(0, size))
        const isRefused = got === 'WIRE_TRUNCATED' || got === 'WIRE_BAD_LENGTH'
        if (!isRefused) taken.push(`v${version} cut at ${size}: ${got}`)
      }
    }
    expect(taken).toEqual([])
  })

  it.each(specs)('make no large message of a damaged $title, and break nothing', ({ spec }) => {
    const large: string[] = []
    for (const { version, bytes, seed } of samplesOf(spec)) {
      if (bytes.length === 0) continue
      const places = fc.sample(fc.tuple(fc.nat(), fc.nat(255)), { numRuns: FLIPS * ROUNDS, seed })
      for (const [index, [place, byte]] of places.entries()) {
        const hostile = damage(bytes, index % 3, place % bytes.length, byte)
        const got = outcome(spec, version, hostile)
        const isLarge = typeof got === 'number' && got > bytes.length * GROWTH_MAX + GROWTH_FREE
        if (isLarge) large.push(`v${version}, seed ${seed}, damage ${index}: ${got}`)
      }
    }
    expect(large).toEqual([])
  })
})
