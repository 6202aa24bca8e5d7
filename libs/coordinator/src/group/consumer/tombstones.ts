import type { GroupDraft } from './group-draft'

/** In this order: a member that has an assignment is one. */
export function removeMember(draft: GroupDraft, memberId: string): void {
  const { groupId } = draft
  draft.write({ type: 'current-assignment', groupId, memberId, value: null })
  draft.write({ type: 'target-member', groupId, memberId, value: null })
  draft.write({ type: 'consumer-member', groupId, memberId, value: null })
}

/** Removes all that the log has of a group. */
export function removeGroup(draft: GroupDraft): void {
  const { group, groupId } = draft
  const patterns = [...group.patterns.keys()]
  for (const memberId of group.members.keys()) removeMember(draft, memberId)
  draft.write({ type: 'target-epoch', groupId, value: null })
  for (const regularExpression of patterns) {
    draft.write({ type: 'regular-expression', groupId, regularExpression, value: null })
  }
  draft.write({ type: 'consumer-group', groupId, value: null })
}
