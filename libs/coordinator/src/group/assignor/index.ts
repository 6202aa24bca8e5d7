import type { Assignor } from './assignor'
import { rangeAssignor } from './range'
import { uniformAssignor } from './uniform'

export type { AssignableGroup, AssignableMember, Assignment, Assignor } from './assignor'

/** Those that `group.consumer.assignors` may name; the first one there is the default. */
export const assignors: readonly Assignor[] = [uniformAssignor, rangeAssignor]
