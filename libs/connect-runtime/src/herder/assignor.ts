import { CONNECTOR_TASK, type Allocation } from './group-protocol'

/** Connectors and tasks as one kind of thing to hand out: the connector itself is task -1. */
export interface WorkItem {
  readonly connector: string
  readonly task: number
}

export interface MemberLoad {
  readonly memberId: string
  readonly current: Allocation
}

export interface MemberChange {
  readonly assigned: Allocation
  readonly revoked: Allocation
}

/**
 * Spreads the items evenly: no member has two more connectors, or two more tasks, than another, and what runs stays
 * where it is as far as that allows. What must move is only revoked in this round; its owner stops it and joins again,
 * and then it is free to be assigned, so that nothing ever runs twice (CONNECT-4). What a lost member ran is assigned at once.
 */
export function assignIncrementally(
  members: readonly MemberLoad[],
  items: readonly WorkItem[],
): ReadonlyMap<string, MemberChange> {
  const plan = members.map(({ memberId, current }) => ({
    memberId,
    owned: flatten(current),
    assigned: [] as WorkItem[],
    revoked: [] as WorkItem[],
  }))
  for (const isConnector of [true, false]) {
    const wanted = items.filter((item) => (item.task === CONNECTOR_TASK) === isConnector)
    spread(plan, wanted, isConnector)
  }
  return new Map(
    plan.map(({ memberId, assigned, revoked }) => [
      memberId,
      { assigned: group(assigned), revoked: group(revoked) },
    ]),
  )
}

/** The same split without memory, for the eager protocol in which everyone stops everything first. */
export function assignEagerly(
  memberIds: readonly string[],
  items: readonly WorkItem[],
): ReadonlyMap<string, Allocation> {
  const members = [...memberIds].sort().map((memberId) => ({ memberId, current: new Map() }))
  const changes = assignIncrementally(members, items)
  return new Map([...changes].map(([memberId, change]) => [memberId, change.assigned]))
}

interface MemberPlan {
  readonly owned: readonly WorkItem[]
  readonly assigned: WorkItem[]
  readonly revoked: WorkItem[]
}

function spread(
  plan: readonly MemberPlan[],
  wanted: readonly WorkItem[],
  isConnector: boolean,
): void {
  const wantedIds = new Set(wanted.map(idOf))
  const taken = new Set<string>()
  const quota = Math.floor(wanted.length / plan.length)
  let extra = wanted.length % plan.length
  const kept = plan.map((member) => {
    const mine = member.owned.filter((item) => (item.task === CONNECTOR_TASK) === isConnector)
    const keepable = mine.filter((item) => wantedIds.has(idOf(item)) && !taken.has(idOf(item)))
    const room = keepable.length > quota && extra > 0 ? quota + 1 : quota
    if (keepable.length > quota && extra > 0) extra -= 1
    const keep = keepable.slice(0, room)
    const keepIds = new Set(keep.map(idOf))
    member.revoked.push(...mine.filter((item) => !keepIds.has(idOf(item))))
    for (const item of keepable) taken.add(idOf(item)) // what is revoked now is handed out next time
    return keep.length
  })
  for (const item of wanted) {
    if (taken.has(idOf(item))) continue
    const least = kept.indexOf(Math.min(...kept))
    plan[least].assigned.push(item)
    kept[least] += 1
  }
}

function idOf(item: WorkItem): string {
  return `${item.task}:${item.connector}`
}

function flatten(allocation: Allocation): WorkItem[] {
  return [...allocation].flatMap(([connector, tasks]) => tasks.map((task) => ({ connector, task })))
}

function group(items: readonly WorkItem[]): Allocation {
  const groups = new Map<string, number[]>()
  for (const { connector, task } of items) {
    const tasks = groups.get(connector)
    if (tasks === undefined) groups.set(connector, [task])
    else tasks.push(task)
  }
  return groups
}
