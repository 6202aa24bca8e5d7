/** Kafka's numbers for what an ACL is about, as they travel in requests. Values 0 (unknown) and 1 (any) occur in filters only. */

export const ResourceType = {
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
} as const
export type ResourceType = (typeof ResourceType)[keyof typeof ResourceType]

export const AclOperation = {
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
  TWO_PHASE_COMMIT: 15,
} as const
export type AclOperation = (typeof AclOperation)[keyof typeof AclOperation]

/** How the name of an ACL's resource is meant. `MATCH` occurs in filters: every pattern that covers the name. */
export const PatternType = { ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 } as const
export type PatternType = (typeof PatternType)[keyof typeof PatternType]

export const PermissionType = { ANY: 1, DENY: 2, ALLOW: 3 } as const
export type PermissionType = (typeof PermissionType)[keyof typeof PermissionType]

/** What a filter or an ACL of a newer client says that we do not know. */
export const UNKNOWN_CODE = 0

/** Every host in an ACL; as a literal resource name, every resource of the type. */
export const WILDCARD = '*'
/** The principal of an ACL that means everybody. */
export const EVERYBODY = 'User:*'

/** The only resource of type CLUSTER. */
export const CLUSTER_NAME = 'kafka-cluster'

/** The name of a code, for messages and the audit log; UNKNOWN for a number that is none of them. */
export function codeName(codes: Readonly<Record<string, number>>, code: number): string {
  return Object.keys(codes).find((name) => codes[name] === code) ?? 'UNKNOWN'
}
