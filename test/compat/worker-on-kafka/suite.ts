import type { Suite } from '../suite.ts'
export const workerOnKafka: Suite = {
  name: 'worker-on-kafka',
  open: async () => ({ missing: 'x' }),
}
