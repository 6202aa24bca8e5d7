import type { Clock, Random } from '@millrace/base'
import { ErrorCode } from '@millrace/wire'
import type { FetchEntry, PartitionFetchResult } from './fetch-entry'
import {
  FetchSession,
  FINAL_EPOCH,
  INITIAL_EPOCH,
  keyOf,
  nextEpoch,
  NO_SESSION,
  type PartitionName,
} from './fetch-session'

/** A session that was not used for so long may be dropped for any other; a younger one only for a more useful one. */
export const SESSION_EVICTION_MS = 120_000
const MAX_SESSION_ID = 2 ** 31 - 1

/** What a fetch request says of its session. */
export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly isFromFollower: boolean
  /** All partitions if the request opens a session or has none, else those that are new or changed. */
  readonly wanted: readonly FetchEntry[]
  readonly forgotten: readonly PartitionName[]
  readonly nameOf: (topicId: string) => string | undefined
}

/** What the answer says. */
export interface SessionReply {
  readonly errorCode: number
  readonly sessionId: number
  readonly results: readonly PartitionFetchResult[]
}

/** The partitions of one request, and what of their results its reader is told. */
export interface FetchContext {
  /** Not NONE: the session and the request do not fit together, and nothing is read. */
  readonly errorCode: number
  readonly entries: Iterable<FetchEntry>
  /** Called once, with a result for every entry. */
  reply(results: readonly PartitionFetchResult[]): SessionReply
}

/** The sessions of all readers of this node, at most `maxSessions`; who finds no place fetches without one. */
export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #maxSessions: number
  /** The one that was not used for the longest time comes first. */
  readonly #sessions = new Map<number, FetchSession>()
  #evictionCount = 0

  constructor(deps: { clock: Clock; random: Random }, options: { maxSessions: number }) {
    this.#clock = deps.clock
    this.#random = deps.random
    this.#maxSessions = options.maxSessions
  }

  get size(): number {
    return this.#sessions.size
  }
  /** Since the start. */
  get evictionCount(): number {
    return this.#evictionCount
  }
  /** In all sessions together. */
  get partitionCount(): number {
    let count = 0
    for (const session of this.#sessions.values()) count += session.size
    return count
  }

  open(request: SessionRequest): FetchContext {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch !== INITIAL_EPOCH && sessionEpoch !== FINAL_EPOCH) return this.#goOn(request)
    // A request that names all its partitions ends the session that it had before.
    this.#sessions.delete(sessionId)
    const entries = withoutDuplicates(request.wanted)
    if (sessionEpoch === FINAL_EPOCH) return withoutSession(entries)
    return {
      errorCode: ErrorCode.NONE,
      entries,
      reply: (results) => ({
        errorCode: ErrorCode.NONE,
        sessionId: this.#maybeCreate(request, results),
        results,
      }),
    }
  }

  #goOn(request: SessionRequest): FetchContext {
    const session = this.#sessions.get(request.sessionId)
    if (!session) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    // FETCH-1: a request that was lost or came twice would leave the two sides with different partitions.
    if (session.epoch !== request.sessionEpoch)
      return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    if (session.usesTopicIds !== request.usesTopicIds)
      return refused(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    session.update(request.wanted, request.forgotten)
    if (session.size === 0) {
      this.#sessions.delete(session.id)
      return withoutSession(withoutDuplicates(request.wanted))
    }
    this.#touch(session)
    if (session.usesTopicIds) session.resolveNames(request.nameOf)
    const epoch = (session.epoch = nextEpoch(session.epoch))
    return {
      errorCode: ErrorCode.NONE,
      entries: session.entries(),
      reply: (results) =>
        // Another request of the session may have overtaken this one while it waited.
        session.epoch === epoch
          ? {
              errorCode: ErrorCode.NONE,
              sessionId: session.id,
              results: session.takeNews(results),
            }
          : {
              errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
              sessionId: session.id,
              results: [],
            },
    }
  }

  #touch(session: FetchSession): void {
    session.lastUsedMs = this.#clock.monotonicMs()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }

  /** The new session's id, or NO_SESSION if there is no place for it. */
  #maybeCreate(request: SessionRequest, results: readonly PartitionFetchResult[]): number {
    const nowMs = this.#clock.monotonicMs()
    const isPrivileged = request.isFromFollower
    if (this.#sessions.size >= this.#maxSessions) {
      const victim = this.#victimFor({ isPrivileged, size: results.length, nowMs })
      if (!victim) return NO_SESSION
      this.#sessions.delete(victim.id)
      this.#evictionCount += 1
    }
    const { usesTopicIds } = request
    const id = this.#newId()
    const session = new FetchSession({ id, isPrivileged, usesTopicIds, nowMs }, results)
    this.#sessions.set(id, session)
    return id
  }

  /** Kafka's rules: the stale one first; else the least useful, if it has had its time and is of no more use than the new. */
  #victimFor(candidate: {
    isPrivileged: boolean
    size: number
    nowMs: number
  }): FetchSession | undefined {
    const { isPrivileged, size, nowMs } = candidate
    const [oldest] = this.#sessions.values()
    if (!oldest || nowMs - oldest.lastUsedMs > SESSION_EVICTION_MS) return oldest
    let least: FetchSession | undefined
    for (const session of this.#sessions.values()) {
      const isProtected =
        nowMs - session.createdMs <= SESSION_EVICTION_MS && (!isPrivileged || session.isPrivileged)
      if (!isProtected && (!least || compareUse(session, least) < 0)) least = session
    }
    return least && compareUse(least, { isPrivileged, size }) <= 0 ? least : undefined
  }

  /** Random, so that a reader does not take a session that another had before a restart for its own. */
  #newId(): number {
    let id: number
    do id = 1 + this.#random.int(MAX_SESSION_ID)
    while (this.#sessions.has(id))
    return id
  }
}

function compareUse(
  one: { isPrivileged: boolean; size: number },
  other: { isPrivileged: boolean; size: number },
): number {
  if (one.isPrivileged !== other.isPrivileged) return one.isPrivileged ? 1 : -1
  return one.size - other.size
}

/** Of a partition that is named twice the last one counts, as in Kafka. */
function withoutDuplicates(entries: readonly FetchEntry[]): readonly FetchEntry[] {
  const byKey = new Map(entries.map((entry) => [keyOf(entry), entry]))
  return byKey.size === entries.length ? entries : [...byKey.values()]
}

function withoutSession(entries: readonly FetchEntry[]): FetchContext {
  return {
    errorCode: ErrorCode.NONE,
    entries,
    reply: (results) => ({ errorCode: ErrorCode.NONE, sessionId: NO_SESSION, results }),
  }
}

function refused(errorCode: number): FetchContext {
  return {
    errorCode,
    entries: [],
    reply: () => ({ errorCode, sessionId: NO_SESSION, results: [] }),
  }
}
