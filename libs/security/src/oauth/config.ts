import { int, list, long, string } from '@millrace/config'

/** How a listener checks the tokens of OAUTHBEARER; under `listener.name.NAME.oauthbearer.` as well. */
export const oauthConfigDefinition = {
  jwksEndpointUrl: string('sasl.oauthbearer.jwks.endpoint.url', {
    default: null,
    doc: 'Where the keys of the token issuer are: https, http, or file.',
    check: (url) => (/^(?:https?|file):\/\//i.test(url) ? null : 'a URL of https, http or file'),
  }),
  jwksRefreshMs: long('sasl.oauthbearer.jwks.endpoint.refresh.ms', {
    default: 3_600_000,
    min: 1,
    unit: 'ms',
    doc: 'How often the keys are fetched again.',
  }),
  jwksRetryBackoffMs: long('sasl.oauthbearer.jwks.endpoint.retry.backoff.ms', {
    default: 100,
    min: 1,
    unit: 'ms',
    doc: 'The first wait before keys that could not be fetched are tried again.',
  }),
  jwksRetryBackoffMaxMs: long('sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms', {
    default: 10_000,
    min: 1,
    unit: 'ms',
    doc: 'The longest wait before keys are fetched again.',
  }),
  expectedIssuer: string('sasl.oauthbearer.expected.issuer', {
    default: null,
    doc: 'The issuer that a token must name. Any when absent, which is unwise.',
  }),
  expectedAudience: list('sasl.oauthbearer.expected.audience', {
    default: [],
    doc: 'Audiences of which a token must name one. Any when empty, which is unwise.',
  }),
  clockSkewSeconds: int('sasl.oauthbearer.clock.skew.seconds', {
    default: 30,
    min: 0,
    unit: 's',
    doc: 'How far the clocks of issuer and broker may differ.',
  }),
  subClaimName: string('sasl.oauthbearer.sub.claim.name', {
    default: 'sub',
    doc: 'The claim that holds the name of the user.',
  }),
  scopeClaimName: string('sasl.oauthbearer.scope.claim.name', {
    default: 'scope',
    doc: 'The claim that holds the scopes.',
  }),
}
