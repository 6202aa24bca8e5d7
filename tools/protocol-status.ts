/** Writes docs/protocol-status.md out of the table of handlers and the headers of their files. */
import { kafkaApis } from './kafka-apis.ts'

export interface ServedApi {
  readonly key: number
  readonly served: { readonly min: number; readonly max: number }
  /** The comment at the top of the handler's file. */
  readonly header: string
}

/** Why a request of Kafka's is not served: first match wins. */
const REASONS: readonly { readonly name: RegExp; readonly why: string }[] = [
  { name: /Share/, why: 'share groups are not served' },
  { name: /Streams/, why: 'streams groups are not served' },
  { name: /Raft/, why: 'the metadata is not kept in a Raft log' },
]

/** The comment at the top of a file, without its stars. */
export function headerOf(source: string): string {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? ''
  return comment.replace(/^ \* ?/gm, '').trim()
}

export function renderProtocolStatus(apis: readonly ServedApi[]): string {
  const byKey = new Map(apis.map((api) => [api.key, api]))
  const served = kafkaApis.filter(([key]) => byKey.has(key))
  const missing = kafkaApis.filter(([key]) => !byKey.has(key))
  const rows = served.map(([key, name, min, max]) => {
    const api = byKey.get(key)
    const ours = api ? range(api.served.min, api.served.max) : ''
    return `| ${key} | ${name} | ${ours} | ${range(min, max)} | ${gapsOf(api?.header ?? '')} |`
  })
  return `# What of Kafka's protocol is served

Written by \`npm run docs\` from the handlers in apps/broker/src/handlers; do not edit. Versions are compared with those that a
broker of Kafka 4.3 advertises. Produce is advertised from version 0, as in Kafka, for a client that looks for it.

| key | request | versions | Kafka 4.3 | gaps |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

## Not served

These are not advertised: a client sees that, and does without.

| key | request | why |
| --- | --- | --- |
${missing.map(([key, name]) => `| ${key} | ${name} | ${reasonOf(name)} |`).join('\n')}
`
}

/** The lines of "Gaps:" up to the next word with a colon that begins a line; empty if there are none. */
function gapsOf(header: string): string {
  const text = /^Gaps: ([\s\S]*?)(?=\n[A-Z]\w+: |(?![\s\S]))/m.exec(header)?.[1] ?? 'unknown'
  const line = text
    .replace(/\s+Invariants: .*$/s, '')
    .replace(/\s+/g, ' ')
    .trim()
  return line === 'none known.' ? '' : line.replaceAll('|', '\\|')
}

function reasonOf(name: string): string {
  return REASONS.find((reason) => reason.name.test(name))?.why ?? 'not yet'
}

function range(min: number, max: number): string {
  return min === max ? String(min) : `${min}-${max}`
}
