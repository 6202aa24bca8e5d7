import { oneOf, password, string } from '@millrace/config'
import { tlsClientConfigDefinition } from '../tls/config'

/** How a client connects and logs in, under Kafka's names. */
export const clientSecurityDefinition = {
  ...tlsClientConfigDefinition,
  securityProtocol: oneOf('security.protocol', ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'], {
    default: 'PLAINTEXT',
    ignoreCase: true,
    doc: 'How brokers are spoken to.',
  }),
  saslMechanism: string('sasl.mechanism', {
    default: 'GSSAPI',
    doc: 'How to log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.',
  }),
  saslJaasConfig: password('sasl.jaas.config', {
    default: null,
    doc: 'The login module of the mechanism with its options: username, password, tokenauth, clientId, clientSecret.',
  }),
  tokenEndpointUrl: string('sasl.oauthbearer.token.endpoint.url', {
    default: null,
    doc: 'Where tokens of OAUTHBEARER come from: https, http, or file for a token in a file.',
  }),
  oauthClientId: string('sasl.oauthbearer.client.credentials.client.id', {
    default: null,
    doc: 'Who asks for a token; clientId of the login module when absent.',
  }),
  oauthClientSecret: password('sasl.oauthbearer.client.credentials.client.secret', {
    default: null,
    doc: 'Proves who asks for a token; clientSecret of the login module when absent.',
  }),
  oauthScope: string('sasl.oauthbearer.scope', {
    default: null,
    doc: 'Scope that is asked for; that of the login module when absent.',
  }),
}
