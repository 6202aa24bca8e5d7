/** Writes docs/broker-config.md out of the table of the broker's keys. */

export interface DocumentedKey {
  readonly name: string
  readonly type: string
  readonly byDefault: string | null
  readonly unit: string | null
  readonly doc: string
  readonly hasEffect: boolean
  readonly isDynamic: boolean
}

const NO_EFFECT = 'No effect. '

export function renderBrokerConfig(keys: readonly DocumentedKey[]): string {
  const rows = keys
    .filter(({ hasEffect }) => hasEffect)
    .map(
      ({ name, type, unit, byDefault, isDynamic, doc }) =>
        `| \`${name}\` | ${typeOf(type, unit)} | ${defaultOf(byDefault)} | ${isDynamic ? 'yes' : ''} | ${cell(doc)} |`,
    )
  return `# Keys of a broker

Written by \`npm run docs\`; do not edit. A \`server.properties\` of Kafka 4.3 is taken as it is: every key of it is known, values are
checked, all that is wrong is told at once and stops the start. A key that nobody knows is named in the log and ignored. Keys that
are dynamic can be changed while the broker runs, with \`kafka-configs\` or any client; a value that was set so wins over the file.

## Keys that have an effect

| key | type | default | dynamic | |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

## Keys that are accepted without effect

${withoutEffect(keys)}`
}

function withoutEffect(keys: readonly DocumentedKey[]): string {
  const byReason = new Map<string, string[]>()
  for (const { name, doc, hasEffect } of keys) {
    if (hasEffect) continue
    const reason = doc.slice(NO_EFFECT.length)
    byReason.set(reason, [...(byReason.get(reason) ?? []), `\`${name}\``])
  }
  return Array.from(byReason, ([reason, names]) => `**${reason}**\n\n${names.join(', ')}\n`).join(
    '\n',
  )
}

function typeOf(type: string, unit: string | null): string {
  return unit === null ? type.toLowerCase() : `${type.toLowerCase()}, ${unit}`
}

function defaultOf(text: string | null): string {
  if (text === null) return ''
  return text === '' ? 'empty' : `\`${text.replaceAll('|', '\\|')}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
