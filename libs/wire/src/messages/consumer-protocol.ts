/**
 * What members of protocol type `consumer` send each other through a classic group. No requests, and versioned in front: fields are only
 * ever added, so that members of all ages read each other.
 */
import { field, list, message, type Infer } from '../schema'

/** What a member tells the leader. */
export const ConsumerProtocolSubscription = message(
  { name: 'ConsumerProtocolSubscription', key: -1, versions: '0-3', flexible: 'none' },
  {
    topics: list('0+', 'string'),
    userData: field('bytes?', '0+'),
    ownedPartitions: list('1+', {
      topic: field('string', '1+'),
      partitions: list('1+', 'int32'),
    }),
    generationId: field('int32', '2+', { default: -1 }),
    rackId: field('string?', '3+', { default: null }),
  },
)
export type ConsumerProtocolSubscription = Infer<typeof ConsumerProtocolSubscription>

/** What the leader tells a member. */
export const ConsumerProtocolAssignment = message(
  { name: 'ConsumerProtocolAssignment', key: -1, versions: '0-3', flexible: 'none' },
  {
    assignedPartitions: list('0+', {
      topic: field('string', '0+'),
      partitions: list('0+', 'int32'),
    }),
    userData: field('bytes?', '0+'),
  },
)
export type ConsumerProtocolAssignment = Infer<typeof ConsumerProtocolAssignment>
