import type { CoordinatorLog } from '@millrace/coordinator'
import { batch } from '@millrace/record'
import type { AppendEntry, MarkerEntry, Partition, ReplicaManager } from '@millrace/replication'
import { ErrorCode, protocolError } from '@millrace/wire'

/** Bytes read at once while a coordinator loads its partition. */
const READ_MAX_BYTES = 1 << 20
const NO_RECORDS = Buffer.alloc(0)

/**
 * The coordinators' view of their internal topics: what they append is safe before the promise resolves (ACK-3). It waits as long as a
 * slow or full disk takes: a record that timed out would be stored all the same, and a coordinator that had taken its change
 * back by then would differ from its log. Requests wait less long (`AnswerLimit`).
 */
export function createCoordinatorLog(replicas: ReplicaManager): CoordinatorLog {
  const partitionOf = (topic: string, index: number): Partition => {
    const partition = replicas.partition(topic, index)
    if (!partition?.isLeader) throw protocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    return partition
  }
  const append = async (entry: AppendEntry | MarkerEntry): Promise<void> => {
    const [result] = await replicas.append({
      acks: -1,
      timeoutMs: Infinity,
      origin: 'coordinator',
      entries: [entry],
    })
    if (result.errorCode !== ErrorCode.NONE)
      throw protocolError(result.errorCode, result.errorMessage ?? undefined)
  }
  return {
    append: (topic, partition, records, verification) =>
      append({ topic, partition, records, verification }),
    appendMarker: (topic, partition, marker) => append({ topic, partition, marker }),
    async read(topic, index, fromOffset) {
      await nextTurn() // a partition may be large: others have their turn between two portions of it
      const { log, highWatermark } = partitionOf(topic, index)
      const start = Math.max(fromOffset, log.logStartOffset)
      if (start >= highWatermark) return { records: NO_RECORDS, nextOffset: start }
      const { records } = log.read(start, {
        maxBytes: READ_MAX_BYTES,
        maxOffsetExclusive: highWatermark,
        minOneBatch: true,
      })
      return { records, nextOffset: nextOffsetOf(records, start) }
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function nextOffsetOf(records: Buffer, start: number): number {
  let nextOffset = start
  for (let at = 0; at < records.length; at += batch.sizeBytes(records, at))
    nextOffset = batch.nextOffset(records, at)
  return nextOffset
}
