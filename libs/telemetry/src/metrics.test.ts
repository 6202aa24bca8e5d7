import { Metrics } from './metrics'

describe('Metrics', () => {
  it('reads what was counted when somebody asks, and forgets what is gone', async () => {
    const sizes = new Map([
      ['a', 1],
      ['b"\n', 2],
    ])
    const metrics = new Metrics([
      {
        name: 'kafka_log_log_size',
        type: 'gauge',
        help: 'Bytes.',
        labels: ['topic'],
        read: () => Array.from(sizes, ([topic, value]) => ({ labels: [topic], value })),
      },
      { name: 'kafka_x_total', type: 'counter', help: 'Things.', read: () => [{ value: 7 }] },
    ])
    const first = await metrics.expose()
    expect(first).toContain('kafka_log_log_size{topic="a"} 1\n')
    expect(first).toContain('kafka_log_log_size{topic="b\\"\\n"} 2\n')
    expect(first).toContain('# TYPE kafka_x_total counter\nkafka_x_total 7\n')
    expect(first).toContain('process_cpu_seconds_total')
    expect(first).toContain('nodejs_eventloop_lag_seconds')
    sizes.delete('a')
    const second = await metrics.expose()
    expect(second).not.toContain('topic="a"')
    expect(second).toContain('kafka_x_total 7\n')
  })
})
