import type { ConsumerGroupContext } from './context'
import type { GroupDraft } from './group-draft'
import { metadataHash } from './subscription'

/** Asks for a new target assignment; unless that is forced, only if the subscribed topics are not what they were. */
export function raiseEpoch(
  draft: GroupDraft,
  { topics }: Pick<ConsumerGroupContext, 'topics'>,
  { isForced }: { isForced: boolean },
): void {
  const hash = metadataHash(draft.group, topics)
  if (!isForced && hash === draft.group.metadataHash) return
  const value = { epoch: draft.group.epoch + 1, metadataHash: hash }
  draft.write({ type: 'consumer-group', groupId: draft.groupId, value })
}
