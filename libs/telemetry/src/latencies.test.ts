import { Latencies } from './latencies'

const NOW = 1_000_000

describe('Latencies', () => {
  it('tells quantiles within a ninth of the truth', () => {
    const latencies = new Latencies()
    for (let ms = 1; ms <= 1000; ms++) latencies.record(ms, NOW)
    for (const share of [0.5, 0.95, 0.99]) {
      const told = latencies.quantile(share, NOW)
      expect(told).toBeGreaterThanOrEqual(share * 1000)
      expect(told).toBeLessThan(share * 1000 * 1.1)
    }
  })

  it('forgets what is older than two windows, but not how many there were', () => {
    const latencies = new Latencies()
    latencies.record(100, NOW)
    latencies.record(1, NOW + 60_000)
    expect(latencies.quantile(1, NOW + 60_000)).toBeGreaterThan(99)
    expect(latencies.quantile(1, NOW + 120_000)).toBeLessThan(2)
    expect(latencies.quantile(1, NOW + 400_000)).toBe(0)
    expect(latencies.count).toBe(2)
  })

  it('takes times of nothing and of days', () => {
    const latencies = new Latencies()
    latencies.record(0, NOW)
    latencies.record(1e12, NOW)
    expect(latencies.quantile(0.5, NOW)).toBeLessThan(0.002)
    expect(latencies.quantile(1, NOW)).toBeGreaterThan(1e6)
  })
})
