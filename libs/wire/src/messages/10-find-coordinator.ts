/**
 * FindCoordinator, key 10 - versions 0 to 6: which broker looks after a group or transaction.
 * Versions: 1 kind of key, error message; 3 flexible; 4 many keys in one request, in fields of
 *   their own; 5 TRANSACTION_ABORTABLE; 6 share groups.
 */
import { field, list, message, type Infer } from '../schema'

export const FindCoordinatorRequest = message(
  { name: 'FindCoordinatorRequest', key: 10, versions: '0-6', flexible: '3+' },
  {
    key: field('string', '0-3'),
    keyType: field('int8', '1+', { default: 0, doc: '0 group, 1 transaction, 2 share group.' }),
    coordinatorKeys: list('4+', 'string'),
  },
)
export type FindCoordinatorRequest = Infer<typeof FindCoordinatorRequest>

export const FindCoordinatorResponse = message(
  { name: 'FindCoordinatorResponse', key: 10, versions: '0-6', flexible: '3+' },
  {
    throttleTimeMs: field('int32', '1+'),
    errorCode: field('int16', '0-3'),
    errorMessage: field('string?', '1-3'),
    nodeId: field('int32', '0-3'),
    host: field('string', '0-3'),
    port: field('int32', '0-3'),
    coordinators: list('4+', {
      key: field('string', '4+'),
      nodeId: field('int32', '4+'),
      host: field('string', '4+'),
      port: field('int32', '4+'),
      errorCode: field('int16', '4+'),
      errorMessage: field('string?', '4+'),
    }),
  },
)
export type FindCoordinatorResponse = Infer<typeof FindCoordinatorResponse>
