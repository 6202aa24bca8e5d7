import { decodeAt, encodeInto, write } from './codec'
import { encodeRequestHeader, hasTagsInResponseHeader } from './header'
import { Reader } from './reader'
import type { Infer, InferInput, MessageSpec } from './schema'
import type { Writer } from './writer'

/**
 * A request as it goes on the wire, its size in front. Record batches are among the buffers by
 * reference: they must not change until the socket has taken them.
 * @throws TypeError naming message and field
 */
export function encodeRequest<S extends MessageSpec>(
  spec: S,
  version: number,
  header: { correlationId: number; clientId: string | null },
  value: InferInput<S>,
): Buffer[] {
  return writeFrame((writer) => {
    const { correlationId, clientId } = header
    const isFlexible = version >= spec.flexibleFrom
    const full = { apiKey: spec.key, apiVersion: version, correlationId, clientId }
    encodeRequestHeader(writer, full, isFlexible)
    encodeInto(writer, spec, version, value)
  })
}

/** A response as it goes on the wire; for the rest as `encodeRequest`. */
export function encodeResponse<S extends MessageSpec>(
  spec: S,
  version: number,
  correlationId: number,
  value: InferInput<S>,
): Buffer[] {
  return writeFrame((writer) => {
    writer.int32(correlationId, 'ResponseHeader.correlationId')
    if (hasTagsInResponseHeader(spec, version)) writer.uvarint(0)
    encodeInto(writer, spec, version, value)
  })
}

/**
 * Decodes a response frame (without the size in front). `bytes` and `records` are views of it.
 * @throws WireError
 */
export function decodeResponse<S extends MessageSpec>(
  spec: S,
  version: number,
  frame: Buffer,
): { correlationId: number; value: Infer<S> } {
  const reader = new Reader(frame, 0, { message: spec.name, version })
  const correlationId = reader.int32()
  if (hasTagsInResponseHeader(spec, version)) reader.skipTags()
  return { correlationId, value: decodeAt(reader, spec, version) }
}

function writeFrame(fill: (writer: Writer) => void): Buffer[] {
  return write((writer) => {
    writer.int32(0, 'size')
    fill(writer)
    writer.patchInt32(0, writer.sizeBytes - 4)
  })
}
