import { failureKind, systemClock } from '@millrace/connect-api'
import {
  type Database,
  describeWithPostgres,
  envelopeOf,
  Harness,
  identityOf,
  openDatabase,
  operations,
  pollUntil,
  SERVERS,
  useDatabase,
} from './harness'
import { copyIn, expectOneStepUpdates, replay } from './replay'

jest.setTimeout(60_000)

for (const from of SERVERS) {
  describeWithPostgres(from, () => {
    const { database, harness, slotName } = useDatabase(from)
    it('neither loses nor repeats what is written while the snapshot begins', async () => {
      await database().sql('create table counter (id serial primary key, n int not null)')
      await database().sql('insert into counter (n) select 0 from generate_series(1, 2000)')
      const run = harness({ 'max.batch.size': '100', 'max.queue.size': '200' })
      let isWriting = true
      const writer = (async () => {
        for (let round = 0; isWriting; round++) {
          await database().sql('insert into counter (n) values (0)')
          await database().sql(`update counter set n = n + 1 where id = ${1 + (round % 500)}`)
          await database().sql(`delete from counter where id = ${1000 + round}`)
        }
      })()
      await run.start()
      await run.until((records) => records.length > 2500)
      isWriting = false
      await writer
      await database().sql('insert into counter (id, n) values (1000000, 7)')
      await run.until((records) =>
        records.some(({ key }) => (key as { id: number }).id === 1000000),
      )
      await run.stop()
      const rows = await database().sql('select id, n from counter order by id')
      expect(replay(run.records)).toEqual(rows.map(({ id, n }) => [id, n]))
      expectOneStepUpdates(run.records)
    })

    it('leaves no session behind when the snapshot cannot begin', async () => {
      await database().sql('create table item (id int primary key)')
      await database().sql('begin; lock table item in access exclusive mode')
      const run = harness({ 'snapshot.mode': 'initial_only' })
      await run.start() // waits for the lock for ten seconds, then leaves it to the first poll
      await systemClock.sleep(200)
      const sessions = await database().sql(
        "select application_name, query from pg_stat_activity where application_name = 'millrace shop'",
      )
      await database().sql('rollback')
      expect(sessions).toEqual([])
      await database().sql('insert into item values (1)')
      await run.count(1)
      await run.stop()
    })

    it('gives every change once over restarts at random points, inside transactions too', async () => {
      await database().sql('create table item (id int primary key, n int not null)')
      const run = harness({ 'max.batch.size': '7', 'max.queue.size': '100' })
      await run.start()
      await database().sql('insert into item values (0, 0)')
      await run.count(1)
      await run.commit()
      for (let tx = 0; tx < 60; tx++) {
        // One statement of many rows: COPY-like inserts share an LSN, the updates do not.
        await database().sql(
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
    })

    it('resumes inside a COPY, whose rows share one LSN', async () => {
      await database().sql('create table item (id int primary key, n int)')
      await database().sql('insert into item values (0, 0)')
      const run = harness({ 'max.batch.size': '3', 'max.queue.size': '100' })
      await run.start()
      await run.count(1)
      await run.commit()
      await copyIn(
        database(),
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
      expect(new Set(run.records.slice(1).map((r) => envelopeOf(r).source.lsn)).size).toBeLessThan(
        50,
      )
    })

    it('gives again what was given and not stored, in the same order', async () => {
      await database().sql('create table item (id int primary key, n int)')
      const run = harness()
      await run.start()
      await database().sql('insert into item select i, i from generate_series(1, 100) i')
      await database().sql('update item set n = 0')
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

    it('begins a snapshot anew that was cut short', async () => {
      await database().sql('create table item (id int primary key)')
      await database().sql('insert into item select generate_series(1, 5000)')
      const run = harness({ 'max.batch.size': '100', 'max.queue.size': '200' })
      await run.start()
      await run.count(300)
      await run.commit()
      await run.stop()
      run.records.length = 0
      await run.start()
      await run.count(5000)
      await database().sql('insert into item values (5001)')
      await run.count(5001)
      await run.stop()
      expect(run.records.map(({ key }) => (key as { id: number }).id)).toEqual(
        Array.from({ length: 5001 }, (_, i) => i + 1),
      )
    })

    it('goes on by itself when the server comes back', async () => {
      await database().sql('create table item (id int primary key, n int)')
      const run = harness()
      await run.start()
      await database().sql('insert into item select i, 0 from generate_series(1, 500) i')
      await run.count(250)
      await run.commit()
      await database().kill()
      await run.until(() => run.failures.length > 0)
      await database().restart()
      await database().sql('update item set n = 1')
      await run.count(1000)
      await run.poll()
      await run.stop()
      expect(run.failures.every((error) => failureKind(error) === 'retriable')).toBe(true)
      expect(operations(run.records)).toBe('c'.repeat(500) + 'u'.repeat(500))
    })

    it('lets a server shut down that has nothing left to send', async () => {
      await database().sql('create table item (id int primary key)')
      const run = harness()
      await run.start()
      await database().sql('insert into item values (1)')
      await run.count(1)
      await run.commit()
      let isBack = false
      const restart = database()
        .restart()
        .then(() => {
          isBack = true
        })
      while (!isBack) await run.poll()
      await restart
      await database().sql('insert into item values (2)')
      await run.count(2)
      await run.stop()
      expect(operations(run.records)).toBe('cc')
    })

    it('keeps the slot at what is stored, and moves it on when all is', async () => {
      await database().sql('create table item (id int primary key); create table other (id int)')
      const run = harness({ 'table.include.list': 'public.item' })
      const confirmed = async (): Promise<bigint> => {
        const [{ lsn }] = await database().sql(
          "select (confirmed_flush_lsn - '0/0')::text as lsn from pg_replication_slots where slot_name = $1",
          [slotName()],
        )
        return BigInt(lsn as string)
      }
      await run.start()
      await run.poll()
      const atStart = await confirmed()
      await database().sql('insert into item values (1)')
      await database().sql('insert into item values (2)')
      await run.count(2)
      for (let n = 0; n < 5; n++) await run.poll()
      const beforeLast = BigInt(run.records[1].sourceOffset.lsn_commit as number)
      expect((await confirmed()) < beforeLast).toBe(true)
      await run.commit()
      await database().sql('insert into other select generate_series(1, 100)')
      const [{ lsn: now }] = await database().sql(
        "select (pg_current_wal_lsn() - '0/0')::text as lsn",
      )
      await pollUntil(run, async () => (await confirmed()) >= BigInt(now as string))
      expect(await confirmed()).toBeGreaterThan(atStart)
      await run.stop()
    })

    it('refuses to go on when the slot is gone, unless a new snapshot is allowed', async () => {
      await database().sql('create table item (id int primary key); insert into item values (1)')
      const run = harness()
      await run.start()
      await run.count(1)
      await run.commit()
      await run.stop()
      await database().sql('select pg_drop_replication_slot($1)', [slotName()])
      await expect(run.start()).rejects.toMatchObject({ kind: 'configuration' })
      const allowed = new Harness(
        database(),
        { 'slot.name': slotName(), 'snapshot.mode': 'when_needed' },
        run.stored,
      )
      await allowed.start()
      await allowed.count(1)
      await allowed.stop()
      expect(operations(allowed.records)).toBe('r')
    })

    it('waits while somebody else uses the slot', async () => {
      await database().sql('create table item (id int primary key); insert into item values (1)')
      const first = harness()
      await first.start()
      await first.count(1)
      await first.commit()
      await first.poll()
      const second = new Harness(database(), { 'slot.name': slotName() }, first.stored)
      await second.start()
      await second.poll()
      expect(second.failures.map(failureKind)).toEqual(['retriable'])
      await first.stop()
      await database().sql('insert into item values (2)')
      await second.count(1)
      await second.stop()
      expect(operations(second.records)).toBe('c')
    })
  })
}

describeWithPostgres('any', () => {
  it('keeps its connection and its place while nobody polls for longer than wal_sender_timeout', async () => {
    const database = await openDatabase('any', ['wal_sender_timeout=2s'])
    await database.sql('create table item (id int primary key, name text)')
    const run = new Harness(database, { 'max.queue.size.in.bytes': '10000' })
    await run.start()
    await run.poll()
    await database.sql(
      "insert into item select i, repeat('x', 100) from generate_series(1, 100000) i",
    )
    await run.count(1)
    await systemClock.sleep(5000)
    await run.count(100_000)
    await run.stop()
    expect(run.failures).toEqual([])
    expect(run.records.length).toBe(100_000)
    await database.end()
  })

  it('says that wal_level is too low', async () => {
    const database = await openDatabase('any', ['wal_level=replica'])
    const run = new Harness(database)
    await expect(run.start()).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('wal_level'),
    })
    await database.end()
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
