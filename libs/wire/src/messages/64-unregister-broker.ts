/**
 * UnregisterBroker, key 64 - version 0 only: forgets a broker that is gone.
 */
import { field, message, type Infer } from '../schema'

export const UnregisterBrokerRequest = message(
  { name: 'UnregisterBrokerRequest', key: 64, versions: '0', flexible: '0+' },
  {
    brokerId: field('int32', '0+'),
  },
)
export type UnregisterBrokerRequest = Infer<typeof UnregisterBrokerRequest>

export const UnregisterBrokerResponse = message(
  { name: 'UnregisterBrokerResponse', key: 64, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: field('int32', '0+'),
    errorCode: field('int16', '0+'),
    errorMessage: field('string?', '0+'),
  },
)
export type UnregisterBrokerResponse = Infer<typeof UnregisterBrokerResponse>
