import { recordErrors } from '../errors'

/** Compression codecs by the number they have in a batch's attributes. */
export const Codec = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
export type CodecName = keyof typeof Codec
export type Codec = (typeof Codec)[CodecName]

const names = Object.keys(Codec) as CodecName[]

export function isKnownCodec(codec: number): codec is Codec {
  return Number.isInteger(codec) && codec >= 0 && codec < names.length
}

/** @throws PlatformError RECORD_UNKNOWN_CODEC */
export function codecName(codec: number): CodecName {
  if (!isKnownCodec(codec)) throw recordErrors.create('RECORD_UNKNOWN_CODEC', { codec })
  return names[codec]
}

/** @throws PlatformError RECORD_UNKNOWN_CODEC */
export function codecOf(name: string): Codec {
  if (!Object.hasOwn(Codec, name))
    throw recordErrors.create('RECORD_UNKNOWN_CODEC', { codec: name })
  return Codec[name as CodecName]
}
