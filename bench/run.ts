/** `npm run bench -- NAME [options]`: one file per bench; each lists its options at its top. */

interface Bench {
  readonly about: string
  readonly load: () => Promise<(args: readonly string[]) => Promise<void>>
}

const benches: Readonly<Record<string, Bench>> = {
  produce: {
    about: 'batches into the broker, durable and page-cache',
    load: async () => (await import('./produce.ts')).produce,
  },
  fetch: {
    about: 'batches out of the broker',
    load: async () => (await import('./fetch.ts')).fetch,
  },
  compare: {
    about:
      'the broker and Apache Kafka in turns, under the same load: rates, latency, start, memory',
    load: async () => (await import('./compare.ts')).compare,
  },
  cdc: {
    about: 'Postgres into the log: snapshot and backlog, with and without a sink',
    load: async () => (await import('./cdc.ts')).cdc,
  },
  scale: {
    about: 'many partitions, producers, idle connections and groups: does the event loop stall',
    load: async () => (await import('./scale.ts')).scale,
  },
  start: {
    about: 'time to ready and idle memory of `millrace start`',
    load: async () => (await import('./start.ts')).start,
  },
}

// Nothing imports this file; with an export it counts as a module.
export {}

const [name, ...args] = process.argv.slice(2)
const bench = Object.hasOwn(benches, name ?? '') ? benches[name] : undefined
if (bench) {
  const run = await bench.load()
  await run(args)
} else {
  const list = Object.entries(benches).map(([key, { about }]) => `  ${key.padEnd(10)}${about}`)
  console.error(`Usage: npm run bench -- NAME [options]\n${list.join('\n')}`)
  process.exitCode = 1
}
