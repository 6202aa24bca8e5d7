import { type Client, escapeIdentifier } from 'pg'
import { ConfigurationError } from '@millrace/connect-api'
import type { PostgresConfig } from './options'
import type { TableId } from './schema/catalog'
import { queryRows } from './session'

/**
 * Sees to it that the publication exists and, if it is `filtered`, that it holds the captured tables. Must come before the slot:
 * the server looks the publication up as it was at each change.
 */
export async function ensurePublication(
  client: Client,
  config: PostgresConfig,
  captured: readonly TableId[],
): Promise<void> {
  const name = config.publicationName
  const [existing] = await queryRows<{ puballtables: boolean }>(
    client,
    `looking for publication ${name}`,
    'select puballtables from pg_publication where pubname = $1',
    [name],
  )
  const mode = config.publicationAutocreateMode
  if (existing !== undefined) {
    if (mode === 'filtered' && !existing.puballtables) await setTables(client, name, captured)
    return
  }
  if (mode === 'disabled') {
    throw new ConfigurationError(
      `publication ${name} does not exist and publication.autocreate.mode is disabled: create it, or allow that it is made`,
    )
  }
  const viaRoot = config.publishViaPartitionRoot ? ' WITH (publish_via_partition_root = true)' : ''
  await queryRows(
    client,
    `creating publication ${name}`,
    `CREATE PUBLICATION ${escapeIdentifier(name)}${tablesClause(mode, captured)}${viaRoot}`,
  )
}

function tablesClause(mode: 'all_tables' | 'filtered' | 'no_tables', captured: readonly TableId[]) {
  if (mode === 'all_tables') return ' FOR ALL TABLES'
  if (mode === 'no_tables') return ''
  return ` FOR TABLE ${tableList(captured)}`
}

/** Changes the publication only when the tables differ: an ALTER locks them. */
async function setTables(
  client: Client,
  name: string,
  captured: readonly TableId[],
): Promise<void> {
  const doing = `updating publication ${name}`
  const present = await queryRows<{ oid: string }>(
    client,
    doing,
    `select r.prrelid::int8::text as oid from pg_publication_rel r
     join pg_publication p on p.oid = r.prpubid where p.pubname = $1`,
    [name],
  )
  const wanted = new Set(captured.map(({ oid }) => oid))
  if (present.length === wanted.size && present.every(({ oid }) => wanted.has(Number(oid)))) return
  await queryRows(
    client,
    doing,
    `ALTER PUBLICATION ${escapeIdentifier(name)} SET TABLE ${tableList(captured)}`,
  )
}

/** @throws ConfigurationError if there are none, which the server would refuse */
function tableList(captured: readonly TableId[]): string {
  if (captured.length === 0) {
    throw new ConfigurationError(
      'no table is captured, so there is nothing to publish: check table.include.list and schema.include.list',
    )
  }
  return captured
    .map((table) => `${table.isPartitioned ? '' : 'ONLY '}${quoteTable(table)}`)
    .join(', ')
}

export function quoteTable({ schema, name }: { readonly schema: string; readonly name: string }) {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`
}
