/**
 * SaslHandshake, key 17 - versions 0 to 1: names the mechanism of the login that follows.
 * Versions: 1 the messages of the mechanism travel in SaslAuthenticate requests; after 0 they are bare frames.
 * `mechanisms` is what the listener offers, also when the one asked for is among them.
 */
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
