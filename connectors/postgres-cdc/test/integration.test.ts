import {
  describeWithPostgres,
  envelopeOf,
  fieldNames,
  operations,
  pollUntil,
  SERVERS,
  useDatabase,
} from './harness'

jest.setTimeout(60_000)

for (const from of SERVERS) {
  describeWithPostgres(from, () => {
    const { database, harness } = useDatabase(from)
    it('reads the rows first and then the changes, each once', async () => {
      await database().sql('create table item (id int primary key, name text not null)')
      await database().sql("insert into item values (1, 'one'), (2, 'two'), (3, 'three')")
      const run = harness()
      await run.start()
      await run.count(3)
      await database().sql("insert into item values (4, 'four')")
      await database().sql("update item set name = 'TWO' where id = 2")
      await database().sql('delete from item where id = 3')
      await run.count(7)
      await run.stop()
      expect(operations(run.records)).toBe('rrrcud-')
      expect(run.records.map(({ key }) => (key as { id: number }).id)).toEqual([
        1, 2, 3, 4, 2, 3, 3,
      ])
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

    it('marks the first and last row of each table', async () => {
      await database().sql(
        'create table a (id int primary key); create table b (id int primary key); create table c (id int primary key)',
      )
      await database().sql('insert into a values (1), (2), (3); insert into b values (1), (2)')
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

    it('tells a key change as a deletion and a creation that name each other', async () => {
      await database().sql('create table item (id int primary key, name text)')
      await database().sql("insert into item values (1, 'a')")
      const run = harness()
      await run.start()
      await run.count(1)
      await database().sql('update item set id = 2 where id = 1')
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

    it('puts a placeholder for large values that an update left as they were', async () => {
      await database().sql(
        'create table doc (id int primary key, n int, body text, raw bytea, tags text[], codes int[])',
      )
      for (const column of ['body', 'raw', 'tags', 'codes']) {
        await database().sql(`alter table doc alter ${column} set storage external`)
      }
      await database().sql(
        "insert into doc values (1, 0, repeat('x', 9000), decode(repeat('ab', 9000), 'hex'), array[repeat('y', 9000)], array(select generate_series(1, 5000)))",
      )
      const run = harness()
      await run.start()
      await run.count(1)
      await database().sql('update doc set n = 1')
      await database().sql('alter table doc replica identity full')
      await database().sql('update doc set n = 2')
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

    it('follows changes of a table and of what it is called', async () => {
      await database().sql('create table item (id int primary key, name varchar(10) not null)')
      const run = harness()
      await run.start()
      // The snapshot keeps tables from being altered: let it end.
      await run.poll()
      await database().sql("insert into item values (1, 'a')")
      await database().sql('alter table item add column price numeric(6,2), drop column name')
      await database().sql('insert into item values (2, 1.5)')
      await database().sql('alter table item rename to article')
      await database().sql('insert into article values (3, 2)')
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

    it('carries a transaction of 100,000 rows in batches', async () => {
      await database().sql('create table item (id int primary key, name text)')
      const run = harness()
      await run.start()
      await database().sql(
        "insert into item select i, 'name ' || i from generate_series(1, 100000) i",
      )
      await run.count(100_000)
      await run.stop()
      expect(run.records.length).toBe(100_000)
      expect(run.records.every(({ key }, index) => (key as { id: number }).id === index + 1)).toBe(
        true,
      )
    })

    it('leaves out tables, columns and operations as told', async () => {
      await database().sql(
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
      await database().sql(
        "insert into item values (1, 's', 5); insert into other values (1); insert into extra.item values (1); update item set n = 6; delete from item; truncate item",
      )
      await run.count(3)
      await run.poll()
      await run.stop()
      await database().sql('drop schema extra cascade')
      expect(operations(run.records)).toBe('cdt')
      expect(run.records[0].key).toEqual({ n: 5, id: 1 })
      expect(envelopeOf(run.records[0]).after).toEqual({ id: 1, n: 5 })
      expect(run.records[2].key).toBeNull()
    })

    it('makes a filtered publication and keeps it up to date', async () => {
      await database().sql(
        'create table a (id int primary key); create table b (id int primary key)',
      )
      const properties = {
        'publication.autocreate.mode': 'filtered',
        'publication.name': 'some_tables',
      }
      const published = async () =>
        (
          await database().sql(
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
      await database().sql('insert into b values (1)')
      await second.count(1)
      await second.stop()
      await database().sql('drop publication some_tables')
    })

    it('numbers events in their transaction', async () => {
      await database().sql(
        'create table a (id int primary key); create table b (id int primary key)',
      )
      const run = harness({ 'provide.transaction.metadata': 'true' })
      await run.start()
      await database().sql(
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

    it('streams without a snapshot, and reads only once, as the mode says', async () => {
      await database().sql('create table item (id int primary key); insert into item values (1)')
      const noData = harness({ 'snapshot.mode': 'no_data' })
      await noData.start()
      await database().sql('insert into item values (2)')
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

    it('writes heartbeats whose offset passes what was filtered out', async () => {
      await database().sql('create table item (id int primary key); create table beat (n int)')
      const run = harness({
        'table.include.list': 'public.item',
        'heartbeat.interval.ms': '50',
        'heartbeat.action.query': 'insert into beat values (1)',
      })
      await run.start()
      await pollUntil(run, async () => (await database().sql('select * from beat')).length >= 3)
      await run.stop()
      expect(run.records[0]).toMatchObject({
        topic: '__debezium-heartbeat.shop',
        key: { serverName: 'shop' },
      })
      const commits = run.records.map(({ sourceOffset }) => sourceOffset.lsn_commit as number)
      expect(commits.at(-1)).toBeGreaterThan(commits[0])
    })

    it('names what a human must change', async () => {
      await database().sql("drop role if exists reader; create role reader login password 'x'")
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
}
