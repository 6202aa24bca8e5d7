/**
 * Property tests run from one seed, so that what fails is what was changed. `PROPERTY_SEED=random` looks for more, and PROPERTY_SEED=N
 * for what such a run found. Loaded by jest before each test file.
 */
import * as fc from 'fast-check'

const seed = process.env.PROPERTY_SEED ?? '1'
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) })
