/**
 * The offset below which every record is safe on every in-sync replica (exclusive). A replica's safe offset is the one
 * its disk vouches for, not the one it has merely received: nobody reads what a power loss could take back.
 *
 * Never moves backwards: a replica that joins the in-sync set may stand behind what was already shown to readers.
 */
export function nextHighWatermark(current: number, safeOffsets: readonly number[]): number {
  let lowest = Infinity
  for (const offset of safeOffsets) if (offset < lowest) lowest = offset
  return lowest === Infinity ? current : Math.max(current, lowest)
}
