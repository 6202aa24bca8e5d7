import { LogModel } from './testing/log-model'

/** More of them with MODEL_SEEDS; one again with MODEL_SEED. */
const SEEDS = Number(process.env.MODEL_SEEDS ?? 50)
const STEPS = Number(process.env.MODEL_STEPS ?? 150)
const ONLY = process.env.MODEL_SEED

async function run(seed: number): Promise<LogModel> {
  const model = await LogModel.start(seed)
  try {
    await model.run(STEPS)
    return model
  } catch (cause) {
    const steps = model.steps.join(' ')
    throw new Error(`MODEL_SEED=${seed} after ${model.steps.length} steps: ${steps}`, { cause })
  }
}

describe('a log beside its model', () => {
  it(
    'COMPACT-1 COMPACT-3 LOG-1 LOG-5 LOG-11 LOG-12: holds what was acknowledged, whatever happens to it',
    async () => {
      const first = ONLY === undefined ? 1 : Number(ONLY)
      const last = ONLY === undefined ? SEEDS : first
      let refusedCount = 0
      let movedCount = 0
      for (let seed = first; seed <= last; seed++) {
        const model = await run(seed)
        expect(model.checkCount).toBeGreaterThan(STEPS / 10)
        refusedCount += model.refusedCount
        movedCount += model.movedCount
      }
      // It did happen that the disk was full and that the log moved.
      expect(refusedCount).toBeGreaterThanOrEqual(last - first)
      expect(movedCount).toBeGreaterThanOrEqual((last - first) / 2)
    },
    30_000 + SEEDS * 2000,
  )
})
