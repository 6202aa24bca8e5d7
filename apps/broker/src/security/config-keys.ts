import { int, list, long, password, string } from '@millrace/config'
import { oauthConfigDefinition, tlsServerConfigDefinition } from '@millrace/security'

const INT_MAX = 2 ** 31 - 1

/** How clients log in; of one listener under `listener.name.NAME.`, of one mechanism under `listener.name.NAME.MECHANISM.`. */
export const saslConfigDefinition = {
  enabledMechanisms: list('sasl.enabled.mechanisms', {
    default: ['GSSAPI'],
    doc: 'How clients may log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER. Kerberos (GSSAPI) is not served.',
  }),
  jaasConfig: password('sasl.jaas.config', {
    default: null,
    doc: 'The login module of a mechanism and its options; those of PLAIN are the users: user_NAME="password".',
  }),
  connectionsMaxReauthMs: long('connections.max.reauth.ms', {
    default: 0,
    unit: 'ms',
    doc: 'A connection is closed if its client has not logged in again after this long; 0 never asks for it.',
  }),
  serverMaxReceiveBytes: int('sasl.server.max.receive.size', {
    default: 524_288,
    min: 1,
    unit: 'bytes',
    doc: 'The largest request of a client that has not logged in.',
  }),
  failedAuthenticationDelayMs: int('connection.failed.authentication.delay.ms', {
    default: 100,
    min: 0,
    unit: 'ms',
    importance: 'LOW',
    doc: 'How long the answer to a login that failed is held back, against guessing.',
  }),
}

/** What is of the whole broker, whatever the listener. */
const brokerWide = {
  maxConnectionsPerIp: int('max.connections.per.ip', {
    default: INT_MAX,
    min: 0,
    doc: 'Connections from one address; further ones are closed at once.',
  }),
  maxConnectionsPerIpOverrides: string('max.connections.per.ip.overrides', {
    default: '',
    doc: 'Other limits for some addresses or hosts: HOST:COUNT, comma separated.',
  }),
  delegationTokenSecretKey: password('delegation.token.secret.key', {
    default: null,
    doc: 'Secret that delegation tokens are made with. Without it there are none.',
  }),
  delegationTokenMaxLifetimeMs: long('delegation.token.max.lifetime.ms', {
    default: 604_800_000,
    min: 1,
    unit: 'ms',
    doc: 'After this long a delegation token cannot be renewed any more.',
  }),
  delegationTokenExpiryTimeMs: long('delegation.token.expiry.time.ms', {
    default: 86_400_000,
    min: 1,
    unit: 'ms',
    doc: 'How long a delegation token is good before it must be renewed.',
  }),
  delegationTokenExpiryCheckIntervalMs: long('delegation.token.expiry.check.interval.ms', {
    default: 3_600_000,
    min: 1,
    unit: 'ms',
    importance: 'LOW',
    doc: 'How often expired delegation tokens are removed.',
  }),
  scramBootstrapCredentials: password('scram.bootstrap.credentials', {
    default: null,
    doc: 'Users to begin with, as kafka-storage takes them: SCRAM-SHA-256=[name=alice,password=secret]; separated by semicolons. A user that exists is left alone.',
  }),
}

export const securityConfigDefinition = {
  ...saslConfigDefinition,
  ...tlsServerConfigDefinition,
  ...oauthConfigDefinition,
  ...brokerWide,
}
