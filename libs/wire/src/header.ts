import { ApiKey } from './api-keys'
import { messagesOf } from './messages'
import { Reader } from './reader'
import type { Writer } from './writer'

/** What every request starts with. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  /** Comes back in the response; per connection, chosen by the client. */
  readonly correlationId: number
  readonly clientId: string | null
}

/**
 * Reads the header of a request frame (without the size in front); the body starts at `bodyStart`.
 * The client id keeps its plain length in every version, so that a broker can read the header of a
 * request newer than itself, whose tagged section is expected as in Kafka. For an unknown key it is taken for a part of the
 * body.
 * @throws WireError if the frame is too short for a header
 */
export function decodeRequestHeader(frame: Buffer): RequestHeader & { bodyStart: number } {
  const reader = new Reader(frame, 0, { message: 'RequestHeader', version: 1 })
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const clientId = reader.string()
  if (hasFlexibleHeader(apiKey, apiVersion)) reader.skipTags()
  return { apiKey, apiVersion, correlationId, clientId, bodyStart: reader.position }
}

export function encodeRequestHeader(
  writer: Writer,
  header: RequestHeader,
  isFlexible: boolean,
): void {
  writer.int16(header.apiKey, 'RequestHeader.apiKey')
  writer.int16(header.apiVersion, 'RequestHeader.apiVersion')
  writer.int32(header.correlationId, 'RequestHeader.correlationId')
  if (header.clientId === null) writer.int16(-1, 'RequestHeader.clientId')
  else writer.string(header.clientId, 'RequestHeader.clientId')
  if (isFlexible) writer.uvarint(0)
}

/**
 * Whether a response header has a tagged section. That of ApiVersions never has one: the client
 * reads it before it knows what the broker speaks.
 */
export function hasTagsInResponseHeader(
  spec: { key: number; flexibleFrom: number },
  version: number,
): boolean {
  return spec.key !== ApiKey.ApiVersions && version >= spec.flexibleFrom
}

function hasFlexibleHeader(apiKey: number, version: number): boolean {
  const request = messagesOf(apiKey)?.request
  return request !== undefined && version >= request.flexibleFrom
}
