/** What every client must be able to do. Written once; each client's folder says how that client does it. */
import { basics } from './basics.ts'
import { groups } from './groups.ts'
import { scale } from './scale.ts'
import { security } from './security.ts'
import { transactions } from './transactions.ts'
import type { Scenario } from './world.ts'

export const scenarios: readonly Scenario[] = [
  ...basics,
  ...groups,
  ...transactions,
  ...security,
  ...scale,
]
