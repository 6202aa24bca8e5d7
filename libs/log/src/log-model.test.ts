import { LogModel } from './testing/log-model'

/** More of them with MODEL_SEEDS; one again with MODEL_SEED. */
const SEEDS = Number(process.env.MODEL_SEEDS ?? 50)
const STEPS = Number(process.env.MODEL_STEPS ?? 150)
const ONLY = process.env.MODEL_SEED

async function run(seed: number): Promise<number> {
  const model = await LogModel.start(seed)
  try {
    await model.run(STEPS)
    return model.checkCount
  } catch (cause) {
    const steps = model.steps.join(' ')
    throw new Error(`MODEL_SEED=${seed} after ${model.steps.length} steps: ${steps}`, { cause })
  }
}

describe('a log beside its model', () => {
  it(
    'COMPACT-1 COMPACT-3 LOG-1 LOG-5: holds what was acknowledged, whatever happens to it',
    async () => {
      const first = ONLY === undefined ? 1 : Number(ONLY)
      const last = ONLY === undefined ? SEEDS : first
      for (let seed = first; seed <= last; seed++) {
        expect(await run(seed)).toBeGreaterThan(STEPS / 10)
      }
    },
    30_000 + SEEDS * 2000,
  )
})
