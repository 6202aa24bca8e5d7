/** Where our worker answers otherwise than Kafka Connect, and why. What is not here fails the suite. */
import type { Difference } from './compare.ts'

export interface KnownDifference {
  readonly titles: RegExp
  readonly where: RegExp
  /** The rows of docs/connect-rest-differences.md. */
  readonly what: string
  readonly kafka: string
  readonly millrace: string
  readonly why: string
}

const PLUGIN_LISTS = /^plugins/
const DEFINITIONS = /^(validate|config of)/

export const knownDifferences: readonly KnownDifference[] = [
  {
    titles:
      /^(create (without a config|with (a number|a list|bad JSON|an empty body|null|an unknown (field|state)))|put with (bad JSON|a nested|an empty)|validate (with bad JSON|unknown plugin))/,
    where: /^(status|error_code|message)$/,
    what: 'a body that cannot be read, an unknown field in it, validation of an unknown plugin',
    kafka: '500 with an exception text of Java',
    millrace: '400 (404 for the plugin) with what is wrong',
    why: 'the mistake is the caller’s: 500 makes clients retry and alarms ring',
  },
  {
    titles: /^validate without a class$/,
    where: /./,
    what: '`config/validate` without `connector.class`',
    kafka: '500',
    millrace: '200, with the missing key among the errors',
    why: 'a form that is half filled in is what validation is for',
  },
  {
    titles: /^(unknown path|wrong method|create as text)/,
    where: /^content type$/,
    what: 'errors of the router (unknown path, method, media type)',
    kafka: 'JSON without a content type',
    millrace: '`application/json`',
    why: 'it is JSON',
  },
  {
    titles: /^(patch of the name|patch with nothing|patched config)$/,
    where: /./,
    what: 'PATCH of a configuration with another `name`',
    kafka: '200; stores a name that is not the connector’s',
    millrace: '400, as POST and PUT have it',
    why: 'nothing can work with such a configuration',
  },
  {
    titles: /with a slash in the name$/,
    where: /^(location|status|body)$/,
    what: 'a slash in the name of a connector',
    kafka: 'created, and then out of reach: `%2F` in a path is 400',
    millrace: 'works, escaped in `Location` too',
    why: 'a connector that can be created can be deleted',
  },
  {
    titles: /./,
    where: /(^|\.)(message|trace|documentation)$|\.errors\./,
    what: 'texts of messages, traces and documentation',
    kafka: 'Kafka’s',
    millrace: 'our own words; an invalid configuration lists every key with what was expected',
    why: 'the words are not the interface; codes and shapes are',
  },
  {
    titles: /./,
    where: /(^|\.)version$/,
    what: '`version` of plugins',
    kafka: 'the release of Kafka or of the plugin',
    millrace: 'of our plugin',
    why: 'it is another plugin under the same class name',
  },
  {
    titles: PLUGIN_LISTS,
    where: /^(source|sink|converter|header_converter|transformation|predicate) [\w.$]+$/,
    what: 'which plugins are installed',
    kafka: 'its own, and what `plugin.path` holds',
    millrace: 'built in: see `GET /connector-plugins`',
    why: 'another set of plugins',
  },
  {
    titles: DEFINITIONS,
    where: /\.(group|order_in_group|width|display_name)$|^groups\./,
    what: 'how a form would show a key: `group`, `order_in_group`, `width`, `display_name`, `groups`',
    kafka: 'a layout by hand',
    millrace: 'declaration order, the plugin’s name as group, the key as its display name',
    why: 'hints for a page; no client decides by them',
  },
  {
    titles: DEFINITIONS,
    where:
      /\.recommended_values\.|plugin\.version(\.|$)|\.converter\.(definition\.default_value|value\.value)$/,
    what: 'recommended values, plugin versions, and the worker’s converters as defaults of a connector',
    kafka: 'converter classes and installed versions; no values of keys with few',
    millrace: 'the values of keys with few; `null` where the worker’s setting counts',
    why: 'one version of a plugin is installed; a default that depends on the worker is not one of the key',
  },
  {
    titles: DEFINITIONS,
    where: /(^|\.)(topic\.creation\.default\.|[\w.]*converter\.type$)/,
    what: '`topic.creation.default.*`, `*.converter.type`',
    kafka: 'the first only if `topic.creation.groups` is set; the second always',
    millrace: 'the first always; no `converter.type`',
    why: 'they work without groups; a converter knows what it is used for',
  },
  {
    titles: DEFINITIONS,
    where:
      /(^|\.)file\.(definition\.)?(required|value)|^configs\.file\.value|^error_count$|^configs\.tasks\.max\.value\.value$/,
    what: '`file` of the file connectors; counts of errors',
    kafka:
      'standard input or output without a file; an unreadable number counts twice and shows `null`',
    millrace: '`file` is required; each key with errors counts once and shows what was given',
    why: 'a worker has no console',
  },
]

/** The reason of a difference, or undefined if nobody has thought about it. */
export function knownDifference({ title, where }: Difference): KnownDifference | undefined {
  return knownDifferences.find((known) => known.titles.test(title) && known.where.test(where))
}

/** The page docs/connect-rest-differences.md. */
export function formatDifferences(version: string): string {
  const rows = knownDifferences.map(
    ({ what, kafka, millrace, why }) => `| ${what} | ${kafka} | ${millrace} | ${why} |`,
  )
  return `# Where the Connect REST API differs

Written by \`npm run compat -- --record\` from \`test/compat/connect-rest/known-differences.ts\`; do not edit. The same calls
are played against Kafka Connect ${version} and against \`millrace worker\`; status, content type, location and JSON are
compared. Apart from these rows the answers are the same.

| what | Kafka Connect | Millrace | why |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
