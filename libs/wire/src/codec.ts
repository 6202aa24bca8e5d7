import { buildDecoder, buildEncoder, type Decode, type Encode } from './closures'
import { canCompile, compileDecoder, compileEncoder } from './compile'
import { wireErrors } from './errors'
import { planOf, type StructPlan } from './plan'
import { Reader } from './reader'
import type { Infer, InferInput, MessageSpec } from './schema'
import { Writer } from './writer'

const VERSION_PREFIX_BYTES = 2

/** Encoding is synchronous, so all messages of the process share one scratch. */
const sharedWriter = new Writer()
const isCompiling = canCompile()
const makeEncoder = isCompiling ? compileEncoder : buildEncoder
const makeDecoder = isCompiling ? compileDecoder : buildDecoder
/** Made on first use: compiling takes about a millisecond, and most versions are never spoken. */
const encoders = new WeakMap<MessageSpec, Encode[]>()
const decoders = new WeakMap<MessageSpec, Decode[]>()

/**
 * Encodes a message body. The buffer is the caller's; `records` are copied into it.
 * @throws TypeError naming message and field if a required value is missing or has the wrong type
 * @throws WireError WIRE_UNKNOWN_VERSION
 */
export function encode<S extends MessageSpec>(
  spec: S,
  version: number,
  value: InferInput<S>,
): Buffer {
  return joined(write((writer) => encodeInto(writer, spec, version, value)))
}

/**
 * Decodes a message body that reaches to the end of the buffer. `bytes` and `records` are views of
 * it; int64 values beyond 2^53 lose their lowest bits.
 * @throws WireError (any code) if the bytes are not such a message
 */
export function decode<S extends MessageSpec>(
  spec: S,
  version: number,
  buffer: Buffer,
  start = 0,
): Infer<S> {
  return decodeAt(new Reader(buffer, start, { message: spec.name, version }), spec, version)
}

/**
 * Decodes a message body and passes over what is behind its last field, as Kafka does in requests: librdkafka 2.16 sends three
 * bytes too many in Metadata version 13. @throws WireError as `decode`, but for WIRE_BYTES_LEFT_OVER
 */
export function decodePrefix<S extends MessageSpec>(
  spec: S,
  version: number,
  buffer: Buffer,
  start: number,
): Infer<S> {
  const reader = new Reader(buffer, start, { message: spec.name, version })
  return decoderFor(spec, version)(reader) as Infer<S>
}

/** Encodes with the version in front as an int16, as keys and values of internal topics have it. */
export function encodeVersioned<S extends MessageSpec>(
  spec: S,
  version: number,
  value: InferInput<S>,
): Buffer {
  return joined(
    write((writer) => {
      writer.int16(version, `${spec.name} (version)`)
      encodeInto(writer, spec, version, value)
    }),
  )
}

/**
 * Decodes what `encodeVersioned` wrote.
 * @throws WireError WIRE_UNKNOWN_VERSION if a newer program wrote it; other codes if it is damaged
 */
export function decodeVersioned<S extends MessageSpec>(
  spec: S,
  buffer: Buffer,
): { version: number; value: Infer<S> } {
  const version = new Reader(buffer, 0, { message: spec.name, version: -1 }).int16()
  return { version, value: decode(spec, version, buffer, VERSION_PREFIX_BYTES) }
}

/** Hands out what `fill` writes on the shared writer; a failed message leaves nothing behind. */
export function write(fill: (writer: Writer) => void): Buffer[] {
  try {
    fill(sharedWriter)
    return sharedWriter.take()
  } catch (error) {
    sharedWriter.reset()
    throw error
  }
}

/** Decodes the body that the reader has come to; nothing may follow it. */
export function decodeAt<S extends MessageSpec>(
  reader: Reader,
  spec: S,
  version: number,
): Infer<S> {
  const value = decoderFor(spec, version)(reader)
  reader.finish()
  return value as Infer<S>
}

export function encodeInto<S extends MessageSpec>(
  writer: Writer,
  spec: S,
  version: number,
  value: InferInput<S>,
): void {
  encoderFor(spec, version)(writer, value)
}

function encoderFor(spec: MessageSpec, version: number): Encode {
  return (
    encoders.get(spec)?.[version] ??
    remember(encoders, spec, version, makeEncoder(checkedPlan(spec, version)))
  )
}

function decoderFor(spec: MessageSpec, version: number): Decode {
  return (
    decoders.get(spec)?.[version] ??
    remember(decoders, spec, version, makeDecoder(checkedPlan(spec, version)))
  )
}

function checkedPlan(spec: MessageSpec, version: number): StructPlan {
  const { min, max } = spec.versions
  if (Number.isInteger(version) && version >= min && version <= max) return planOf(spec, version)
  throw wireErrors.create('WIRE_UNKNOWN_VERSION', { message: spec.name, version, min, max })
}

function remember<T>(
  cache: WeakMap<MessageSpec, T[]>,
  spec: MessageSpec,
  version: number,
  made: T,
) {
  const versions = cache.get(spec) ?? []
  versions[version] = made
  cache.set(spec, versions)
  return made
}

function joined(parts: Buffer[]): Buffer {
  return parts.length === 1 ? parts[0] : Buffer.concat(parts)
}
