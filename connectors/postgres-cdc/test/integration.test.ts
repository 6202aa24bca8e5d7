import { Decimal, failureKind, LOGICAL, type SourceRecord } from '@millrace/connect-api'
import { type Database, envelopeOf, Harness, openDatabase, operations, SERVERS } from './harness'

jest.setTimeout(60_000)

describe.each(SERVERS)('with the Postgres of %s', (from) => {
  let database: Database
  let missing: string | null = null
  let test = 0

  beforeAll(async () => {
    const opened = await openDatabase(from)
    if ('missing' in opened) missing = opened.missing
    else database = opened
  })
  afterAll(() => database?.end())
  beforeEach(async () => {
    if (missing !== null) return
    test++
    await database.sql('drop schema public cascade')
    await database.sql('create schema public')
    await database.sql('drop publication if exists dbz_publication')
  })

  afterEach(async () => {
    if (missing !== null) return
    await database.sql(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active',
    )
  })

  /** Skips by name what the machine cannot run. */
  const scenario = (title: string, run: () => Promise<void>) =>
    it(title, async () => {
      if (missing !== null) {
        console.warn(`skipped: ${title}: ${missing}`)
        return
      }
      await run()
    })

  const harness = (properties: Record<string, string> = {}) =>
    new Harness(database, { 'slot.name': `slot_${test}`, ...properties })

  scenario('reads the rows first and then the changes, each once', async () => {
    await database.sql('create table item (id int primary key, name text not null)')
    await database.sql("insert into item values (1, 'one'), (2, 'two'), (3, 'three')")
    const run = harness()
    await run.start()
    await run.count(3)
    await database.sql("insert into item values (4, 'four')")
    await database.sql("update item set name = 'TWO' where id = 2")
    await database.sql('delete from item where id = 3')
    await run.count(7)
    await run.stop()
    expect(operations(run.records)).toBe('rrrcud-')
    expect(run.records.map(({ key }) => (key as { id: number }).id)).toEqual([1, 2, 3, 4, 2, 3, 3])
    const values = run.records.slice(0, 6).map(envelopeOf)
    expect(values.map(({ source }) => source.snapshot)).toEqual([
      'first',
      'true',
      'last',
      'false',
      'false',
      'false',
    ])
    expect(values[4]).toMatchObject({ before: null, after: { id: 2, name: 'TWO' } })
    // The default replica identity knows the key alone: other required columns have a stand-in.
    expect(values[5]).toMatchObject({ before: { id: 3, name: '' }, after: null })
    expect(run.records[3].topic).toBe('shop.public.item')
    expect(run.records[3].valueSchema).toBe(run.records[0].valueSchema)
  })

  scenario('marks the first and last row of each table', async () => {
    await database.sql(
      'create table a (id int primary key); create table b (id int primary key); create table c (id int primary key)',
    )
    await database.sql('insert into a values (1), (2), (3); insert into b values (1), (2)')
    const run = harness()
    await run.start()
    await run.count(5)
    await run.stop()
    expect(run.records.map((record) => envelopeOf(record).source.snapshot)).toEqual([
      'first',
      'true',
      'last_in_data_collection',
      'first_in_data_collection',
      'last',
    ])
    const completed = run.records.map(({ sourceOffset }) => sourceOffset.snapshot_completed)
    expect(completed).toEqual([false, false, false, false, true])
  })

  scenario('neither loses nor repeats what is written while the snapshot begins', async () => {
    await database.sql('create table counter (id serial primary key, n int not null)')
    await database.sql('insert into counter (n) select 0 from generate_series(1, 2000)')
    const run = harness({ 'max.batch.size': '100', 'max.queue.size': '200' })
    let isWriting = true
    const writer = (async () => {
      for (let round = 0; isWriting; round++) {
        await database.sql('insert into counter (n) values (0)')
        await database.sql(`update counter set n = n + 1 where id = ${1 + (round % 500)}`)
        await database.sql(`delete from counter where id = ${1000 + round}`)
      }
    })()
    await run.start()
    await run.until((records) => records.length > 2500)
    isWriting = false
    await writer
    await database.sql('insert into counter (id, n) values (1000000, 7)')
    await run.until((records) => records.some(({ key }) => (key as { id: number }).id === 1000000))
    await run.stop()
    const rows = await database.sql('select id, n from counter order by id')
    expect(replay(run.records)).toEqual(rows.map(({ id, n }) => [id, n]))
    expectOneStepUpdates(run.records)
  })

  scenario(
    'gives every change once over restarts at random points, inside transactions too',
    async () => {
      await database.sql('create table item (id int primary key, n int not null)')
      const run = harness({ 'max.batch.size': '7', 'max.queue.size': '100' })
      await run.start()
      await database.sql('insert into item values (0, 0)')
      await run.count(1)
      await run.commit()
      for (let tx = 0; tx < 60; tx++) {
        // One statement of many rows: COPY-like inserts share an LSN, the updates do not.
        await database.sql(
          `begin; insert into item select ${tx * 10 + 1} + i, ${tx} from generate_series(0, 9) i; update item set n = n + 1 where id = ${tx * 10 + 1}; commit`,
        )
      }
      while (run.records.length < 1 + 60 * 11) {
        const before = run.records.length
        await run.poll()
        // Restart at every batch border, with exactly what was given stored.
        if (run.records.length > before) {
          await run.commit()
          await run.stop()
          await run.start()
        }
      }
      await run.poll()
      await run.stop()
      expect(run.records.length).toBe(661)
      expect(new Set(run.records.map(identityOf)).size).toBe(661)
      expect(replay(run.records).length).toBe(601)
    },
  )

  scenario('resumes inside a COPY, whose rows share one LSN', async () => {
    await database.sql('create table item (id int primary key, n int)')
    await database.sql('insert into item values (0, 0)')
    const run = harness({ 'max.batch.size': '3', 'max.queue.size': '100' })
    await run.start()
    await run.count(1)
    await run.commit()
    await copyIn(
      database,
      Array.from({ length: 50 }, (_, i) => `${i + 1}\t${i}`),
    )
    while (run.records.length < 51) {
      await run.poll()
      await run.commit()
      await run.stop()
      await run.start()
    }
    await run.stop()
    expect(run.records.map(({ key }) => (key as { id: number }).id)).toEqual(
      Array.from({ length: 51 }, (_, i) => i),
    )
    expect(new Set(run.records.slice(1).map((r) => envelopeOf(r).source.lsn)).size).toBeLessThan(50)
  })

  scenario('gives again what was given and not stored, in the same order', async () => {
    await database.sql('create table item (id int primary key, n int)')
    const run = harness()
    await run.start()
    await database.sql('insert into item select i, i from generate_series(1, 100) i')
    await database.sql('update item set n = 0')
    await run.count(200)
    await run.commit(run.records[41])
    await run.stop()
    const first = run.records.map(identityOf)
    run.records.length = 0
    await run.start()
    await run.count(158)
    await run.poll()
    await run.stop()
    expect(run.records.map(identityOf)).toEqual(first.slice(42))
  })

  scenario('begins a snapshot anew that was cut short', async () => {
    await database.sql('create table item (id int primary key)')
    await database.sql('insert into item select generate_series(1, 5000)')
    const run = harness({ 'max.batch.size': '100', 'max.queue.size': '200' })
    await run.start()
    await run.count(300)
    await run.commit()
    await run.stop()
    run.records.length = 0
    await run.start()
    await run.count(5000)
    await database.sql('insert into item values (5001)')
    await run.count(5001)
    await run.stop()
    expect(run.records.map(({ key }) => (key as { id: number }).id)).toEqual(
      Array.from({ length: 5001 }, (_, i) => i + 1),
    )
  })

  scenario('goes on by itself when the server comes back', async () => {
    await database.sql('create table item (id int primary key, n int)')
    const run = harness()
    await run.start()
    await database.sql('insert into item select i, 0 from generate_series(1, 500) i')
    await run.count(250)
    await run.commit()
    await database.kill()
    await run.until(() => run.failures.length > 0)
    await database.restart()
    await database.sql('update item set n = 1')
    await run.count(1000)
    await run.poll()
    await run.stop()
    expect(run.failures.every((error) => failureKind(error) === 'retriable')).toBe(true)
    expect(operations(run.records)).toBe('c'.repeat(500) + 'u'.repeat(500))
  })

  scenario('lets a server shut down that has nothing left to send', async () => {
    await database.sql('create table item (id int primary key)')
    const run = harness()
    await run.start()
    await database.sql('insert into item values (1)')
    await run.count(1)
    await run.commit()
    let isBack = false
    const restart = database.restart().then(() => {
      isBack = true
    })
    while (!isBack) await run.poll()
    await restart
    await database.sql('insert into item values (2)')
    await run.count(2)
    await run.stop()
    expect(operations(run.records)).toBe('cc')
  })

  scenario('keeps the slot at what is stored, and moves it on when all is', async () => {
    await database.sql('create table item (id int primary key); create table other (id int)')
    const run = harness({ 'table.include.list': 'public.item' })
    const confirmed = async (): Promise<bigint> => {
      const [{ lsn }] = await database.sql(
        "select (confirmed_flush_lsn - '0/0')::text as lsn from pg_replication_slots where slot_name = $1",
        [`slot_${test}`],
      )
      return BigInt(lsn as string)
    }
    await run.start()
    await run.poll()
    const atStart = await confirmed()
    await database.sql('insert into item values (1)')
    await database.sql('insert into item values (2)')
    await run.count(2)
    for (let n = 0; n < 5; n++) await run.poll()
    const beforeLast = BigInt(run.records[1].sourceOffset.lsn_commit as number)
    expect((await confirmed()) < beforeLast).toBe(true)
    await run.commit()
    await database.sql('insert into other select generate_series(1, 100)')
    const [{ lsn: now }] = await database.sql("select (pg_current_wal_lsn() - '0/0')::text as lsn")
    await pollUntil(run, async () => (await confirmed()) >= BigInt(now as string))
    expect(await confirmed()).toBeGreaterThan(atStart)
    await run.stop()
  })

  scenario('tells a key change as a deletion and a creation that name each other', async () => {
    await database.sql('create table item (id int primary key, name text)')
    await database.sql("insert into item values (1, 'a')")
    const run = harness()
    await run.start()
    await run.count(1)
    await database.sql('update item set id = 2 where id = 1')
    await run.count(4)
    await run.stop()
    const [, deletion, tombstone, creation] = run.records
    expect(operations(run.records)).toBe('rd-c')
    expect(deletion.key).toEqual({ id: 1 })
    expect(tombstone.key).toEqual({ id: 1 })
    expect(creation.key).toEqual({ id: 2 })
    expect(deletion.headers).toMatchObject([{ key: '__debezium.newkey', value: { id: 2 } }])
    expect(creation.headers).toMatchObject([{ key: '__debezium.oldkey', value: { id: 1 } }])
    expect(envelopeOf(creation)).toMatchObject({ before: null, after: { id: 2, name: 'a' } })
    // A restart between them must give all of them again.
    expect(deletion.sourceOffset).not.toEqual(creation.sourceOffset)
  })

  scenario('puts a placeholder for large values that an update left as they were', async () => {
    await database.sql(
      'create table doc (id int primary key, n int, body text, raw bytea, tags text[], codes int[])',
    )
    for (const column of ['body', 'raw', 'tags', 'codes']) {
      await database.sql(`alter table doc alter ${column} set storage external`)
    }
    await database.sql(
      "insert into doc values (1, 0, repeat('x', 9000), decode(repeat('ab', 9000), 'hex'), array[repeat('y', 9000)], array(select generate_series(1, 5000)))",
    )
    const run = harness()
    await run.start()
    await run.count(1)
    await database.sql('update doc set n = 1')
    await database.sql('alter table doc replica identity full')
    await database.sql('update doc set n = 2')
    await run.count(3)
    await run.stop()
    const [first, partial, full] = run.records.map(envelopeOf)
    expect(partial.after).toEqual({
      id: 1,
      n: 1,
      body: '__debezium_unavailable_value',
      raw: Buffer.from('__debezium_unavailable_value'),
      tags: ['__debezium_unavailable_value'],
      codes: [...Buffer.from('__debezium_unavailable_value')],
    })
    expect(full.after).toEqual({ ...first.after, n: 2 })
    expect(full.before).toEqual({ ...first.after, n: 1 })
  })

  scenario('follows changes of a table and of what it is called', async () => {
    await database.sql('create table item (id int primary key, name varchar(10) not null)')
    const run = harness()
    await run.start()
    // The snapshot keeps tables from being altered: let it end.
    await run.poll()
    await database.sql("insert into item values (1, 'a')")
    await database.sql('alter table item add column price numeric(6,2), drop column name')
    await database.sql('insert into item values (2, 1.5)')
    await database.sql('alter table item rename to article')
    await database.sql('insert into article values (3, 2)')
    await run.count(3)
    await run.stop()
    expect(run.records.map(({ topic }) => topic)).toEqual([
      'shop.public.item',
      'shop.public.item',
      'shop.public.article',
    ])
    expect(
      run.records.map(({ valueSchema }) => fieldNames(valueSchema!.fields[1].schema!)),
    ).toEqual([
      ['id', 'name'],
      ['id', 'price'],
      ['id', 'price'],
    ])
    expect(String(envelopeOf(run.records[1]).after!.price)).toBe('1.50')
  })

  scenario('maps every type alike in the snapshot and in the stream', async () => {
    await database.sql(
      "create type mood as enum ('sad', 'ok'); create domain price as numeric(8,2)",
    )
    await database.sql(
      `create table kinds (id int primary key, ${TYPE_CASES.map(([type], n) => `c${n} ${type}`).join(', ')})`,
    )
    const insert = (id: number) =>
      database.sql(
        `insert into kinds values (${id}, ${TYPE_CASES.map(([, text]) => text).join(', ')})`,
      )
    await insert(1)
    const run = harness()
    await run.start()
    await insert(2)
    await run.count(2)
    await run.stop()
    const [snapshot, stream] = run.records.map((record) => envelopeOf(record).after!)
    TYPE_CASES.forEach(([type, text, expected, schemaName = null], n) => {
      const field = run.records[0].valueSchema!.fields[1].schema.fields[n + 1]
      expect([type, text, snapshot[`c${n}`]]).toEqual([type, text, expected])
      expect([type, text, stream[`c${n}`]]).toEqual([type, text, expected])
      expect([type, field.schema.name]).toEqual([type, schemaName])
    })
    expect(run.records[1].valueSchema).toBe(run.records[0].valueSchema)
  })

  scenario('represents values as the handling modes say', async () => {
    await database.sql(
      'create table kinds (id int primary key, price numeric(8,2), any_scale numeric, raw bytea, span interval, day date, at time(3), moment timestamp, cost money, place tsquery)',
    )
    await database.sql(
      `insert into kinds values (1, 1.5, 'NaN', '\\xfbff', '1 year 2 mons -3 days 04:05:06.5', '2024-02-29', '12:30:00.5', '2024-02-29 12:30:00.123456', 12.345, 'a & b')`,
    )
    const text = harness({
      'decimal.handling.mode': 'string',
      'binary.handling.mode': 'base64-url-safe',
      'interval.handling.mode': 'string',
      'time.precision.mode': 'connect',
      'include.unknown.datatypes': 'true',
    })
    await text.start()
    await text.count(1)
    await text.stop()
    expect(envelopeOf(text.records[0]).after).toEqual({
      id: 1,
      price: '1.50',
      any_scale: 'NaN',
      raw: '-_8',
      span: 'P1Y2M-3DT4H5M6.5S',
      day: new Date('2024-02-29'),
      at: new Date(45_000_500),
      moment: new Date('2024-02-29T12:30:00.123Z'),
      cost: '12.35',
      place: Buffer.from("'a' & 'b'").toString('base64url'),
    })
    const double = harness({
      'decimal.handling.mode': 'double',
      'slot.name': `slot_${test}b`,
      'time.precision.mode': 'adaptive_time_microseconds',
      'binary.handling.mode': 'hex',
    })
    await double.start()
    await double.count(1)
    await double.stop()
    expect(envelopeOf(double.records[0]).after).toEqual({
      id: 1,
      price: 1.5,
      any_scale: NaN,
      raw: 'fbff',
      // 14 months of 30.4375 days, less 3 days, and 04:05:06.5.
      span: 36_572_706_500_000,
      day: 19_782,
      at: 45_000_500_000,
      moment: 1_709_209_800_123_456,
      cost: 12.35,
    })
  })

  scenario('carries a transaction of 100,000 rows in batches', async () => {
    await database.sql('create table item (id int primary key, name text)')
    const run = harness()
    await run.start()
    await database.sql("insert into item select i, 'name ' || i from generate_series(1, 100000) i")
    await run.count(100_000)
    await run.stop()
    expect(run.records.length).toBe(100_000)
    expect(run.records.every(({ key }, index) => (key as { id: number }).id === index + 1)).toBe(
      true,
    )
  })

  scenario('leaves out tables, columns and operations as told', async () => {
    await database.sql(
      'create schema extra; create table item (id int primary key, secret text, n int); create table other (id int primary key); create table extra.item (id int primary key)',
    )
    const run = harness({
      'schema.include.list': 'public',
      'table.exclude.list': 'public\\.oth.*',
      'column.exclude.list': 'public.item.secret',
      'skipped.operations': 'u',
      'tombstones.on.delete': 'false',
      'message.key.columns': 'public.item:n,id',
    })
    await run.start()
    await run.poll()
    await database.sql(
      "insert into item values (1, 's', 5); insert into other values (1); insert into extra.item values (1); update item set n = 6; delete from item; truncate item",
    )
    await run.count(3)
    await run.poll()
    await run.stop()
    await database.sql('drop schema extra cascade')
    expect(operations(run.records)).toBe('cdt')
    expect(run.records[0].key).toEqual({ n: 5, id: 1 })
    expect(envelopeOf(run.records[0]).after).toEqual({ id: 1, n: 5 })
    expect(run.records[2].key).toBeNull()
  })

  scenario('makes a filtered publication and keeps it up to date', async () => {
    await database.sql('create table a (id int primary key); create table b (id int primary key)')
    const properties = {
      'publication.autocreate.mode': 'filtered',
      'publication.name': 'some_tables',
    }
    const published = async () =>
      (
        await database.sql(
          "select tablename from pg_publication_tables where pubname = 'some_tables' order by 1",
        )
      ).map((row) => row.tablename as string)
    const first = harness({ ...properties, 'table.include.list': 'public.a' })
    await first.start()
    expect(await published()).toEqual(['a'])
    await first.stop()
    const second = harness({ ...properties, 'table.include.list': 'public.a,public.b' })
    await second.start()
    expect(await published()).toEqual(['a', 'b'])
    await database.sql('insert into b values (1)')
    await second.count(1)
    await second.stop()
    await database.sql('drop publication some_tables')
  })

  scenario('numbers events in their transaction', async () => {
    await database.sql('create table a (id int primary key); create table b (id int primary key)')
    const run = harness({ 'provide.transaction.metadata': 'true' })
    await run.start()
    await database.sql(
      'begin; insert into a values (1); insert into b values (1); insert into a values (2); commit',
    )
    await run.count(5)
    await run.stop()
    const [begin, first, second, third, last] = run.records
    const id = (begin.value as { id: string }).id
    expect(begin.topic).toBe('shop.transaction')
    expect(begin.value).toMatchObject({
      status: 'BEGIN',
      event_count: null,
      data_collections: null,
    })
    expect([first, second, third].map((record) => envelopeOf(record).transaction)).toEqual([
      { id, total_order: 1, data_collection_order: 1 },
      { id, total_order: 2, data_collection_order: 1 },
      { id, total_order: 3, data_collection_order: 2 },
    ])
    expect(last.value).toMatchObject({
      status: 'END',
      event_count: 3,
      data_collections: [
        { data_collection: 'public.a', event_count: 2 },
        { data_collection: 'public.b', event_count: 1 },
      ],
    })
  })

  scenario('streams without a snapshot, and reads only once, as the mode says', async () => {
    await database.sql('create table item (id int primary key); insert into item values (1)')
    const noData = harness({ 'snapshot.mode': 'no_data' })
    await noData.start()
    await database.sql('insert into item values (2)')
    await noData.count(1)
    await noData.stop()
    expect(operations(noData.records)).toBe('c')
    const once = harness({ 'snapshot.mode': 'initial_only', 'slot.name': 'unused' })
    await once.start()
    await once.count(2)
    await once.commit()
    expect(await once.poll()).toEqual([])
    await once.stop()
    await once.start()
    expect(await once.poll()).toEqual([])
    await once.stop()
    expect(operations(once.records)).toBe('rr')
  })

  scenario('refuses to go on when the slot is gone, unless a new snapshot is allowed', async () => {
    await database.sql('create table item (id int primary key); insert into item values (1)')
    const run = harness()
    await run.start()
    await run.count(1)
    await run.commit()
    await run.stop()
    await database.sql('select pg_drop_replication_slot($1)', [`slot_${test}`])
    await expect(run.start()).rejects.toMatchObject({ kind: 'configuration' })
    const allowed = new Harness(
      database,
      { 'slot.name': `slot_${test}`, 'snapshot.mode': 'when_needed' },
      run.stored,
    )
    await allowed.start()
    await allowed.count(1)
    await allowed.stop()
    expect(operations(allowed.records)).toBe('r')
  })

  scenario('waits while somebody else uses the slot', async () => {
    await database.sql('create table item (id int primary key); insert into item values (1)')
    const first = harness()
    await first.start()
    await first.count(1)
    await first.commit()
    await first.poll()
    const second = new Harness(database, { 'slot.name': `slot_${test}` }, first.stored)
    await second.start()
    await second.poll()
    expect(second.failures.map(failureKind)).toEqual(['retriable'])
    await first.stop()
    await database.sql('insert into item values (2)')
    await second.count(1)
    await second.stop()
    expect(operations(second.records)).toBe('c')
  })

  scenario('writes heartbeats whose offset passes what was filtered out', async () => {
    await database.sql('create table item (id int primary key); create table beat (n int)')
    const run = harness({
      'table.include.list': 'public.item',
      'heartbeat.interval.ms': '50',
      'heartbeat.action.query': 'insert into beat values (1)',
    })
    await run.start()
    await pollUntil(run, async () => (await database.sql('select * from beat')).length >= 3)
    await run.stop()
    expect(run.records[0]).toMatchObject({
      topic: '__debezium-heartbeat.shop',
      key: { serverName: 'shop' },
    })
    const commits = run.records.map(({ sourceOffset }) => sourceOffset.lsn_commit as number)
    expect(commits.at(-1)).toBeGreaterThan(commits[0])
  })

  scenario('names what a human must change', async () => {
    await database.sql("drop role if exists reader; create role reader login password 'x'")
    const wrong = [
      harness({ 'database.dbname': 'nowhere' }),
      harness({ 'database.user': 'nobody_here' }),
      harness({ 'database.user': 'reader' }),
      harness({ 'publication.autocreate.mode': 'disabled' }),
      harness({ 'database.sslmode': 'require' }),
    ]
    for (const run of wrong) {
      await expect(run.start()).rejects.toMatchObject({ kind: 'configuration' })
    }
  })
})

it('waits for a server that is not there', async () => {
  const server = { host: '127.0.0.1', port: 1 } as Database
  const run = new Harness(server)
  await run.start()
  await run.poll()
  await run.stop()
  expect(run.failures.map(failureKind)).toEqual(['retriable'])
})

it('says that wal_level is too low', async () => {
  const database = await openDatabase('any', ['wal_level=replica'])
  if ('missing' in database) return console.warn(`skipped: wal_level: ${database.missing}`)
  const run = new Harness(database)
  await expect(run.start()).rejects.toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('wal_level'),
  })
  await database.end()
})

/** Column type, SQL of a value, what it becomes, and the schema's name. */
const TYPE_CASES: readonly (readonly [string, string, unknown, string?])[] = [
  ['boolean', 'true', true],
  ['smallint', '-32768', -32768],
  ['integer', '-2147483648', -2147483648],
  ['bigint', '9007199254740991', 9007199254740991],
  ['bigint', '-9223372036854775808', -9223372036854775808n],
  ['real', '0.1', 0.1],
  ['double precision', "'NaN'", NaN],
  ['double precision', "'-Infinity'", -Infinity],
  ['double precision', '1e-7', 1e-7],
  ['numeric(10,2)', '-0.05', new Decimal(-5n, 2), LOGICAL.decimal],
  [
    'numeric(38,10)',
    '12345678901234567890.0000000001',
    new Decimal(123456789012345678900000000001n, 10),
    LOGICAL.decimal,
  ],
  [
    'numeric',
    '1.500',
    { scale: 3, value: new Decimal(1500n, 3).toBytes() },
    'io.debezium.data.VariableScaleDecimal',
  ],
  ['price', '3', new Decimal(300n, 2), LOGICAL.decimal],
  ['money', '-1234.5', new Decimal(-123450n, 2), LOGICAL.decimal],
  ['text', "E'tab\\t back\\\\ \u{1F600}'", 'tab\t back\\ \u{1F600}'],
  ['varchar(5)', "''", ''],
  ['char(3)', "'a'", 'a  '],
  ['bytea', "'\\x00ff'", Buffer.from([0, 255])],
  ['date', "'2024-02-29'", 19782, 'io.debezium.time.Date'],
  ['date', "'0001-01-01 BC'", -719528, 'io.debezium.time.Date'],
  ['date', "'infinity'", 2147483647, 'io.debezium.time.Date'],
  ['time(3)', "'23:59:59.999'", 86399999, 'io.debezium.time.Time'],
  ['time', "'24:00:00'", 86400000000, 'io.debezium.time.MicroTime'],
  ['timetz', "'01:30:00.25+03:30'", '22:00:00.25Z', 'io.debezium.time.ZonedTime'],
  ['timestamp(3)', "'1969-12-31 23:59:59.999'", -1, 'io.debezium.time.Timestamp'],
  [
    'timestamp',
    "'2024-02-29 12:30:00.123456'",
    1709209800123456,
    'io.debezium.time.MicroTimestamp',
  ],
  [
    'timestamp',
    "'294276-12-31 23:59:59.999999'",
    9224318015999999999n,
    'io.debezium.time.MicroTimestamp',
  ],
  ['timestamp', "'infinity'", 9223372036825200000n, 'io.debezium.time.MicroTimestamp'],
  ['timestamp', "'-infinity'", -9223372036832400000n, 'io.debezium.time.MicroTimestamp'],
  [
    'timestamptz',
    "'2024-02-29 12:30:00.5+01'",
    '2024-02-29T11:30:00.500000Z',
    'io.debezium.time.ZonedTimestamp',
  ],
  [
    'timestamptz(0)',
    "'2024-02-29 12:30:00+01'",
    '2024-02-29T11:30:00Z',
    'io.debezium.time.ZonedTimestamp',
  ],
  [
    'timestamptz',
    "'0044-03-15 00:00:00+00 BC'",
    '-0043-03-15T00:00:00.000000Z',
    'io.debezium.time.ZonedTimestamp',
  ],
  ['timestamptz', "'infinity'", 'infinity', 'io.debezium.time.ZonedTimestamp'],
  ['interval', "'1 day -00:00:00.5'", 86399500000, 'io.debezium.time.MicroDuration'],
  [
    'uuid',
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'io.debezium.data.Uuid',
  ],
  ['json', '\'{"a":  1}\'', '{"a":  1}', 'io.debezium.data.Json'],
  ['jsonb', '\'{"a":  1}\'', '{"a": 1}', 'io.debezium.data.Json'],
  ['mood', "'ok'", 'ok', 'io.debezium.data.Enum'],
  ['inet', "'10.0.0.1/8'", '10.0.0.1/8'],
  ['macaddr', "'08:00:2b:01:02:03'", '08:00:2b:01:02:03'],
  ['int4range', "'[1,5)'", '[1,5)'],
  ['tsvector', "'a b'", "'a' 'b'", 'io.debezium.data.Tsvector'],
  ['bit(1)', "B'1'", true],
  ['bit(10)', "B'1000000101'", Buffer.from([0x05, 0x02]), 'io.debezium.data.Bits'],
  ['bit varying', "B'11'", Buffer.from([3]), 'io.debezium.data.Bits'],
  ['oid', '4294967295', 4294967295],
  ['int[]', "'{1,NULL,-3}'", [1, null, -3]],
  ['text[]', `array['a"b', 'c,d', 'NULL', null, '', '\\']`, ['a"b', 'c,d', 'NULL', null, '', '\\']],
  ['numeric(4,1)[]', "'{1.5}'", [new Decimal(15n, 1)]],
  ['timestamptz[]', "'{2024-01-01 00:00:00+00}'", ['2024-01-01T00:00:00.000000Z']],
  ['mood[]', "'{sad,ok}'", ['sad', 'ok']],
  [
    'point',
    "'(1.5,-2)'",
    expect.objectContaining({ x: 1.5, y: -2, srid: null }),
    'io.debezium.data.geometry.Point',
  ],
  ['text', 'null', null],
]

/** The table that the records make, as [id, n] by id. */
function replay(records: readonly SourceRecord[]): [number, number][] {
  const table = new Map<number, number>()
  for (const record of records) {
    const { id } = record.key as { id: number }
    const after = record.value === null ? null : envelopeOf(record).after
    if (after === null) table.delete(id)
    else table.set(id, after.n as number)
  }
  return [...table].sort(([a], [b]) => a - b)
}

/** Each update adds one: a lost or repeated change would show as another step. */
function expectOneStepUpdates(records: readonly SourceRecord[]): void {
  const last = new Map<number, number>()
  for (const record of records) {
    if (record.value === null) continue
    const { op, after } = envelopeOf(record)
    if (after === null) continue
    if (op === 'u') expect(after.n).toBe(last.get(after.id)! + 1)
    else expect(last.has(after.id)).toBe(false)
    last.set(after.id, after.n)
  }
}

function identityOf(record: SourceRecord): string {
  const { op, source } = envelopeOf(record)
  return `${JSON.stringify(record.key)} ${op} ${source.lsn}`
}

function fieldNames(schema: { readonly fields: readonly { readonly name: string }[] }): string[] {
  return schema.fields.map(({ name }) => name)
}

async function pollUntil(run: Harness, isEnough: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n++) {
    await run.poll()
    if (await isEnough()) return
  }
  throw new Error('gave up')
}

/** Loads lines by COPY FROM STDIN, which writes many rows in one WAL record. */
async function copyIn(database: Database, lines: readonly string[]): Promise<void> {
  const { Client } = await import('pg')
  const client = new Client(database.url)
  await client.connect()
  await new Promise<void>((resolve, reject) => {
    client.query({
      submit(connection: any) {
        connection.query('COPY item FROM STDIN')
      },
      handleCopyInResponse(connection: any) {
        connection.sendCopyFromChunk(Buffer.from(`${lines.join('\n')}\n`))
        connection.endCopyFrom()
      },
      handleCommandComplete() {},
      handleReadyForQuery: () => resolve(),
      handleError: reject,
      callback() {},
    } as any)
  })
  await client.end()
}
