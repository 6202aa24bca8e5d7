import type { MetricFamily, Sample } from '@millrace/telemetry'
import { errorName, type Fields } from '@millrace/wire'
import type { AnswerListener } from '../network/dispatcher'

/** Where the error codes stand in the answers of one request and version. */
interface Place {
  readonly hasErrorCode: boolean
  /** The structs and lists of structs below that hold further ones. */
  readonly inner: readonly { readonly field: string; readonly place: Place }[]
}

/** The lowest code, UNKNOWN_SERVER_ERROR. */
const LOWEST_CODE = -1
/** More than there are: a code beyond is counted as nothing. */
const CODE_COUNT = 256

/** Counts the error codes in answers, NONE as well: what Kafka's ErrorsPerSec counts. */
export class ErrorCounts {
  /** By API key and version, made when the first such answer leaves. */
  readonly #places: (Place | undefined)[][] = []
  /** By API key: how often each code was answered, from the lowest on. */
  readonly #counts: (Float64Array | undefined)[] = []
  readonly #names: string[] = []

  readonly onAnswer: AnswerListener = (response, apiVersion, answer) => {
    const { key } = response
    const places = (this.#places[key] ??= [])
    const place = (places[apiVersion] ??= placeOf(response.fields, apiVersion))
    this.#names[key] ??= response.name.replace(/Response$/, '')
    countAt(place, answer as Answer, (this.#counts[key] ??= new Float64Array(CODE_COUNT)))
  }

  family(): MetricFamily {
    return {
      name: 'kafka_network_requestmetrics_errors_total',
      type: 'counter',
      help: 'Error codes in answers, by API and error; NONE as well.',
      labels: ['request', 'error'],
      read: () => this.#samples(),
    }
  }

  *#samples(): Iterable<Sample> {
    for (const [key, counts] of this.#counts.entries())
      for (const [at, value] of (counts ?? []).entries())
        if (value > 0) yield { labels: [this.#names[key], errorName(at + LOWEST_CODE)], value }
  }
}

type Answer = { readonly errorCode?: number } & Readonly<Record<string, unknown>>

/** What an answer leaves out is encoded as its default, which is NONE. */
function countAt({ hasErrorCode, inner }: Place, answer: Answer, counts: Float64Array): void {
  if (hasErrorCode) counts[(answer.errorCode ?? 0) - LOWEST_CODE] += 1
  for (let i = 0; i < inner.length; i++) {
    const { field, place } = inner[i]
    const below = answer[field] as Answer | readonly Answer[] | null | undefined
    if (Array.isArray(below))
      for (let at = 0; at < below.length; at++) countAt(place, below[at] as Answer, counts)
    else if (below) countAt(place, below as Answer, counts)
  }
}

function placeOf(fields: Fields, apiVersion: number): Place {
  const sent = Object.entries(fields).filter(
    ([, { versions }]) => versions.min <= apiVersion && apiVersion <= versions.max,
  )
  return {
    hasErrorCode: sent.some(([field]) => field === 'errorCode'),
    inner: sent.flatMap(([field, spec]) => {
      const place = spec.fields && placeOf(spec.fields, apiVersion)
      return place && (place.hasErrorCode || place.inner.length > 0) ? [{ field, place }] : []
    }),
  }
}
