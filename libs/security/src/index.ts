export { aclKey, aclProblem, type Acl } from './acl/acl'
export { AclAuthorizer, type AclAuthorizerOptions } from './acl/acl-authorizer'
export { aclFilterProblem, matchesFilter, type AclFilter } from './acl/acl-filter'
export { allowAll, type Audit, type Authorizer, type Requester } from './acl/authorizer'
export {
  AclOperation,
  CLUSTER_NAME,
  PatternType,
  PermissionType,
  ResourceType,
  UNKNOWN_CODE,
} from './acl/codes'
export { aclConfigDefinition, parseSuperUsers } from './acl/config'
export { operationsOf } from './acl/operations'
export { hostAddress } from './host-address'
export {
  type ClientSecurity,
  type ClientSecurityDeps,
  parseClientSecurity,
} from './client/client-security'
export { clientSecurityDefinition } from './client/config'
export { type SaslClient, type SaslClientExchange } from './client/sasl-client'
export { oauthConfigDefinition } from './oauth/config'
export { JwksValidator, type LoadJwks } from './oauth/jwks-validator'
export { oauthMechanism, type TokenValidator } from './oauth/server'
export { parseUnsecuredOptions, unsecuredValidator } from './oauth/unsecured-validator'
export { ANONYMOUS, principalText, type Principal } from './principal'
export { type JaasEntry, parseJaas } from './sasl/jaas'
export {
  type SaslExchange,
  SaslFailure,
  type SaslLogin,
  type SaslMechanism,
  type SaslStep,
} from './sasl/mechanism'
export { plainMechanism } from './sasl/plain'
export {
  credentialOf,
  saltedPassword,
  SCRAM_ITERATIONS_MAX,
  SCRAM_ITERATIONS_MIN,
  scramHashes,
  type ScramCredential,
  type ScramHash,
} from './scram/credential'
export { type ScramCredentials, scramMechanism } from './scram/server'
export {
  fromStored,
  parseScramRecordKey,
  scramRecordKey,
  type StoredScramCredential,
  toStored,
} from './scram/stored'
export { tlsServerConfigDefinition } from './tls/config'
export { subjectOf } from './tls/distinguished-name'
export { certificatesOfPkcs12 } from './tls/pkcs12'
export { parsePrincipalRules, type PrincipalMapper } from './tls/principal-mapping'
export { loadTlsMaterial, type ReadFile, type TlsConfig, type TlsMaterial } from './tls/stores'
export {
  hasExpired,
  isOwnerOrRenewer,
  type StoredToken,
  tokenCredential,
  tokenHmac,
} from './tokens/delegation-token'
