/** SaslHandshake, key 17 - versions 0 to 1. */
import { field, list, message, type Infer } from '../schema'

export const SaslHandshakeRequest = message(
  { name: 'SaslHandshakeRequest', key: 17, versions: '0-1', flexible: 'none' },
  {
    mechanism: field('string', '0+'),
  },
)
export type SaslHandshakeRequest = Infer<typeof SaslHandshakeRequest>

export const SaslHandshakeResponse = message(
  { name: 'SaslHandshakeResponse', key: 17, versions: '0-1', flexible: 'none' },
  {
    errorCode: field('int16', '0+'),
    mechanisms: list('0+', 'string'),
  },
)
export type SaslHandshakeResponse = Infer<typeof SaslHandshakeResponse>
