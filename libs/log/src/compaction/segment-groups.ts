import { MAX_RELATIVE_OFFSET, type Segment } from '../segment'

export interface GroupLimits {
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
}

/**
 * Neighbouring segments that become one: as many as fit into the limits as they are now, since what is left of them can
 * only be less. `endOffset` is where the last one ends.
 */
export function groupSegments(
  segments: readonly Segment[],
  endOffset: number,
  limits: GroupLimits,
): Segment[][] {
  const groups: Segment[][] = []
  let sizes = { log: 0, offsets: 0, times: 0 }
  segments.forEach((segment, index) => {
    const group = groups.at(-1)
    const lastOffset = (segments[index + 1]?.baseOffset ?? endOffset) - 1
    const grown = {
      log: sizes.log + segment.sizeBytes,
      offsets: sizes.offsets + segment.offsetIndex.entries.sizeBytes,
      times: sizes.times + segment.timeIndex.entries.sizeBytes,
    }
    const fits =
      group !== undefined &&
      grown.log <= limits.segmentBytes &&
      grown.offsets <= limits.segmentIndexBytes &&
      grown.times <= limits.segmentIndexBytes &&
      lastOffset - group[0].baseOffset <= MAX_RELATIVE_OFFSET
    if (fits) {
      group.push(segment)
      sizes = grown
      return
    }
    groups.push([segment])
    sizes = {
      log: segment.sizeBytes,
      offsets: segment.offsetIndex.entries.sizeBytes,
      times: segment.timeIndex.entries.sizeBytes,
    }
  })
  return groups
}
