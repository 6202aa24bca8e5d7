/**
 * Heartbeat, key 12 - versions 0 to 4: stay in a classic group, and learn that it rebalances.
 * Versions: 3 static members; 4 flexible.
 */
import { field, message, type Infer } from '../schema'

export const HeartbeatRequest = message(
  { name: 'HeartbeatRequest', key: 12, versions: '0-4', flexible: '4+' },
  {
    groupId: field('string', '0+'),
    generationId: field('int32', '0+'),
    memberId: field('string', '0+'),
    groupInstanceId: field('string?', '3+', { default: null }),
  },
)
export type HeartbeatRequest = Infer<typeof HeartbeatRequest>

export const HeartbeatResponse = message(
  { name: 'HeartbeatResponse', key: 12, versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: field('int32', '1+'),
    errorCode: field('int16', '0+'),
  },
)
export type HeartbeatResponse = Infer<typeof HeartbeatResponse>
